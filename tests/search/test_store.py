import functools
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import minigrad as mg
from minigrad.search import regularization_path
from tests.search.builds import GRID, X, autoencoder, same

pytest.importorskip("joblib")
search = functools.partial(regularization_path, epochs=2, batch_size=16, verbose=0, n_jobs=1)


@pytest.fixture
def runs(monkeypatch):
    """Return a function that tells how many models have been built since it was last asked."""
    monkeypatch.setenv("RUNS", "")

    def since():
        count = len(os.environ["RUNS"])
        os.environ["RUNS"] = ""
        return count

    return since


def build(l1, l2=0.0):
    os.environ["RUNS"] += "x"
    return autoencoder(l1, l2)


def test_finished_runs_are_not_repeated_and_their_numbers_are_the_same(tmp_path, runs):
    first = search(build, GRID, X, store=tmp_path / "new" / "store")
    assert runs() == 4
    again = search(build, GRID, X, store=tmp_path / "new" / "store")
    assert runs() == 0
    assert same(first, again)
    assert again["seconds"].tolist() == first["seconds"].tolist()


def test_a_longer_grid_runs_only_what_is_new(tmp_path, runs):
    search(build, {"l1": [0, 0.1]}, X, store=tmp_path)
    runs()
    table = search(build, {"l1": [0.05, 0.1, 0]}, X, store=tmp_path, seeds=(0, 1))
    assert runs() == 4
    assert same(table, search(build, {"l1": [0.05, 0.1, 0]}, X, seeds=(0, 1)))


@pytest.mark.parametrize(
    "changed",
    [
        {"epochs": 3},
        {"batch_size": 15},
        {"folds": 2},
        {"x": X[:-1]},
        {"x": X.astype(np.float64)},
        {"y": X[:, :9] * 2},
        {"validation_data": X[:5]},
        {"active_threshold": 0.1},
        {"active_layers": ["pixels"]},
        {"keep_weights": False},
        {"callbacks": list},
        {"build": lambda l1: build(l1)},
        {"seeds": (1,)},
        {"grid": {"l1": [0.2]}},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_what_has_changed_is_run_again(tmp_path, runs, changed):
    arguments = {"build": build, "grid": {"l1": [0.1]}, "x": X, "store": tmp_path}
    search(**arguments)
    runs()
    search(**{**arguments, **changed})
    assert runs() == changed.get("folds", 1)


def test_another_default_dtype_is_another_run(tmp_path, runs, float64):
    mg.set_default_dtype("float32")
    search(build, {"l1": [0]}, X, store=tmp_path)
    mg.set_default_dtype("float64")
    search(build, {"l1": [0]}, X, store=tmp_path)
    assert runs() == 2


def test_a_run_that_failed_is_tried_again(tmp_path, runs, monkeypatch):
    def fragile(l1):
        if "FAIL" in os.environ:
            raise OSError("no disk")
        return build(l1)

    monkeypatch.setenv("FAIL", "1")
    assert len(search(fragile, {"l1": [0, 0.1]}, X, store=tmp_path).failed) == 2
    monkeypatch.delenv("FAIL")
    assert not search(fragile, {"l1": [0, 0.1]}, X, store=tmp_path).failed
    assert runs() == 2


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 no archive", "half"])
def test_a_damaged_file_is_run_again_and_mended(tmp_path, runs, damage):
    first = search(build, {"l1": [0.1]}, X, store=tmp_path)
    [file] = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if damage == "half" else damage)
    runs()
    assert same(first, search(build, {"l1": [0.1]}, X, store=tmp_path))
    assert runs() == 1
    assert same(first, search(build, {"l1": [0.1]}, X, store=tmp_path))
    assert runs() == 0


def test_a_stored_run_can_be_read_without_minigrad_and_without_pickle(tmp_path):
    table = search(build_plain, {"l1": [0.1]}, X, store=tmp_path)
    [file] = tmp_path.iterdir()
    with np.load(file, allow_pickle=False) as arrays:
        assert sorted(arrays) == ["kernel", "row"]
        np.testing.assert_array_equal(arrays["kernel"], table.kernels[0])


def build_plain(l1):
    return autoencoder(l1)


def test_a_store_that_is_a_file_is_refused(tmp_path):
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(NotADirectoryError, match="store must be a folder"):
        search(build_plain, {"l1": [0.1]}, X, store=file)
    assert file.read_text() == "mine"


SCRIPT = """
import sys, time
from tests.search.builds import X, autoencoder
from minigrad.search import regularization_path
def build(l1):
    time.sleep(0.3)
    return autoencoder(l1)
if __name__ == "__main__":
    regularization_path(build, {"l1": [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]}, X, epochs=2,
                        n_jobs=2, store=sys.argv[1], verbose=2)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_search_that_is_stopped_goes_on_where_it_was(tmp_path, how):
    script, store = tmp_path / "script.py", tmp_path / "store"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(store)]
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    with (tmp_path / "output").open("w+") as output:
        # In a group of its own, so that its workers get the signal too, as from a terminal.
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env=environment, start_new_session=True
        )
        limit = time.monotonic() + 60
        while len(list(store.glob("*.npz"))) < 2 and time.monotonic() < limit:
            time.sleep(0.02)
        os.killpg(process.pid, how)
        assert process.wait(60) != 0
        output.seek(0)
        said = output.read()
    finished = len(list(store.glob("*.npz")))
    assert 2 <= finished < 8, said
    assert how == signal.SIGKILL or "KeyboardInterrupt" in said
    again = subprocess.run(
        command, timeout=120, check=True, text=True, capture_output=True, env=environment
    )
    assert len(again.stdout.splitlines()) == 8 - finished, again.stdout
    assert f"{finished + 1}/8" in again.stdout
    assert len(list(store.iterdir())) == 8
