"""How sparse a layer's output is: the numbers that a sparse autoencoder is judged by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.checks import number, or_none, snake_case
from minigrad.metrics.inputs import real_array
from minigrad.metrics.metric import Array, Metric, checked_name, divided, known_as
from minigrad.signatures import Setting


def _layer(owner: str, argument: str, layer: Any) -> str:
    if not isinstance(layer, str) or not layer:
        raise ValueError(
            f"{owner}: layer must be the name of a layer, such as 'codings'. "
            f"Received: layer={layer!r}"
        )
    return layer


class _Activity(Metric):
    """A metric of what one layer of the model puts out; targets play no part."""

    watches_layer = True

    layer = Setting(_layer)
    threshold = Setting(number, 0.0)
    name = Setting(or_none(checked_name), None)

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        if self.name is None:
            self.name = f"{self.layer}/{snake_case(type(self).__name__)}"

    def update_state(self, activations: Any) -> None:
        """Take in what the layer put out for one batch, of shape (batch, …)."""
        self.gather(real_array(self.owner, "activations", activations))

    def gather(self, activations: Array) -> None:
        """Add up what the metric needs of one batch."""
        raise NotImplementedError(f"{type(self).__name__} must define gather(self, activations)")


@known_as()
class ActiveUnits(_Activity):
    """How many outputs of a layer are above the threshold, per sample.

    In a sparse coding layer of 100 units perhaps 10. A convolutional layer's output counts at each
    place and in each channel, for all of them together are the code of the image.

    Parameters
    ----------
    layer
        The layer's name in the model; ``"encoder/codings"`` for one in a nested model.
    threshold
        An output is active if it is larger. 0 suits relu; sigmoids need more.
    name
        What the history calls it; by default ``"<layer>/active_units"``.

    Examples
    --------
    >>> metric = ActiveUnits("codings")
    >>> metric.update_state([[0.5, 0.0, 2.0], [0.0, 0.0, 0.1]])
    >>> metric.name, metric.result()
    ('codings/active_units', 1.5)
    """

    gathers: Mapping[str, int] = {"active": 0, "samples": 0}

    def gather(self, activations: Array) -> None:
        self.add("active", (activations > self.threshold).sum())
        self.add("samples", len(activations))

    def result(self) -> float:
        """Return the mean over the samples; 0 before the first batch."""
        return float(divided(self.state.get("active", 0.0), self.state.get("samples", 0.0)))


@known_as()
class DeadUnits(_Activity):
    """How many units of a layer no sample has brought above the threshold since the last reset.

    A unit is an index of the last axis. So in a convolutional layer it is a channel, dead if it is
    silent at every place in every image: all places share its kernel, and a single one at which it
    is active shows that the kernel is of use. (Single places, say at the border of the images, can
    be silent for good without anything being wrong.)

    Parameters as `ActiveUnits`; the name is ``"<layer>/dead_units"``.

    Examples
    --------
    >>> metric = DeadUnits("codings")
    >>> metric.update_state([[0.5, 0.0, 0.0]])
    >>> metric.update_state([[0.0, 0.0, 0.1]])
    >>> metric.result()
    1.0
    """

    gathers: Mapping[str, int] = {"was_active": 1}

    def gather(self, activations: Array) -> None:
        units = activations.shape[-1] if activations.ndim > 1 else 1
        # (batch, …, units) → (units,)
        is_active: Array = np.any((activations > self.threshold).reshape(-1, units), axis=0)
        before = self.state.get("was_active", is_active)
        if before.shape != is_active.shape:
            raise ValueError(
                f"{self.owner}: expected {len(before)} units along the last axis, as in the "
                f"batches before. Received: shape {activations.shape}"
            )
        self.state["was_active"] = np.logical_or(before, is_active)

    def result(self) -> float:
        """Return their number; 0 before the first batch."""
        return float(np.logical_not(self.state.get("was_active", np.ones(0))).sum())


@known_as()
class Sparsity(_Activity):
    """Which share of a layer's outputs is not above the threshold, from 0 to 1.

    Every output of every sample counts alike, so it is 1 − active units / outputs of a sample.

    Parameters as `ActiveUnits`; the name is ``"<layer>/sparsity"``.

    Examples
    --------
    >>> metric = Sparsity("codings")
    >>> metric.update_state([[0.5, 0.0, 2.0, 0.0], [0.0, 0.0, 0.1, 0.0]])
    >>> metric.result()
    0.625
    """

    gathers: Mapping[str, int] = {"inactive": 0, "outputs": 0}

    def gather(self, activations: Array) -> None:
        self.add("inactive", activations.size - (activations > self.threshold).sum())
        self.add("outputs", activations.size)

    def result(self) -> float:
        """Return the share; 0 before the first batch."""
        return float(divided(self.state.get("inactive", 0.0), self.state.get("outputs", 0.0)))
