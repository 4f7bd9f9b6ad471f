import re
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

import minigrad as mg

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
    with pytest.raises(AttributeError, match="no attribute 'tensr'"):
        mg.tensr  # noqa: B018


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
