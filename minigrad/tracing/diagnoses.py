"""Diagnoses: what strikes the eye in a trace, in words, with the numbers that it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minigrad import activations, regularizers
from minigrad.layers import Activation, ReLU
from minigrad.tracing.hand_written import undivided_sums
from minigrad.tracing.layer_pass import LayerPass

if TYPE_CHECKING:
    from minigrad.tracing.trace import Trace

DOMINATES = 0.8  # share of a gradient above which a penalty rules it
NO_EFFECT = 1e-3  # share below which a penalty does nothing
VANISHED, EXPLODED = 1e-3, 1e3  # of the gradient at the last layer
SATURATED = 0.5  # fraction of outputs on the flat parts of an activation
FLAT = 0.01  # slope, relative to the steepest, below which it counts as flat
HUGE, SMALL = 50.0, 1.0  # mean |output| above, largest |weight| below
OFF_TARGET = 2.0  # factor by which a mean activation misses its target


class Diagnosis(NamedTuple):
    """One finding.

    Attributes
    ----------
    kind : str
        Such as ``"dead units"``; the heading in ``docs/diagnoses.md``.
    where : str
        The layer, parameter or term.
    text : str
        A sentence or two.
    numbers : dict of str to float
        What it rests on.
    """

    kind: str
    where: str
    text: str
    numbers: dict[str, float]

    @property
    def link(self) -> str:
        """Where to read more."""
        return f"docs/diagnoses.md#{self.kind.replace(' ', '-')}"

    def __str__(self) -> str:
        return f"{self.kind}, {self.where}: {self.text} [{self.link}]"


def diagnose(trace: Trace) -> list[Diagnosis]:
    """Return all findings, layer by layer, then term by term."""
    by_layer = (dead_units, saturated, huge_outputs, missed_target)
    found = [each for layer in trace.layers for rule in by_layer for each in rule(trace, layer)]
    for whole in (dominating, without_effect, without_path, vanishing_or_exploding, undivided):
        found += whole(trace)
    return found + trace.findings


# ---- of a layer ----------------------------------------------------------------------------------


def _values(tensor: Any) -> np.ndarray[Any, Any]:
    return np.asarray(tensor._value)


def _units(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """All axes but the last laid out in one: (…, units) → (rows, units)."""
    return values.reshape(-1, values.shape[-1])


def _activation(layer: LayerPass) -> tuple[Any, str, Any]:
    """Return a layer's activation, and the name and Tensor of what it is applied to."""
    if isinstance(layer.layer, ReLU):
        cut_only_at_zero = not (layer.layer.negative_slope or layer.layer.threshold)
        return (activations.relu if cut_only_at_zero else None), "input", layer.input
    function = getattr(layer.layer, "activation", None)
    if isinstance(layer.layer, Activation):
        return function, "input", layer.input
    return function, "pre_activation", layer.pre_activation


def dead_units(trace: Trace, layer: LayerPass) -> Iterator[Diagnosis]:
    """Find units of a relu that no sample of the batch switches on."""
    function, place, before = _activation(layer)
    if before is None or function is not activations.relu:
        return
    dead: np.ndarray[Any, Any] = np.all(_units(_values(before)) <= 0, axis=0)
    if not dead.any():
        return
    count, total = int(dead.sum()), dead.size
    text = (
        f"{count} of {total} units are 0 for every sample of this batch: no gradient passes "
        "through them, and only penalties on their own weights still act."
    )
    killer, push = _pushes_down(trace, f"{layer.path}/{place}", ~dead)
    numbers = {"dead": float(count), "units": float(total)}
    if killer is not None:
        text += (
            f" The living ones are pushed down by {killer!r} the most (mean gradient at the "
            f"pre-activation {push:+.3g})."
        )
        numbers["push"] = push
    if dead.all():
        text += " None is left alive, so this batch cannot tell who did it: trace an earlier step."
    yield Diagnosis("dead units", layer.path, text, numbers)


def _pushes_down(trace: Trace, name: str, alive: np.ndarray[Any, Any]) -> tuple[str | None, float]:
    """Return the term with the largest positive mean gradient at the tensor `name`.

    A step goes against the gradient, so that term lowers its values.
    """
    if not alive.any() or name not in trace.tensors:
        return None, 0.0
    pushes = {
        term: float(_units(trace.gradient(name, term))[:, alive].mean())
        for term in trace.terms
        if trace.has_path(name, term)
    }
    term = max(pushes, key=lambda term: pushes[term], default=None)
    return (None, 0.0) if term is None or pushes[term] <= 0 else (term, pushes[term])


_STEEPEST = {"sigmoid": 0.25, "tanh": 1.0, "softsign": 1.0}


def saturated(trace: Trace, layer: LayerPass) -> Iterator[Diagnosis]:
    """Find sigmoids and tanhs that mostly stand on their flat parts."""
    function, _, before = _activation(layer)
    name = activations.name_of(function)
    if name not in _STEEPEST or before is None:
        return
    z = _values(layer.output)
    slopes = {"sigmoid": z * (1 - z), "tanh": 1 - z * z, "softsign": (1 - np.abs(z)) ** 2}[name]
    flat = float((slopes < FLAT * _STEEPEST[name]).mean())
    if flat > SATURATED:
        yield Diagnosis(
            "saturated activations",
            layer.path,
            f"{flat:.0%} of the {name} outputs are so close to their limits that less than "
            f"{FLAT:.0%} of the greatest slope is left: hardly any gradient passes. Smaller "
            "initial weights, normalized inputs or an activity penalty help.",
            {"fraction": flat},
        )


