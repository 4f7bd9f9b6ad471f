import numpy as np
import pytest

import minigrad as mg
from minigrad import Primitive, Tensor, detect_anomaly
from minigrad.engine.anomaly import AnomalyError
from minigrad.layers import Dense


@pytest.fixture(autouse=True)
def quiet():
    with np.errstate(all="ignore"):
        yield


def test_a_nan_of_the_forward_pass_is_named_with_op_layer_and_line():
    layer = Dense(1, np.log, kernel_initializer="ones", input_dim=1, name="codings")
    with pytest.raises(AnomalyError, match=r"op 'log' in layer 'codings' gave 1 value.*dense\.py:"):
        with detect_anomaly():
            layer([[-1.0]])
    with pytest.raises(AnomalyError, match=r"test_anomaly\.py:\d+ in test_a_nan"):
        with detect_anomaly():
            np.log(Tensor([-1.0, -2.0]))


def test_a_nan_that_came_in_from_outside_is_said_to_have():
    with pytest.raises(AnomalyError, match="an operand already holds one"), detect_anomaly():
        Tensor([np.nan], requires_grad=True) * 2


def test_an_infinity_of_the_backward_pass_is_named_with_the_forward_line():
    x = Tensor([0.0], requires_grad=True)
    with pytest.raises(AnomalyError, match=r"gradient of op 'sqrt'.*operand 0.*test_anomaly\.py"):
        with detect_anomaly():
            np.sqrt(x).sum().backward()
    assert x.grad is None


def test_a_value_written_behind_the_engines_back_is_seen_by_its_checksum():
    x = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(AnomalyError, match=r"op 'multiply'.*changed in memory"):
        with detect_anomaly():
            loss = (x * x).sum()
            x._value[0] = 9  # no public way leads here
            loss.backward()


def test_all_is_well_without_an_anomaly_and_afterwards():
    x = Tensor([1.0, 2.0], requires_grad=True)
    with detect_anomaly():
        (np.tanh(x) * np.arange(2)).sum().backward()
    assert np.isfinite(x.grad).all()
    np.log(Tensor([-1.0]))


def test_a_tape_from_outside_of_the_block_is_walked_too():
    wrong = Primitive(lambda x: x * 1, lambda g, z, x: g * np.nan, name="wrong")
    loss = wrong(Tensor([1.0], requires_grad=True)).sum()
    with pytest.raises(AnomalyError, match="outside of detect_anomaly"), detect_anomaly():
        loss.backward()


def test_training_can_be_watched():
    model = mg.Sequential(Dense(2, activity_regularizer="l1", input_dim=2), Dense(2))
    model.compile("adam", "mse")
    with detect_anomaly():
        assert np.isfinite(model.train_on_batch(np.ones((3, 2)), np.ones((3, 2))))
