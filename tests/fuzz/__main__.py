"""Run random cases: ``python -m tests.fuzz --cases 1000 --seed 0 [kind …]``.

Each module of this folder that has a `KIND` and a function ``run(cases, seed)``, which returns a
description of each failure, is a kind.
"""

import argparse
import importlib
import pkgutil
import sys
import time
import warnings

import minigrad as mg
from tests import fuzz


def kinds():
    """All kinds by name."""
    names = [module.name for module in pkgutil.iter_modules(fuzz.__path__, "tests.fuzz.")]
    modules = [importlib.import_module(name) for name in names if not name.endswith("__main__")]
    return {module.KIND: module.run for module in modules if hasattr(module, "KIND")}


def main(arguments=None):
    known = kinds()
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Random trials.")
    parser.add_argument("kinds", nargs="*", metavar="kind", help=f"of {', '.join(known)}; all")
    parser.add_argument("--cases", type=int, default=1000, help="of each kind (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the first case (%(default)s)")
    chosen = parser.parse_args(arguments)
    unknown = set(chosen.kinds) - set(known)
    if unknown:
        parser.error(f"unknown kind {min(unknown)!r}; known are {', '.join(known)}")
    warnings.simplefilter("ignore", mg.FirstBatchWarning)  # random targets are seldom in reach
    number = 0
    for kind in chosen.kinds or known:
        start = time.monotonic()
        failures = known[kind](chosen.cases, chosen.seed)
        number += len(failures)
        for failure in failures[:20]:
            print(f"{kind}: {failure}", flush=True)
        print(
            f"{kind}: {chosen.cases} cases from seed {chosen.seed}, {len(failures)} failures, "
            f"{time.monotonic() - start:.0f} s",
            flush=True,
        )
    return 1 if number else 0


if __name__ == "__main__":
    sys.exit(main())