def huge_outputs(trace: Trace, layer: LayerPass) -> Iterator[Diagnosis]:
    """Find layers whose outputs are huge although their weights are small."""
    kernel = getattr(layer.layer, "kernel", None)
    if kernel is None:
        return
    size = float(np.abs(_values(layer.output)).mean())
    largest = float(np.abs(_values(kernel)).max(initial=0))
    if size > HUGE and largest <= SMALL:
        has_one = layer.layer.activity_regularizer is not None
        remedy = (
            "the layer's activity penalty" if has_one else "an activity_regularizer on this layer"
        )
        yield Diagnosis(
            "huge outputs from small weights",
            layer.path,
            f"outputs are {size:.3g} on average, while no weight is above {largest:.3g}: many "
            "small contributions add up. A kernel penalty sees only the weights and cannot help; "
            f"{remedy} can.",
            {"mean |output|": size, "largest |weight|": largest},
        )


def missed_target(trace: Trace, layer: LayerPass) -> Iterator[Diagnosis]:
    """Find layers whose mean activation is far from the target of their KL penalty."""
    regularizer = layer.layer.activity_regularizer
    if not isinstance(regularizer, regularizers.KLDivergence):
        return
    mean, target = float(_values(layer.output).mean()), regularizer.target
    if mean > OFF_TARGET * target or mean < target / OFF_TARGET:
        direction = "more" if mean > target else "less"
        yield Diagnosis(
            "sparsity target missed",
            layer.path,
            f"the mean activation is {mean:.3g}, {direction} than the target {target:.3g} by more "
            f"than a factor of {OFF_TARGET:g}. Train for longer, or make the penalty stronger.",
            {"mean activation": mean, "target": target},
        )


# ---- of terms ------------------------------------------------------------------------------------


def dominating(trace: Trace) -> Iterator[Diagnosis]:
    """Find penalties that make up nearly all of a parameter's gradient, beside a data term."""
    rows = {(row.parameter, row.term): row for row in trace.table()}
    for (parameter, term), row in rows.items():
        data = rows.get((parameter, "data"))
        if term != "data" and data is not None and data.has_path and row.share > DOMINATES:
            yield Diagnosis(
                "penalty dominates the data",
                parameter,
                f"{term!r} makes up {row.share:.0%} of the gradient (norm {row.norm:.3g}, the data "
                f"term's {data.norm:.3g}): the weights follow the penalty and not the data. Make "
                "it weaker.",
                {"share": row.share, "norm": row.norm, "data norm": data.norm},
            )


def without_effect(trace: Trace) -> Iterator[Diagnosis]:
    """Find penalties that hardly count anywhere."""
    rows = list(trace.table())
    for term in trace.terms:
        shares = [row.share for row in rows if row.term == term and row.has_path]
        if term != "data" and shares and max(shares) < NO_EFFECT:
            text = (
                f"its largest share in any parameter's gradient is {max(shares):.2g}: training "
                "would go the same way without it. Make it stronger, or leave it out."
                if max(shares)
                else "it contributes exactly 0 to every gradient: what it penalizes is 0 already "
                "(as biases are at first), its strength is 0, or only dead units lead there."
            )
            yield Diagnosis("penalty without effect", term, text, {"largest share": max(shares)})


def without_path(trace: Trace) -> Iterator[Diagnosis]:
    """Find penalties that count in the loss, and that no weight can change."""
    places = [*trace.parameters, *trace.tensors]
    for term, value in trace.terms.items():
        if term != "data" and value and not any(trace.has_path(each, term) for each in places):
            yield Diagnosis(
                "penalty without a path",
                term,
                f"it adds {value:.3g} to the loss, and no weight gets a gradient from it. Unless a "
                "constant is meant, its values were taken off the tape, by float(), .item(), "
                ".numpy(), math.… or detach(): compute it from tensors, with NumPy's functions.",
                {"value": value},
            )


def vanishing_or_exploding(trace: Trace) -> Iterator[Diagnosis]:
    """Compare the data gradient at the first layer's output with that at the last's."""
    sizes = {
        layer.path: float(np.sqrt(np.mean(np.square(trace.gradient(name, "data")))))
        for layer in trace.layers
        if (name := f"{layer.path}/output") in trace.tensors
        and "data" in trace.terms
        and trace.has_path(name, "data")
    }
    if len(sizes) < 2:
        return
    (first, start), *_, (last, end) = sizes.items()
    if start == 0 or end == 0:
        return
    ratio = start / end
    if ratio < VANISHED or ratio > EXPLODED:
        kind, what = (
            ("vanishing gradient", "fades") if ratio < 1 else ("exploding gradient", "grows")
        )
        yield Diagnosis(
            kind,
            f"{last} → {first}",
            f"on the way back from {last!r} to {first!r} the data gradient {what} by a factor of "
            f"{ratio:.2g} (root mean square {end:.2g} → {start:.2g}). Other initial weights or "
            "activations, or normalization between the layers, help.",
            {"ratio": ratio, "first": start, "last": end},
        )


def undivided(trace: Trace) -> Iterator[Diagnosis]:
    """Find penalties written by hand that sum over the batch and do not divide by its size."""
    for term, (batch, line) in undivided_sums(trace).items():
        at = "" if line is None else f" ({line.file}:{line.number}: {line.text})"
        yield Diagnosis(
            "penalty depends on the batch size",
            term,
            f"it sums over the {batch} samples of the batch{at}, and nothing divides by their "
            "number: with a larger batch it counts for more beside a data term that is a mean. "
            f"Divide by {batch}, or use an activity_regularizer, which does.",
            {"batch size": float(batch)},
        )
