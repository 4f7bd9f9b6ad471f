import copy
import operator
import pickle
import re
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

import minigrad as mg
from minigrad.engine import elsewhere

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("module", ["matplotlib", "tqdm"])
def test_importing_minigrad_imports_neither_matplotlib_nor_tqdm(module):
    script = f"import sys, minigrad; print({module!r} in sys.modules)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.stdout == "False\n", result.stderr


def test_every_public_name_is_there():
    for name in mg.__all__:
        assert getattr(mg, name) is not None
        assert name in dir(mg)
    with pytest.raises(AttributeError, match=r"no attribute 'tensr'\. Did you mean 'Tensor'"):
        mg.tensr  # noqa: B018


# ---- names that are not there --------------------------------------------------------------------


NAMESPACES = [
    "activations",
    "backend",
    "callbacks",
    "constraints",
    "datasets",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "optimizers.schedules",
    "plots",
    "regularizers",
    "saving",
    "testing",
    "utils",
]
TABLE = tomllib.loads((ROOT / "minigrad" / "elsewhere.toml").read_text(encoding="utf-8"))


def module_of(section):
    """Return a public part of the package, as a program reaches it."""
    return operator.attrgetter(section)(mg) if section else mg


@pytest.mark.parametrize("name", ["", *NAMESPACES])
def test_dir_shows_what_is_public_and_nothing_else(name):
    module = module_of(name)
    assert dir(module) == sorted(set(module.__all__))
    assert all(hasattr(module, public) for public in module.__all__)


@pytest.mark.parametrize("name", ["", *NAMESPACES])
def test_a_misspelt_name_of_any_public_part_is_told_with_the_nearest_one(name):
    module = module_of(name)
    known = next(name for name in module.__all__ if len(name) > 5)
    with pytest.raises(AttributeError, match=rf"no attribute '{known}x'. Did you mean '{known}'"):
        getattr(module, f"{known}x")
    assert not hasattr(module, "_repr_html_")
    assert not hasattr(module, "_ipython_display_")


EXPLAINED = [
    (section, name) for section, lines in TABLE.items() for names in lines for name in names.split()
]


@pytest.mark.parametrize(("section", "name"), EXPLAINED)
def test_a_name_of_another_library_is_explained_as_long_as_it_is_not_there(section, name):
    if section == "Tensor":
        owner = mg.Tensor([1.0])
        assert name in elsewhere.NAMES
    elif section == "Model":
        owner = mg.Sequential([mg.layers.Dense(1, input_dim=1)])
        owner = owner.layers[0] if hasattr(owner, name) else owner  # of layers alone
    elif section == "Optimizer":
        owner = mg.optimizers.SGD()
    else:
        owner = module_of(section.removeprefix("minigrad").removeprefix("."))
    with pytest.raises(AttributeError) as error:
        getattr(owner, name)
    assert re.search(rf"no attribute '{name}'\. \w", str(error.value))
    assert name not in dir(owner)


def test_each_name_is_explained_once():
    assert len(EXPLAINED) == len(set(EXPLAINED))
    tensors = [name for section, name in EXPLAINED if section == "Tensor"]
    assert sorted(tensors) == sorted(elsewhere.NAMES)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("from minigrad.layers import LSTM", "'LSTM' from 'minigrad.layers'. Recurrent layers"),
        ("from minigrad.layers import Dense, Lstm_", "cannot import name 'Lstm_'"),
        ("from minigrad.optimizers import Adamm", "Did you mean 'Adam'"),
        ("from minigrad import nn", "cannot import name 'nn' from 'minigrad'. Layers are in"),
        ("from minigrad import Dense", "It is minigrad.layers.Dense."),
    ],
)
def test_an_import_of_a_name_that_is_not_there_says_the_same(line, words):
    with pytest.raises(ImportError) as error:
        exec(line, {})
    assert words in str(error.value)


