import functools
import random
import re
import subprocess
import sys
import threading

import numpy as np
import pytest

import minigrad as mg
from minigrad.search import path as path_module
from minigrad.search import regularization_path
from tests.search import builds
from tests.search.builds import GRID, X, autoencoder, same

joblib = pytest.importorskip("joblib")
search = functools.partial(regularization_path, epochs=3, batch_size=16, verbose=0)
here = functools.partial(search, n_jobs=1)


# ---- the numbers -------------------------------------------------------------------------------


def test_a_row_holds_what_training_by_hand_gives():
    table = here(
        autoencoder, {"l1": [0.01], "l2": [0.001]}, X[:40], validation_data=X[40:], seeds=7
    )
    mg.set_seed(7)
    model = autoencoder(0.01, 0.001)
    model.fit(X[:40], X[:40], epochs=3, batch_size=16, verbose=0)
    expected = model.evaluate(X[:40], X[:40], batch_size=16, return_dict=True)
    held_out = model.evaluate(X[40:], X[40:], batch_size=16, return_dict=True)
    expected |= {f"val_{name}": value for name, value in held_out.items()}
    codings = model.layers[0](X[40:]).numpy()
    kernel = model.layers[0].kernel.numpy()
    [row] = table
    assert {name: row[name] for name in expected} == pytest.approx(expected, rel=1e-6)
    assert {"codings/kernel", "val_codings/activity"} <= set(expected)
    assert row["codings/active"] == (codings > 0).sum() / 20
    assert row["codings/dead"] == (~(codings > 0).any(axis=0)).sum()
    assert row["codings/kernel_norm"] == pytest.approx(np.linalg.norm(kernel))
    np.testing.assert_allclose(table.kernels[0], kernel, rtol=1e-5)
    assert (row["l1"], row["l2"], row["seed"], row["epochs"], row["error"]) == (
        0.01, 0.001, 7, 3, None,
    )  # fmt: skip


def test_rows_come_in_the_order_of_the_grid_then_seeds_then_folds():
    table = here(autoencoder, GRID, X, seeds=(3, 1), folds=2)
    places = [(row["l1"], row["l2"], row["seed"], row["fold"]) for row in table]
    expected = [
        (l1, l2, seed, fold)
        for l1 in (0, 0.01) for l2 in (0.0, 0.001) for seed in (3, 1) for fold in (0, 1)
    ]  # fmt: skip
    assert places == expected


def test_each_fold_is_validated_on_what_it_leaves_out():
    seen = []

    def build(l1):
        model = autoencoder(l1)
        fit, evaluate = model.fit, model.evaluate

        def noting_fit(x, y, **keywords):
            seen.append([set(x[:, 0].tolist())])
            return fit(x, y, **keywords)

        def noting_evaluate(x, y, **keywords):
            seen[-1].append(set(x[:, 0].tolist()))
            return evaluate(x, y, **keywords)

        model.fit, model.evaluate = noting_fit, noting_evaluate
        return model

    table = here(build, {"l1": [0]}, X, folds=3)
    everything = set(X[:, 0].tolist())
    assert not table.failed
    for trained, again, left_out in seen:
        assert trained == again
        assert trained | left_out == everything
        assert not trained & left_out
    assert set.union(*(left_out for *_, left_out in seen)) == everything


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # joblib's multiprocessing
@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_numbers_do_not_depend_on_workers_or_backend(backend):
    one = here(autoencoder, GRID, X, seeds=(0, 1), validation_data=X[:9])
    with joblib.parallel_config(backend=backend):
        assert same(
            one, search(autoencoder, GRID, X, seeds=(0, 1), validation_data=X[:9], n_jobs=2)
        )
    assert len(one) == 8
    assert not one.failed
    assert len(set(one["data"])) == 8


def test_arrays_that_joblib_shares_as_files_give_the_same_numbers():
    large = np.random.default_rng(0).uniform(0, 1, (4000, 80)).astype(np.float32)  # above 1 MB

    def build(l1):
        model = mg.Sequential(
            mg.layers.Dense(4, activity_regularizer=mg.regularizers.L1(l1), name="codings"),
            mg.layers.Dense(80),
        )
        model.compile("sgd", "mse")
        return model

    grid = {"l1": [0, 0.1]}
    one = regularization_path(build, grid, large, epochs=1, n_jobs=1, verbose=0)
    assert same(one, regularization_path(build, grid, large, epochs=1, n_jobs=2, verbose=0))
    assert not one.failed


