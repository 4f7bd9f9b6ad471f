"""Kill a training process at random moments while it checkpoints, and see what is left.

``python tests/training/kill_training.py --kills 50`` starts a training in a process of its own,
kills it (SIGKILL, which nothing can catch) after a random time, checks that every file that it left
loads, and starts it again, until it has been killed so often. Then it lets it end, and holds the
weights against those of a run that was never killed: they must agree bit for bit.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import minigrad as mg
from minigrad.callbacks import BackupAndRestore, CSVLogger, ModelCheckpoint
from minigrad.layers import BatchNormalization, Dense, Dropout


def train(folder, steps):
    """Train until the optimizer has made `steps`, going on from a backup if there is one."""
    mg.set_seed(0)
    x = np.random.default_rng(0).normal(size=(64, 8)).astype(np.float32)
    model = mg.Sequential(
        Dense(32, "relu", activity_regularizer="l1", input_shape=(8,)),
        BatchNormalization(),
        Dropout(0.2),
        Dense(8),
    )
    model.compile(mg.optimizers.Adam(0.003), "mse")
    epochs = steps // 4
    model.fit(
        x,
        x,
        batch_size=16,
        epochs=epochs,
        verbose=0,
        callbacks=[
            BackupAndRestore(folder, save_freq=3, delete_checkpoint=False),
            ModelCheckpoint(folder / "last.npz"),
            CSVLogger(folder / "log.csv"),
        ],
    )
    model.save(folder / "final.npz")


def start(folder, steps):
    command = [sys.executable, __file__, "--train", str(folder), "--steps", str(steps)]
    return subprocess.Popen(command)


def check_files(folder):
    """Every file that is there under its name must load; unfinished ones are hidden."""
    for path in folder.glob("[!.]*.npz"):
        mg.load(path)


def run(kills, steps, seed=0):
    """Kill so often, then let it end; return how many processes were killed while at work."""
    chance = random.Random(seed)
    killed = 0
    with tempfile.TemporaryDirectory() as whole, tempfile.TemporaryDirectory() as broken:
        expected, folder = Path(whole), Path(broken)
        assert start(expected, steps).wait() == 0
        while killed < kills:
            process = start(folder, steps)
            # Most of the start is the import; what follows is nearly all checkpointing.
            time.sleep(0.15 + chance.expovariate(1 / 0.35))
            if process.poll() is None:
                process.kill()
                killed += 1
            process.wait()
            check_files(folder)
            if process.returncode == 0:
                break
        finished_early = killed < kills
        assert start(folder, steps).wait() == 0
        check_files(folder)
        one, other = mg.load(expected / "final.npz"), mg.load(folder / "final.npz")
        for name, weight in one.named_weights().items():
            assert (weight.numpy() == other.named_weights()[name].numpy()).all(), name
        assert (expected / "log.csv").read_text() == (folder / "log.csv").read_text()
        left = [path.name for path in folder.iterdir() if path.name.startswith(".")]
        assert not left, left
    return killed, finished_early


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--steps", type=int, default=8_000, help="of the optimizer, in all")
    parser.add_argument("--train", type=Path, help="internal: train in this folder")
    arguments = parser.parse_args()
    if arguments.train:
        train(arguments.train, arguments.steps)
    else:
        count, early = run(arguments.kills, arguments.steps)
        ending = ", and ended by itself then" if early else ""
        print(f"killed {count} times{ending}; every file loads, and the last bits agree")
