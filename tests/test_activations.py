import numpy as np
import pytest

from minigrad import activations
from minigrad.testing import check_grads

NAMES = [
    "elu", "exponential", "gelu", "hard_sigmoid", "leaky_relu", "linear", "log_softmax", "relu",
    "selu", "sigmoid", "silu", "softmax", "softplus", "softsign", "swish", "tanh",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_activation_is_known_by_its_name_and_differentiable(name):
    activation = activations.get(name)
    check_grads(lambda x: activation(x) * 1.0, [np.array([[-1.3, 0.4, 2.1], [0.2, -0.6, 1.1]])])
    assert activations.get(activations.serialize(activation)) is activation


def test_none_stands_for_linear_and_unknown_names_are_refused():
    assert activations.get(None) is activations.linear
    with pytest.raises(ValueError, match="'relu'"):
        activations.get("rellu")


def test_a_callable_serves_as_it_is():
    assert activations.get(np.sin) is np.sin
    assert activations.name_of(np.sin) == "sin"
