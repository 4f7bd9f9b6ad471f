import functools
import importlib
import subprocess
import sys

import numpy as np
import pytest

from minigrad.regularizers import L1
from minigrad.search.fingerprint import fingerprint

FACTOR = 2


def helper(x):
    return x * FACTOR


def uses_helper(x):
    return helper(x)


def calls_itself(x):
    return calls_itself(x - 1) if x else 0


class Build:
    def __init__(self, units):
        self.units = units

    def __call__(self, l1):
        return self.units * l1


DIFFERENT = [
    lambda: None, lambda: 0, lambda: False, lambda: 0.0, lambda: "0", lambda: b"0",
    lambda: np.float32(0), lambda: np.zeros(2), lambda: np.zeros(2, np.float32),
    lambda: np.zeros((2, 1)), lambda: [0, [1]], lambda: [[0], 1], lambda: (0, 1), lambda: {0: 1},
    lambda: {"a", "b"}, lambda: {"a", "c"}, lambda: L1(0.1), lambda: L1(0.2), lambda: Build(1),
    lambda: Build(2), lambda: Build(1).__call__, lambda: Build, lambda: L1, lambda: len,
    lambda: np.exp, lambda: np.log, lambda: (lambda x: x), lambda: (lambda x: x + 1),
    lambda: (lambda x: x + 2), lambda: (lambda x=1: x), lambda: (lambda *, x=1: x),
    lambda: helper, lambda: uses_helper, lambda: calls_itself,
    lambda: functools.partial(helper, 1), lambda: functools.partial(helper, 2),
]  # fmt: skip


def test_it_is_the_same_for_the_same_and_different_for_different_things():
    prints = [fingerprint(make()) for make in DIFFERENT]
    assert prints == [fingerprint(make()) for make in DIFFERENT]
    assert len(set(prints)) == len(prints)


def test_a_function_changes_with_the_variables_and_functions_it_uses(monkeypatch):
    before = fingerprint(uses_helper)
    monkeypatch.setitem(globals(), "FACTOR", 3)
    changed = fingerprint(uses_helper)
    assert changed != before
    monkeypatch.setitem(globals(), "helper", lambda x: x)
    assert fingerprint(uses_helper) not in (before, changed)


def test_what_a_function_takes_from_other_modules_of_its_author_counts(tmp_path, monkeypatch):
    folder = tmp_path / "study"
    folder.mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    names = "study", "study.models"

    def of_a_build(source):
        (folder / "models.py").write_text(source)
        importlib.invalidate_caches()
        for name in names:
            sys.modules.pop(name, None)
        found = {}
        exec("import study.models\ndef build(l1): return study.models.make(l1)", found)
        return fingerprint(found["build"])

    first = of_a_build("SIZE = 10\ndef make(l1): return SIZE * l1")
    assert of_a_build("UNUSED = 1\nSIZE = 10\ndef make(l1): return SIZE * l1") == first
    assert of_a_build("SIZE = 100\ndef make(l1): return SIZE * l1") != first
    assert of_a_build("SIZE = 10\ndef make(l1): return SIZE + l1") != first
    for name in names:
        sys.modules.pop(name, None)


def test_comments_and_place_do_not_count():
    one, two = {}, {}
    exec("def f(x):\n    return x + 1", one)
    exec("# why\n\n\ndef f(x):\n\n    # because\n    return x + 1", two)
    assert fingerprint(one["f"]) == fingerprint(two["f"])


@pytest.mark.parametrize("seed", ["1", "2"])
def test_it_is_the_same_in_another_process(seed):
    script = (
        "from tests.search.test_fingerprint import *\n"
        "print(fingerprint(*[make() for make in DIFFERENT]))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
    )
    assert result.stdout.strip() == fingerprint(*[make() for make in DIFFERENT])
