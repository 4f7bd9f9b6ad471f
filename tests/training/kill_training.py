"""Kill a training process at random moments while it checkpoints, and see what is left.

``make kill``, or ``python tests/training/kill_training.py --kills 50``, trains once without
disturbance. Then it starts the same training again, kills it (SIGKILL, which nothing can catch)
at a moment that no one chose, and loads every file that it left; and so on, until it has been
killed so often. Then it lets it end. Weights, running averages, random generators, history, log
and best weights must be those of the run that was never killed, bit for bit.

The training has what can go astray: dropout and noise with generators of their own, shuffling,
moving averages, a schedule by steps, metrics, and callbacks that remember.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import minigrad as mg
from minigrad.callbacks import BackupAndRestore, CSVLogger, EarlyStopping, ModelCheckpoint
from minigrad.layers import BatchNormalization, Dense, Dropout, GaussianNoise

STEPS_PER_EPOCH = 4


def train(folder, steps):
    """Train until the optimizer has made `steps`, going on from a backup if there is one."""
    mg.set_seed(0)
    x = np.random.default_rng(0).normal(size=(80, 8)).astype(np.float32)
    model = mg.Sequential(
        GaussianNoise(0.1, input_shape=(8,)),
        Dense(32, "relu", kernel_regularizer="l2", activity_regularizer="l1", name="codings"),
        BatchNormalization(),
        Dropout(0.2),
        Dense(8),
    )
    rate = mg.optimizers.schedules.CosineDecay(
        1e-4, steps, warmup_target=3e-3, warmup_steps=steps // 4
    )
    metrics = ["mae", mg.metrics.ActiveUnits("codings"), mg.metrics.DeadUnits("codings")]
    model.compile(mg.optimizers.Adam(rate), "mse", metrics=metrics)
    (folder / "begun").touch()  # what is killed before has nothing to lose
    history = model.fit(
        x,
        x,
        batch_size=16,
        epochs=steps // STEPS_PER_EPOCH,
        validation_split=0.2,
        verbose=0,
        callbacks=[
            BackupAndRestore(folder, save_freq=3, delete_checkpoint=False),
            ModelCheckpoint(folder / "last.npz", save_freq=5),
            ModelCheckpoint(folder / "best.npz", save_best_only=True),
            EarlyStopping("val_loss", patience=steps, restore_best_weights=True),
            CSVLogger(folder / "log.csv"),
        ],
    )
    model.save(folder / "final.npz")
    (folder / "history.json").write_text(json.dumps(history.record()))


def start(folder, steps):
    """Begin or go on in a process of its own."""
    (folder / "begun").unlink(missing_ok=True)
    command = [sys.executable, __file__, "--train", str(folder), "--steps", str(steps)]
    return subprocess.Popen(command)


def wait_until_begun(process, folder):
    while process.poll() is None and not (folder / "begun").exists():
        time.sleep(0.005)


def check_files(folder):
    """Every file that is there under its name must load; unfinished ones are hidden."""
    count = 0
    for path in folder.glob("[!.]*.npz"):
        mg.load(path)
        count += 1
    return count


def assert_same_bits(folder, expected):
    """All that two runs left must be equal."""
    for name in ("final.npz", "best.npz", "last.npz"):
        with np.load(folder / name) as found, np.load(expected / name) as wanted:
            assert found.files == wanted.files, name
            for array in wanted.files:
                assert found[array].dtype == wanted[array].dtype, (name, array)
                assert found[array].tobytes() == wanted[array].tobytes(), (name, array)
    for name in ("log.csv", "history.json"):
        assert (folder / name).read_text() == (expected / name).read_text(), name
    left = [path.name for path in folder.iterdir() if path.name.startswith(".")]
    assert not left, left


def run(kills, steps, seed=None, show=lambda *text, **options: None):
    """Kill so often, starting anew where a run ends by itself; return what happened, in numbers."""
    chance = random.Random(seed)
    killed = ended = loaded = 0
    with tempfile.TemporaryDirectory() as place:
        expected = Path(place) / "expected"
        expected.mkdir()
        begin = time.monotonic()
        assert start(expected, steps).wait() == 0
        pause = (time.monotonic() - begin) / 10
        show(f"a run that nobody disturbs took {10 * pause:.1f} s")
        while killed < kills:
            folder = Path(place) / f"run{ended}"
            folder.mkdir(exist_ok=True)
            process = start(folder, steps)
            wait_until_begun(process, folder)
            time.sleep(chance.uniform(0, pause))
            if process.poll() is None:
                process.kill()
                killed += 1
            code = process.wait()
            assert code in (0, -9), f"it ended by itself, with exit code {code}"
            loaded += check_files(folder)
            if code == 0:
                assert_same_bits(folder, expected)
                ended += 1
            show(f"killed {killed} times, {loaded} files loaded, {ended} runs ended", end="\r")
        assert start(folder, steps).wait() == 0
        loaded += check_files(folder)
        assert_same_bits(folder, expected)
    return {"killed": killed, "loaded": loaded, "ended": ended + 1}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--steps", type=int, default=600, help="of the optimizer, in all")
    parser.add_argument("--seed", type=int, help="of the moments, which differ each time without")
    parser.add_argument("--train", type=Path, help="internal: train in this folder")
    arguments = parser.parse_args()
    if arguments.train:
        train(arguments.train, arguments.steps)
    else:
        found = run(arguments.kills, arguments.steps, arguments.seed, print)
        print(
            f"killed {found['killed']} times; {found['loaded']} files loaded, and each of "
            f"{found['ended']} runs ended with the bits of the run that nobody disturbed"
        )
