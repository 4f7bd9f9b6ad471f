"""What all tests share."""

import numpy as np
import pytest
from hypothesis import settings

import minigrad as mg

settings.register_profile("suite", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("suite")


@pytest.fixture
def float64():
    """Make float64 the default dtype for a test."""
    before = mg.get_default_dtype()
    mg.set_default_dtype("float64")
    yield
    mg.set_default_dtype(before)


@pytest.fixture
def rng():
    return np.random.default_rng(0)
