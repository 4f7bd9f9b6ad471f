import subprocess
import sys
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
