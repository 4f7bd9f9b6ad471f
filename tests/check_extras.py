"""Install the package, as a wheel, with each extra alone; is everything there that it needs?

Not a test of pytest's, as each extra gets an environment of its own: `make test-extras` runs it.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]

MODEL = """
import numpy as np, minigrad as mg
x = np.random.default_rng(0).uniform(0, 1, (32, 4)).astype("float32")
def build(l1=1e-3):
    model = mg.Sequential([mg.layers.Dense(3, activity_regularizer=mg.regularizers.L1(l1),
                                           input_dim=4, name="codings"), mg.layers.Dense(4)])
    model.compile("adam", "mse")
    return model
"""
USE = """
model = build()
history = model.fit(x, x, epochs=2, verbose=1)
model.save("m.npz"); mg.load("m.npz").predict(x)
model.trace(x, x).save("trace.html"); history.plot().savefig("history.png")
"""
MISSING = """
from minigrad.search import regularization_path
try:
    regularization_path(build, {"l1": [1e-3]}, x)
except ImportError as error:
    assert "pip install joblib cloudpickle" in str(error), error
else:
    raise SystemExit("joblib is there, although nobody asked for it")
"""
SEARCH = """
from minigrad.search import regularization_path
assert not regularization_path(build, {"l1": [1e-3, 1e-2]}, x, epochs=1, n_jobs=1).failed
"""
COLLECT = ["-m", "pytest", "--collect-only", "-q", str(ROOT / "tests")]
NOTEBOOKS = [
    *("-m", "jupyter", "nbconvert", "--to", "notebook", "--execute", "--output-dir", "executed"),
    *map(str, sorted((ROOT / "tutorials").glob("*.ipynb"))),
]
# What to run in an environment that has one extra and nothing else.
CHECKS = {
    "": [["-c", MODEL + USE], ["-c", MODEL + MISSING], ["-m", "minigrad", "--version"]],
    "search": [["-c", MODEL + SEARCH]],
    "tutorials": [NOTEBOOKS],
    "test": [COLLECT],
    "peers": [["-c", "import torch, keras"]],
    "bench": [["-c", "import torch, jax, keras, mygrad, autograd, psutil, joblib"]],
    "dev": [COLLECT],
}
LARGE = ("peers", "bench", "dev")  # hundreds of megabytes; `make check` uses the last one


def run(*command, cwd):
    subprocess.run(command, cwd=cwd, check=True)


def check(extra, wheel, folder):
    print(f"=== minigrad{f'[{extra}]' if extra else ', no extra'}", flush=True)
    run(sys.executable, "-m", "venv", folder, cwd=folder.parent)
    python = str(folder / "bin" / "python")
    wanted = f"minigrad-trace[{extra}] @ {wheel.as_uri()}" if extra else str(wheel)
    quiet = ("--quiet", "--disable-pip-version-check")
    run(python, "-m", "pip", "install", *quiet, wanted, cwd=folder)
    run(python, "-m", "pip", "check", "--disable-pip-version-check", cwd=folder)
    for arguments in CHECKS[extra]:
        run(python, *arguments, cwd=folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("extras", nargs="*", help="by default all but the large ones")
    extras = parser.parse_args().extras or [name for name in CHECKS if name not in LARGE]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build = ("pip", "wheel", "--quiet", "--no-deps", "--disable-pip-version-check")
        run(sys.executable, "-m", *build, "-w", str(folder), str(ROOT), cwd=folder)
        (wheel,) = folder.glob("minigrad_trace-*.whl")
        for extra in extras:
            check(extra, wheel, folder / f"with-{extra or 'nothing'}")
    print(f"\nEach alone: {', '.join(extra or 'no extra' for extra in extras)}")


if __name__ == "__main__":
    main()