def test_the_default_dtype_goes_with_the_run(float64):
    one = here(autoencoder, {"l1": [0, 0.1]}, X)
    assert one.kernels[0].dtype == np.float64
    assert same(one, search(autoencoder, {"l1": [0, 0.1]}, X, n_jobs=2))


def test_numpys_and_pythons_seeds_are_set_too():
    def build(l1):
        model = autoencoder(l1)
        model.build((None, 9))
        model.layers[0].kernel.assign(np.random.normal(size=(9, 6)) * random.random())
        return model

    assert same(here(build, {"l1": [0, 0.1]}, X), search(build, {"l1": [0, 0.1]}, X, n_jobs=2))


def test_the_callers_random_state_and_dtype_stay_as_they_are():
    mg.set_seed(3)
    np.random.seed(3)
    random.seed(3)
    expected = mg.layers.Dense(2, input_dim=2).kernel.numpy(), np.random.rand(), random.random()
    mg.set_seed(3)
    np.random.seed(3)
    random.seed(3)
    here(autoencoder, {"l1": [0]}, X)
    np.testing.assert_array_equal(mg.layers.Dense(2, input_dim=2).kernel.numpy(), expected[0])
    assert (np.random.rand(), random.random()) == expected[1:]


def test_each_run_computes_on_one_thread():
    from threadpoolctl import threadpool_info

    counts = []

    def build(l1):
        counts.extend(pool["num_threads"] for pool in threadpool_info())
        return autoencoder(l1)

    here(build, {"l1": [0]}, X)
    assert set(counts) == {1}


def test_each_run_gets_callbacks_of_its_own_and_may_stop_early():
    def callbacks():
        return [mg.callbacks.EarlyStopping("val_loss", patience=0, min_delta=10.0)]

    options = {"validation_data": X[:9], "callbacks": callbacks}
    table = here(autoencoder, {"l1": [0, 0.1]}, X, **options)
    assert table["epochs"].tolist() == [2, 2]
    assert same(table, search(autoencoder, {"l1": [0, 0.1]}, X, n_jobs=2, **options))


def test_targets_and_metrics_are_used():
    def build(l2):
        model = mg.Sequential(mg.layers.Dense(1, kernel_regularizer=mg.regularizers.L2(l2)))
        model.compile(mg.optimizers.Adam(0.1), loss="mse", metrics=["mae"])
        return model

    y = X[:, :1] * 2
    table = regularization_path(
        build, {"l2": [0, 10]}, X, y, validation_data=(X, y), epochs=30, n_jobs=1, verbose=0
    )
    weak, strong = table
    assert not table.failed
    assert weak["data"] < 0.1 * strong["data"]
    mae = next(name for name in table.columns if "mae" in name or "mean_absolute" in name)
    assert weak[mae] < strong[mae]
    assert weak["val_data"] == weak["data"]


def test_active_units_above_half_for_a_sigmoid_and_above_what_is_asked_for():
    def build(l1):
        model = mg.Sequential(
            mg.layers.Dense(5, "sigmoid", name="codings"), mg.layers.Dense(4), mg.layers.Dense(9)
        )
        model.compile(mg.optimizers.Adam(l1), loss="mse")
        return model

    [row] = here(build, {"l1": [0.001]}, X)
    assert 0 < row["codings/active"] < 5
    assert "dense/active" not in row
    [row] = here(build, {"l1": [0.001]}, X, active_threshold=0)
    assert (row["codings/active"], row["codings/dead"]) == (5, 0)
    [row] = here(build, {"l1": [0.001]}, X, active_threshold=9, active_layers=["dense"])
    assert (row["dense/active"], row["dense/dead"]) == (0, 4)
    assert "codings/active" not in row


# ---- functions from anywhere -------------------------------------------------------------------


def test_lambdas_and_closures_go_to_workers():
    units = 4

    def build(l1):
        model = mg.Sequential(mg.layers.Dense(units, name="codings"), mg.layers.Dense(9))
        model.compile(mg.optimizers.Adam(l1), "mse")
        return model

    table = search(lambda l1: build(l1 + 0.1), {"l1": [0, 0.1]}, X, n_jobs=2)
    assert not table.failed
    assert table.kernels[0].shape == (9, 4)


