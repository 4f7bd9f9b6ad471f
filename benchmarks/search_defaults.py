"""The search behind the defaults of ``minigrad autoencoder``; prints the table of the docs.

Run it with ``python benchmarks/search_defaults.py``; it takes about two minutes.
"""

from dataclasses import replace
from itertools import product

import numpy as np

from minigrad import datasets
from minigrad.command_line import experiment
from minigrad.command_line.experiment import Settings

SEEDS = (0, 1, 2)


def mean_over_seeds(settings, make):
    """Return active units, dead units and held-out error, averaged over seeds and splits."""
    measured = []
    for seed in SEEDS:
        own = replace(settings, seed=seed)
        train, held_out = datasets.train_test_split(datasets.load_digits().images, seed=seed)
        if make is None:
            result = experiment.principal_components(train, held_out, own.bottleneck)
        else:
            result = experiment.train("", make(64, own), train, held_out, own, verbose=0)
        measured.append((result.active.mean(), result.dead.sum(), result.error))
    return np.mean(measured, axis=0)


def hard(features, settings):
    """Return a bottleneck of as many units as the budget."""
    return experiment.build(features, settings.bottleneck, settings, "relu")


def main():
    """Print a row for each combination."""
    print("| model | epochs | batch | rate | strength | active | dead | error |")
    print("|---|---|---|---|---|---|---|---|")

    def row(name, settings, strength, make):
        active, dead, error = mean_over_seeds(settings, make)
        cells = (name, settings.epochs, settings.batch_size, settings.learning_rate, strength)
        print("|", *(f"{cell} |" for cell in cells), f"{active:.1f} | {dead:.0f} | {error:.4f} |")

    row("PCA, 10", Settings(), "", None)
    for epochs, batch_size, rate in ((50, 64, 3e-3), (100, 64, 3e-3), (100, 32, 1e-3)):
        base = Settings(epochs=epochs, batch_size=batch_size, learning_rate=rate)
        row("bottleneck, 10", base, "", hard)
        for l1 in (1e-3, 2e-3, 3e-3, 4e-3):
            row("L1", replace(base, l1=l1), l1, experiment.sparse_l1)
    base = Settings()
    for kl, target in product((1e-3, 3e-3), (0.05, 0.1)):
        row("KL", replace(base, kl=kl, target=target), f"{kl}, ρ={target}", experiment.sparse_kl)


if __name__ == "__main__":
    main()
