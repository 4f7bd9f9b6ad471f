"""A look at the first batch that a model learns from: the commonest mistakes show there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minigrad.engine.taken import warn
from minigrad.tracing.classifiers import UNSCALED, of_classifier

if TYPE_CHECKING:
    from minigrad.training.objective import Objective


class FirstBatchWarning(UserWarning):
    """The first batch suggests that a model is not what was meant."""


def look_at(model: Objective, x: Any, prediction: Any, data: float) -> None:
    """Warn of what is wrong with a classifier, given its first batch and the data term of that.

    Of saturated outputs only where the input is not scaled: otherwise they may be the past of a
    model that goes on with other data.
    """
    for found in of_classifier(model.loss, x, prediction, data / (model.loss_weights or 1)):
        if found.numbers.get("largest |input|", UNSCALED) >= UNSCALED:
            warn(f"model {model.name!r}, first batch: {found}", FirstBatchWarning)