def test_numpys_functions_and_names_in_other_places_are_pointed_to():
    for owner, name, words in [
        (mg, "zeros", "np.zeros"),
        (mg.ops, "sum", "np.sum"),
        (mg, "Adam", "It is minigrad.optimizers.Adam."),
        (mg.layers, "deserialize", "deserialize_keras_object of minigrad.saving"),
        (mg.layers, "TimeDistributed", "Dense works at each step"),
        (mg, "random", "np.random.default_rng"),
        (mg.layers, "L2", "It is minigrad.regularizers.L2."),
        (mg.layers, "Conv2d", "It is Conv2D"),
    ]:
        with pytest.raises(AttributeError, match=re.escape(words)):
            getattr(owner, name)


def test_what_python_itself_asks_for_is_quickly_not_there():
    made = mg.Sequential([mg.layers.Dense(2, input_dim=2)])
    tensor = mg.Tensor([1.0])
    for thing in (made, made.layers[0], tensor):
        for name in ("__deepcopy_", "_repr_png_", "_ipython_canary_method_should_not_exist_"):
            assert not hasattr(thing, name)
        assert copy.deepcopy(thing) is not thing
        assert type(pickle.loads(pickle.dumps(thing))) is type(thing)
    assert "tomllib" not in run(
        "import sys, minigrad as mg; print(hasattr(mg, '_x'), *sys.modules)"
    )


def test_the_error_of_a_property_is_not_hidden():
    class Own(mg.Model):
        def call(self, x):
            return x

    with pytest.raises(AttributeError, match="computed by its own call"):
        Own().input  # noqa: B018


def test_the_package_says_that_it_is_typed():
    assert files("minigrad").joinpath("py.typed").is_file()


def run(script):
    """Run a script in a Python of its own, with warnings as errors; return what it printed."""
    command = [sys.executable, "-W", "error", "-c", script]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_training_and_tracing_load_neither_plots_nor_peers():
    loaded = run(
        "import sys, numpy as np, minigrad as mg\n"
        "m = mg.Sequential(mg.layers.Dense(2, kernel_regularizer='l2', input_dim=2))\n"
        "m.compile('adam', 'mse'); x = np.ones((4, 2))\n"
        "m.fit(x, x, verbose=0); m.evaluate(x, x); m.predict(x); m.summary()\n"
        "m.trace(x, x)._repr_html_()\n"
        "print(*{name.split('.')[0] for name in sys.modules}, 'minigrad.plots' in sys.modules)"
    ).splitlines()[-1]
    assert loaded.endswith(" False")
    assert not {"matplotlib", "tqdm", "torch", "keras", "scipy", "pandas"} & set(loaded.split())


def test_lazy_modules_are_loaded_at_their_first_use():
    shown = run(
        "import sys, minigrad as mg\n"
        "for name in ('datasets', 'plots', 'testing'):\n"
        "    before = f'minigrad.{name}' in sys.modules\n"
        "    module = getattr(mg, name)\n"
        "    print(name, before, module is sys.modules[f'minigrad.{name}'])\n"
    )
    assert shown.splitlines() == [f"{name} False True" for name in ("datasets", "plots", "testing")]


def test_the_public_names_are_listed_once_in_order_and_star_import_takes_them():
    assert list(mg.__all__) == sorted(set(mg.__all__))
    shown = run(
        "from minigrad import *\nimport minigrad\nprint(set(minigrad.__all__) - set(dir()))"
    )
    assert shown == "set()\n"


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_version_is_that_of_the_package():
    assert mg.__version__ == mg.version() == PROJECT["version"]


def test_the_distribution_has_a_name_of_its_own_and_no_extra_asks_for_a_strangers():
    assert PROJECT["name"] != "minigrad"
    for extra, needed in PROJECT["optional-dependencies"].items():
        for requirement in needed:
            name = re.split(r"[^\w.-]", requirement)[0]
            assert name != "minigrad", extra


def test_the_lower_bounds_are_those_that_the_suite_is_run_on():
    lines = (ROOT / "tests" / "oldest.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    needed = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["search"]]
    assert needed == [f"{name}>={pinned[name]}" for name in pinned if name != "pyparsing"]
    for name in ("tutorials", "test", "bench"):  # each brings along what a search needs
        extra = PROJECT["optional-dependencies"][name]
        assert set(PROJECT["optional-dependencies"]["search"]) <= set(extra)