def test_functions_of_a_script_or_notebook_go_to_workers():
    script = """
import numpy as np, minigrad as mg
from minigrad.search import regularization_path
UNITS = 3
def build(l1):
    model = mg.Sequential(mg.layers.Dense(UNITS, activity_regularizer=penalty(l1), name="codings"))
    model.compile("adam", None)
    return model
def penalty(l1):
    return lambda outputs: l1 * abs(outputs).sum()
table = regularization_path(build, {"l1": [0, 1.0]}, np.ones((8, 2)), n_jobs=2, verbose=0)
print([row["error"] for row in table], table.kernels[0].shape)
"""
    command = [sys.executable, "-c", script]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.stdout == "[None, None] (2, 3)\n", result.stderr


def test_what_cannot_be_sent_to_a_worker_is_refused_before_and_works_here():
    lock = threading.Lock()

    def build(l1):
        with lock:
            return autoencoder(l1)

    with pytest.raises(TypeError, match=r"build cannot be sent to a worker: .*lock.*n_jobs=1"):
        search(build, {"l1": [0]}, X, n_jobs=2)
    assert not here(build, {"l1": [0]}, X).failed


# ---- failures ----------------------------------------------------------------------------------


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize(
    ("build", "kind"),
    [(builds.failing_at_zero, "RuntimeError"), (builds.leaving_at_zero, "SystemExit")],
)
def test_a_failing_run_is_a_row_and_others_go_on(build, kind, n_jobs):
    table = search(build, {"l1": [0.1, 0, 0.2]}, X, n_jobs=n_jobs)
    assert [row["error"] for row in table] == [None, f"{kind}: no model without a penalty", None]
    assert [row["l1"] for row in table] == [0.1, 0, 0.2]
    assert np.isnan(table["data"]).tolist() == [False, True, False]


def test_a_run_whose_loss_explodes_is_a_row():
    def build(l1):
        model = autoencoder(0.0)
        model.compile(mg.optimizers.SGD(l1), "mse")
        return model

    with np.errstate(all="ignore"):
        first, second = here(build, {"l1": [0.1, 1e30]}, X)
    assert first["error"] is None
    assert second["error"].startswith(("NonFiniteLossError", "FloatingPointError"))


def test_a_build_that_returns_no_new_compiled_model_is_the_runs_error():
    trained = autoencoder(0.0)
    trained.fit(X, X, verbose=0)
    uncompiled = mg.Sequential(mg.layers.Dense(9))
    for build, message in (
        (lambda l1: None, "TypeError: build must return a model that is compiled.*None"),
        (lambda l1: uncompiled, "TypeError: build must return a model .* not compiled"),
        (lambda l1: trained, "ValueError: build must make a new model for each run"),
    ):
        [row] = here(build, {"l1": [0]}, X)
        assert re.match(message, row["error"]), row["error"]


def test_a_run_that_kills_its_worker_is_a_row_and_others_go_on():
    grid = {"l1": [0.1, 0, 0.2, 0.3]}
    table = search(builds.killing_its_worker_at_zero, grid, X, n_jobs=2)
    assert table["l1"].tolist() == [0.1, 0, 0.2, 0.3]
    assert [row["error"] is None for row in table] == [True, False, True, True]
    assert "TerminatedWorkerError" in table[1]["error"]


def test_a_run_whose_worker_died_once_is_run_again(tmp_path):
    build = functools.partial(builds.killing_its_worker_once, folder=str(tmp_path))
    table = search(build, {"l1": [0.1, 0, 0.2]}, X, n_jobs=2)
    assert not table.failed
    assert same(table, here(build, {"l1": [0.1, 0, 0.2]}, X))


def test_a_strength_named_as_a_measured_number_is_the_runs_error():
    def build(mae):
        model = mg.Sequential(mg.layers.Dense(9, kernel_regularizer=mg.regularizers.L2(mae)))
        model.compile("sgd", "mse", metrics=["mae"])
        return model

    [row] = here(build, {"mae": [0.5]}, X)
    assert row["mae"] == 0.5
    assert row["error"].startswith("ValueError: the strength 'mae' has the name of something")


# ---- Ctrl-C ------------------------------------------------------------------------------------


def interrupted_at_second(l1):
    if l1 == 2:
        raise KeyboardInterrupt
    return autoencoder(l1)


def test_after_ctrl_c_a_script_finds_the_finished_rows_in_the_exception():
    with pytest.raises(KeyboardInterrupt, match="1 of 3 runs") as caught:
        here(interrupted_at_second, {"l1": [1, 2, 3]}, X)
    assert caught.value.table["l1"].tolist() == [1]
    assert caught.value.table.unfinished == 2


