"""The random programs agree, and would notice a rule that is wrong."""

import numpy as np
import pytest

from minigrad.engine import Primitive
from minigrad.engine.table import TABLE
from tests.fuzz.random_programs import run

pytest.importorskip("torch", reason="the real PyTorch is not installed")


def test_random_programs_agree_with_pytorch_to_the_third_order():
    assert run(cases=20, seed=0) == []


def test_a_wrong_second_derivative_is_found(monkeypatch):
    def cuts(g, z, x):
        return g * np.cos(x.detach() if hasattr(x, "detach") else x)

    monkeypatch.setitem(TABLE, np.sin, TABLE[np.sin])  # to be put back
    Primitive(np.sin, cuts)
    assert any("sin of" in text and "order 2 differs" in text for text in run(cases=60, seed=0))
