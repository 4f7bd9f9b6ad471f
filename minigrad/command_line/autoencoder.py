"""Train a sparse autoencoder and report which penalty contributes what to each gradient."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from minigrad import datasets
from minigrad.command_line import experiment, pages
from minigrad.command_line.experiment import Array, Result, Settings
from minigrad.files import atomic_write
from minigrad.tracing import Trace

_HELP = {
    "units": "coding units of the sparse autoencoder",
    "l1": "strength of the L1 penalty on the codings' activity",
    "l2": "strength of the L2 penalties on the codings' kernel and bias",
    "kl": "strength of the KL penalty of the second sparse autoencoder",
    "target": "mean activation that the KL penalty drives each unit to",
    "epochs": "how often to go through the training samples",
    "batch_size": "samples in a step",
    "learning_rate": "of Adam",
    "bottleneck": "units of the hard bottleneck, and components of PCA",
    "seed": "fixes the split, the weights and the order of the samples",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument(
        "--data",
        default="digits",
        metavar="FILE",
        help="'digits', or a file of samples: .npz, .npy, .csv or IDX (MNIST's format)",
    )
    for field in fields(Settings):
        kind = {"int": int, "float": float}[str(field.type)]
        parser.add_argument(
            "--" + field.name.replace("_", "-"),
            type=kind,
            default=field.default,
            metavar="N" if kind is int else "X",
            help=_HELP[field.name],
        )
    parser.add_argument(
        "--out", default="runs/autoencoder", metavar="FOLDER", help="where the results go"
    )
    parser.add_argument("--quiet", action="store_true", help="print no progress")


def run(options: argparse.Namespace) -> None:
    """Train, compare, and write model, history and report into the output folder."""
    settings = Settings(**{field.name: getattr(options, field.name) for field in fields(Settings)})
    check(settings)
    out = Path(options.out)
    made = make_folder(out)
    try:
        samples, image_shape, note = read(options.data)
        train_x, held_out = datasets.train_test_split(samples, seed=settings.seed)
        print(f"{note} {len(train_x)} samples to train on, {len(held_out)} held out.")
        results = compare(train_x, held_out, settings, verbose=0 if options.quiet else 1)
        sparse = results[0]
        assert sparse.model is not None
        assert sparse.history is not None
        last_batch = train_x[-settings.batch_size :]
        explained = sparse.model.trace(last_batch, last_batch)
        page = pages.render(note, settings, results, explained, held_out, image_shape)
        write(out, settings, results, page)
    except BaseException:
        if made:
            _remove_if_empty(made)
        raise
    print_outcome(results, explained, out)


def check(settings: Settings) -> None:
    """Raise for settings outside of their range, before anything is trained."""
    for name in ("units", "epochs", "batch_size", "bottleneck"):
        if getattr(settings, name) < 1:
            raise ValueError(
                f"--{name.replace('_', '-')} must be 1 or larger. "
                f"Received: {getattr(settings, name)}"
            )
    if settings.seed < 0:
        raise ValueError(f"--seed must be 0 or larger. Received: {settings.seed}")
    experiment.sparse_l1(1, settings)  # the layers' own checks of strengths and rate
    experiment.sparse_kl(1, settings)


def make_folder(out: Path) -> list[Path]:
    """Make sure that the output folder can be written; return the folders that were made for it."""
    missing = [folder for folder in (out, *out.parents) if not folder.exists()]
    out.mkdir(parents=True, exist_ok=True)
    if not os.access(out, os.W_OK | os.X_OK):
        raise PermissionError(13, "the output folder cannot be written", str(out))
    return missing


def _remove_if_empty(folders: Sequence[Path]) -> None:
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return


def read(data: str) -> tuple[Array, tuple[int, int] | None, str]:
    """Return samples, the shape of each as an image if it is one, and a note on the source."""
    if data == "digits":
        return datasets.load_digits().images, (8, 8), "UCI handwritten digits, 8×8."
    table = datasets.read_table(data)
    if table.values.min() < 0 or table.values.max() > 1:
        raise ValueError(
            f"{data}: the outputs are sigmoids, so values must be between 0 and 1. Received: "
            f"from {table.values.min():g} to {table.values.max():g}. Scale the data first."
        )
    return table.values, table.image_shape, f"{data}: {table.note}"


def compare(train_x: Array, held_out: Array, settings: Settings, verbose: int) -> list[Result]:
    """Train all autoencoders with the same seed and epochs, and compute PCA."""
    features = train_x.shape[1]
    bottleneck = min(settings.bottleneck, features, len(train_x))
    models = {
        "sparse autoencoder (L1)": experiment.sparse_l1(features, settings),
        "sparse autoencoder (KL)": experiment.sparse_kl(features, settings),
        "unpenalised twin": experiment.build(features, settings.units, settings, "relu"),
        f"bottleneck of {bottleneck}": experiment.build(features, bottleneck, settings, "relu"),
    }
    results = []
    for name, model in models.items():
        print(f"Training the {name}", flush=True)
        results.append(experiment.train(name, model, train_x, held_out, settings, verbose))
    return [*results, experiment.principal_components(train_x, held_out, bottleneck)]


def write(out: Path, settings: Settings, results: Sequence[Result], page: str) -> None:
    """Write model.npz, history.json and report.html, each of them whole or not at all."""
    sparse = results[0]
    assert sparse.model is not None
    assert sparse.history is not None
    record: dict[str, Any] = {
        "settings": asdict(settings),
        "comparison": [result.row() for result in results],
        "epoch": sparse.history.epoch,
        "history": sparse.history.history,
    }
    sparse.model.save(out / "model.npz")
    for name, text in (("history.json", json.dumps(record, indent=1)), ("report.html", page)):
        with atomic_write(out / name) as file:
            file.write(text.encode())


def print_outcome(results: Sequence[Result], explained: Trace, out: Path) -> None:
    """Print the trace of the last batch, the comparison and where the results are."""
    print("\nWhere the gradients of the last batch come from\n")
    print(explained)
    print("\nOn the held-out samples\n")
    print(pages.comparison_text(results))
    print(f"\nOpen {out / 'report.html'} for the pictures. The model is in {out / 'model.npz'}.")
