"""The report of ``minigrad autoencoder``: which pictures it shows, and what it says about them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minigrad import plots, report
from minigrad.command_line.experiment import Array, Result, Settings
from minigrad.layers import Dense
from minigrad.report import Section
from minigrad.tracing import Trace
from minigrad.training.summary import format_table

_COLUMNS = ("model", "active units per sample", "dead units", "held-out error")


def comparison_rows(results: Sequence[Result]) -> list[tuple[str, str, str, str]]:
    """Return the comparison as text cells, one row a model."""
    return [
        (
            row["name"],
            f"{row['active']:.1f}",
            f"{row['dead']} of {row['units']}",
            f"{row['error']:.4f}",
        )
        for row in (result.row() for result in results)
    ]


def comparison_text(results: Sequence[Result]) -> str:
    """Return the comparison as an aligned table."""
    return format_table(_COLUMNS, comparison_rows(results), right={1, 2, 3})


def render(
    note: str,
    settings: Settings,
    results: Sequence[Result],
    explained: Trace,
    held_out: Array,
    image_shape: tuple[int, int] | None,
) -> str:
    """Return the whole report as one self-contained HTML page."""
    sparse, twin = results[0], results[2]
    assert sparse.history is not None
    sections = [
        Section(
            "A soft limit against a hard one",
            f"The L1 penalty on the activity leaves {sparse.active.mean():.1f} of "
            f"{settings.units} coding units active for a held-out sample; which ones they are "
            "differs from sample to sample. A hard bottleneck must make do with the same few "
            "units for all, and so must PCA, the best linear bottleneck. All were trained with "
            "the same seed, for the same number of epochs. A relu unit counts as active above 0, "
            "a sigmoid unit above ½; a dead unit is active for no held-out sample. The codings of "
            "the KL variant are graded: a sigmoid below ½ still says something, so its count is a "
            "different measure, and not to be held against the others'.",
            figure=plots.comparison([result.row() for result in results]),
            alt="Held-out reconstruction error against the mean number of active units, by model",
            table=[_COLUMNS, *comparison_rows(results)],
        ),
        Section(
            "What the loss was made of",
            "Each term of the sparse autoencoder's loss, epoch by epoch: the data term, and the "
            "penalties on the codings' kernel, bias and activity.",
            figure=plots.learning_curves(sparse.history.history),
            alt="Learning curves of each loss term",
        ),
    ]
    if image_shape is not None:
        sections += _pictures(results, held_out, image_shape)
    sections += [
        Section(
            "How many units are active",
            "The penalised codings and those of the unpenalised twin, with the same seed: how "
            "many units are active for each held-out sample.",
            figure=plots.activity_distribution(
                {result.name: result.active for result in (sparse, twin)},
                budget=settings.bottleneck,
            ),
            alt="Histogram of active units per sample for the sparse autoencoder and its twin",
        ),
        *_trace_sections(explained),
        Section(
            "How this was made",
            f"{note} Reproduce it with the same settings and seed.",
            preformatted="\n".join(f"{name} = {value}" for name, value in vars(settings).items()),
        ),
    ]
    lead = (
        f"{note} A sparse autoencoder of {settings.units} coding units, its loss term by term, "
        "and where each of its gradients comes from."
    )
    return report.render("A sparse autoencoder, explained", lead, sections)


def _pictures(
    results: Sequence[Result], held_out: Array, image_shape: tuple[int, int]
) -> list[Section]:
    sparse = results[0]
    assert sparse.model is not None
    codings = sparse.model.layers[0]
    assert isinstance(codings, Dense)
    shown = min(10, len(held_out))
    return [
        Section(
            "Originals and reconstructions",
            "Held-out samples, and what each model makes of them.",
            figure=plots.reconstructions(
                held_out[:shown],
                {result.name: result.reconstructions[:shown] for result in results},
                image_shape,
            ),
            alt="Held-out images above their reconstructions by each model",
        ),
        Section(
            "What the coding units look for",
            "The kernel's column of each coding unit, as a picture: red pixels excite the unit, "
            "blue ones inhibit it. Dead units are marked: the penalty has shut them off.",
            figure=plots.filters(codings.kernel.numpy(), image_shape, dead=sparse.dead),
            alt="The weights of each coding unit as an image",
        ),
    ]


def _trace_sections(explained: Trace) -> list[Section]:
    chain = explained.explain("codings/kernel", "codings/activity")
    strongest = max(
        (row for row in explained.table() if row.term != "data"), key=lambda row: row.share
    )
    against = (
        ""
        if np.isnan(strongest.cosine)
        else (f", at a cosine of {strongest.cosine:+.2f} to what the data want")
    )
    return [
        Section(
            "Where the gradients come from",
            "The gradient of each parameter on the last batch, split exactly by loss term. The "
            f"strongest penalty: {strongest.term} makes up {strongest.share:.0%} of the gradient "
            f"of {strongest.parameter}{against}. At the end of training, data and penalties are "
            "nearly in balance: their pulls are of one size, and against each other. The "
            "contributions add up to the gradient of the plain backward pass, to a relative "
            f"difference of {explained.residual:.1e}.",
            figure=explained.plot(),
            alt="Share and direction of each loss term's contribution to each gradient",
            preformatted=str(explained.table()),
        ),
        Section(
            "From the activity penalty down to the kernel",
            "Each step of the way, with the derivative rule that ran.",
            preformatted=chain,
        ),
    ]