def test_after_ctrl_c_jupyter_gets_the_finished_rows(monkeypatch):
    monkeypatch.setattr(path_module, "is_interactive", lambda: True)
    table = here(interrupted_at_second, {"l1": [1, 2, 3]}, X)
    assert len(table) == 1
    assert "2 more were not finished" in repr(table)


# ---- arguments ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "kind", "message"),
    [
        ({"grid": [0.1]}, TypeError, r"grid must map names .* Received: \[0.1\]"),
        ({"grid": {}}, ValueError, "at least one strength"),
        ({"grid": {"l1": 0.1}}, ValueError, "l1 must be a list"),
        ({"grid": {"l1": []}}, ValueError, "at least one value"),
        ({"grid": {"l1": [0.1, 0.1]}}, ValueError, "each only once"),
        ({"grid": {"l1": [-1.0]}}, ValueError, "number ≥ 0. Received: l1=-1.0"),
        ({"grid": {"l1": ["0.1"]}}, ValueError, "Received: l1='0.1'"),
        ({"grid": {"l1": [True]}}, ValueError, "Received: l1=True"),
        ({"grid": {"l1": [float("nan")]}}, ValueError, "Received: l1=nan"),
        ({"grid": {"l3": [0.1]}}, TypeError, r"build is called with l3=….*takes \(l1, l2=0.0\)"),
        ({"grid": {"seed": [1]}}, ValueError, "other than seed"),
        ({"build": 3}, TypeError, "build must be a function"),
        ({"seeds": (0, 0)}, ValueError, "seeds must hold .* only once"),
        ({"seeds": (-1,)}, ValueError, "seeds must be whole numbers ≥ 0"),
        ({"seeds": (0.5,)}, ValueError, "seeds must be whole numbers ≥ 0"),
        ({"folds": 1}, ValueError, "folds must be from 2 to 60"),
        ({"folds": 61}, ValueError, "folds must be from 2 to 60"),
        ({"folds": 2.0}, ValueError, "folds must be a positive integer"),
        ({"folds": 2, "validation_data": X}, ValueError, "exclude each other"),
        ({"validation_data": (X,)}, ValueError, "Received: 1 parts"),
        ({"validation_data": (X, X[:, :2])}, ValueError, "either both"),
        ({"validation_data": (X, X[:3])}, ValueError, "same number of samples"),
        ({"y": X[:3]}, ValueError, "x and y must have the same number"),
        ({"x": X * np.nan}, ValueError, "nan or infinite"),
        ({"epochs": 0}, ValueError, "epochs must be a positive integer"),
        ({"batch_size": 2.5}, ValueError, "batch_size must be a positive integer"),
        ({"active_threshold": -1}, ValueError, "active_threshold must be"),
        ({"active_layers": "codings"}, TypeError, "active_layers must be a list"),
        ({"n_jobs": 0}, ValueError, "n_jobs must be a number of processes"),
        ({"n_jobs": "all"}, ValueError, "n_jobs must be a number of processes"),
        ({"verbose": 3}, ValueError, "verbose must be 0, 1 or 2"),
    ],
)  # fmt: skip
def test_arguments_that_do_not_fit_are_refused_before_anything_runs(changed, kind, message):
    arguments = {"build": autoencoder, "grid": GRID, "x": X, "n_jobs": 1, **changed}
    with pytest.raises(kind, match=message):
        regularization_path(**arguments)


@pytest.mark.parametrize("module", ["joblib", "cloudpickle"])
def test_what_is_missing_is_named_with_how_to_install_it(monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=rf"needs {module}.*pip install joblib cloudpickle"):
        here(autoencoder, GRID, X)


def test_importing_search_loads_neither_joblib_nor_matplotlib():
    script = "import sys, minigrad.search; print({'joblib', 'matplotlib'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.stdout == "set()\n", result.stderr


def test_progress_is_a_line_a_run_or_a_bar(capsys):
    regularization_path(autoencoder, {"l1": [0.5]}, X, epochs=1, n_jobs=1, verbose=2)
    assert capsys.readouterr().out.startswith("1/1  l1=0.5 seed=0: loss 0.")
    regularization_path(builds.failing_at_zero, {"l1": [0]}, X, epochs=1, n_jobs=1, verbose=1)
    assert "1/1" in capsys.readouterr().out
