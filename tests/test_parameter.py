import copy

import numpy as np
import pytest

from minigrad.layers import Parameter


def test_a_frozen_parameter_is_a_constant_and_keeps_its_name_and_gradient():
    p = Parameter([1.0, 2.0], name="w")
    (p * p).sum().backward()
    p.trainable = False
    assert not p.requires_grad
    assert not (p * 2).requires_grad
    assert p.name == "w"
    p.trainable = True
    assert p.grad.tolist() == [2, 4]


def test_a_copy_is_independent_and_keeps_being_frozen():
    p = Parameter([1.0], name="w", trainable=False)
    twin = copy.deepcopy(p)
    twin.data += 1
    assert p.tolist() == [1]
    assert not twin.trainable
    assert twin.name == "w"
    assert "frozen" in repr(twin)


def test_integers_cannot_be_trained():
    with pytest.raises(ValueError, match="floating"):
        Parameter(np.array([1, 2]))
