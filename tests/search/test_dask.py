"""On a Dask cluster on this machine: nothing but loopback is used."""

import functools
import os
import signal
import time

import numpy as np
import pytest

from minigrad.search import regularization_path
from tests.search.builds import X, autoencoder, same

joblib = pytest.importorskip("joblib")
distributed = pytest.importorskip("distributed", reason="needs dask[distributed]")
search = functools.partial(regularization_path, epochs=2, batch_size=16, verbose=0)

L1 = [0, 0.01, 0.02, 0.03, 0.04, 0.05]


@pytest.fixture
def cluster():
    """Two processes of one thread each, closed at the end."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None,
            silence_logs=50,
        ) as cluster,
        distributed.Client(cluster),
    ):  # fmt: skip
        yield cluster


def slow(l1):
    time.sleep(0.2)
    return autoencoder(l1)


def killing(pids, folder):
    """Return a build that, in its third run, kills some of the cluster's processes, once."""

    def build(l1):
        mark = os.path.join(folder, "killed")
        if l1 == L1[2] and not os.path.exists(mark):
            open(mark, "w").close()
            for pid in sorted(pids, key=lambda pid: pid == os.getpid()):  # its own process last
                os.kill(pid, signal.SIGKILL)
        return slow(l1)

    return build


def test_the_same_table_on_dask_without_another_line_changed(cluster):
    expected = search(slow, {"l1": L1}, X, seeds=(0,), folds=2, n_jobs=1)
    with joblib.parallel_config(backend="dask"):
        assert same(expected, search(slow, {"l1": L1}, X, seeds=(0,), folds=2))
    assert not expected.failed


@pytest.mark.parametrize("deaths", [1, 2])
def test_all_rows_are_there_though_workers_are_killed_in_the_middle(cluster, tmp_path, deaths):
    """With both dead, the samples that Dask had spread over them are lost, too."""
    pids = [worker.pid for worker in cluster.workers.values()][:deaths]
    expected = search(slow, {"l1": L1}, X, n_jobs=1)
    with joblib.parallel_config(backend="dask"):
        table = search(killing(pids, str(tmp_path)), {"l1": L1}, X, store=tmp_path / "store")
    assert (tmp_path / "killed").exists()
    assert not table.failed
    assert same(expected, table)
    assert len(list((tmp_path / "store").iterdir())) == len(L1)
    now = {worker.pid for worker in cluster.workers.values()}
    assert not now & set(pids)


def test_threads_of_a_worker_take_turns():
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=3, host="127.0.0.1", dashboard_address=None,
            silence_logs=50,
        ) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):  # fmt: skip
        table = search(autoencoder, {"l1": L1}, X)
    assert same(search(autoencoder, {"l1": L1}, X, n_jobs=1), table)
    assert np.isfinite(table["data"]).all()
