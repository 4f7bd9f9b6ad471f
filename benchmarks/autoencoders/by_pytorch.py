"""The training step in eager PyTorch, with either of its Adams."""

from itertools import cycle

import torch
from torch import nn
from torch.nn.functional import mse_loss

from benchmarks.autoencoders.specification import BETA_1, BETA_2, EPSILON, LEARNING_RATE


class Autoencoder(nn.Module):
    """Two dense layers, with the weights that everyone begins with."""

    def __init__(self, spec):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(spec.width, spec.codings), nn.ReLU())
        self.decoder = nn.Sequential(nn.Linear(spec.codings, spec.width))
        if spec.output == "sigmoid":
            self.decoder.append(nn.Sigmoid())
        with torch.no_grad():  # a kernel is kept as (outputs, inputs)
            for parameter, values in zip(self.parameters(), spec.start(), strict=True):
                parameter.copy_(torch.from_numpy(values.T))
        self.weights = tuple(self.parameters())

    def forward(self, x):
        """Return codings and outputs."""
        codings = self.encoder(x)
        return codings, self.decoder(codings)


def terms_of(spec, model, x):
    """Return the loss by terms."""
    codings, outputs = model(x)
    kernel, bias, decoder, _ = model.weights
    terms = [mse_loss(outputs, x)]
    if spec.kernel_l1:
        terms.append(spec.kernel_l1 * kernel.abs().sum())
    if spec.kernel_l2:
        terms.append(spec.kernel_l2 * kernel.square().sum())
    if spec.bias_l2:
        terms.append(spec.bias_l2 * bias.square().sum())
    if spec.activity_l1:
        terms.append(spec.activity_l1 / len(x) * codings.abs().sum())
    if spec.decoder_l2:
        terms.append(spec.decoder_l2 * decoder.square().sum())
    return terms


class Contender:
    """A model, batches and an optimizer."""

    def __init__(self, spec, batches, fused=None):
        self.spec = spec
        self.batches = cycle([torch.from_numpy(batch) for batch in batches])
        self.model = Autoencoder(spec)
        self.optimizer = torch.optim.Adam(
            self.model.parameters(), LEARNING_RATE, (BETA_1, BETA_2), EPSILON, fused=fused
        )

    def step(self):
        """Train on the next batch; return the loss from before it."""
        self.optimizer.zero_grad()
        terms = terms_of(self.spec, self.model, next(self.batches))
        loss = sum(terms[1:], start=terms[0])
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def weights(self):
        """Return all weights as arrays."""
        return [weights.detach().numpy().T for weights in self.model.weights]
