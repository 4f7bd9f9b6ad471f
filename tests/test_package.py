import subprocess
import sys
from importlib.metadata import version
from importlib.resources import files

import pytest

import minigrad as mg


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


def test_the_version_is_that_of_the_installed_package():
    assert mg.__version__ == version("minigrad")
