"""The experiment behind ``minigrad autoencoder``: does a soft limit on activity beat a hard one?

A sparse autoencoder with many coding units, of which a penalty lets only a few be active at once,
is held against its unpenalised twin, a bottleneck of as many units as are active, and PCA.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.layers import Dense
from minigrad.optimizers import Adam
from minigrad.regularizers import L1, L2, KLDivergence, Regularizer
from minigrad.search.measure import threshold_of
from minigrad.training import History, Sequential

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Settings:
    """What can be set on the command line; the defaults were found by a small search."""

    units: int = 100
    l1: float = 3e-3
    l2: float = 1e-5
    kl: float = 1e-3
    target: float = 0.1
    epochs: int = 100
    batch_size: int = 32
    learning_rate: float = 1e-3
    bottleneck: int = 10
    seed: int = 0


@dataclass(frozen=True)
class Result:
    """A trained model, or PCA, measured on the held-out samples.

    Attributes
    ----------
    active : ndarray of int, shape (samples,)
        How many coding units are active for each.
    dead : ndarray of bool, shape (units,)
        Which units are active for none.
    error : float
        The mean squared reconstruction error.
    reconstructions : ndarray, shape (samples, features)
        The outputs.
    """

    name: str
    reconstructions: Array
    error: float
    active: Array
    dead: Array
    model: Sequential | None = None
    history: History | None = None

    def row(self) -> dict[str, Any]:
        """Return its line in the comparison."""
        return {
            "name": self.name,
            "active": float(self.active.mean()),
            "dead": int(self.dead.sum()),
            "units": len(self.dead),
            "error": self.error,
        }


def build(
    features: int, units: int, settings: Settings, activation: str, **penalties: Any
) -> Sequential:
    """Return a compiled autoencoder ``features → units → features``; its seed fixes everything."""
    model = Sequential(
        Dense(
            units, activation, input_dim=features, name="codings", seed=settings.seed, **penalties
        ),
        Dense(features, "sigmoid", name="outputs", seed=settings.seed + 1),
        seed=settings.seed,
    )
    model.compile(Adam(settings.learning_rate), loss="mse")
    return model


def sparse_l1(features: int, settings: Settings) -> Sequential:
    """Return the autoencoder with an L1 activity penalty on relu codings."""
    return _sparse(features, settings, "relu", L1(settings.l1))


def sparse_kl(features: int, settings: Settings) -> Sequential:
    """Return the autoencoder whose sigmoid codings are driven to a target mean activation."""
    return _sparse(features, settings, "sigmoid", KLDivergence(settings.target, settings.kl))


def _sparse(features: int, settings: Settings, activation: str, penalty: Regularizer) -> Sequential:
    weights = {name: L2(settings.l2) for name in ("kernel_regularizer", "bias_regularizer")}
    return build(
        features, settings.units, settings, activation, activity_regularizer=penalty, **weights
    )


def train(
    name: str, model: Sequential, train_x: Array, held_out: Array, settings: Settings, verbose: int
) -> Result:
    """Train a model and measure it on the held-out samples."""
    history = model.fit(
        train_x,
        train_x,
        batch_size=settings.batch_size,
        epochs=settings.epochs,
        validation_data=(held_out, held_out),
        verbose=verbose,
    )
    codings = model.layers[0](held_out).numpy()
    active = codings > threshold_of(model.layers[0])
    outputs = model.predict(held_out)
    return Result(
        name,
        outputs,
        float(np.mean(np.square(outputs - held_out, dtype=np.float64))),
        active.sum(axis=1),
        ~active.any(axis=0),
        model,
        history,
    )


def principal_components(train_x: Array, held_out: Array, components: int) -> Result:
    """Reconstruct from the first principal components: the best linear bottleneck."""
    mean = train_x.mean(axis=0)
    _, _, directions = np.linalg.svd(train_x - mean, full_matrices=False)
    directions = directions[:components]  # (components, features)
    codings = (held_out - mean) @ directions.T
    outputs = codings @ directions + mean
    return Result(
        f"PCA, {len(directions)} components",
        outputs,
        float(np.mean(np.square(outputs - held_out, dtype=np.float64))),
        np.full(len(held_out), len(directions)),
        np.zeros(len(directions), bool),
    )
