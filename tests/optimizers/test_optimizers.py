import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad import Tensor, optimizers
from minigrad.layers import Parameter
from minigrad.optimizers import SGD, Adam


def reference_sgd(w, gradients, rate, momentum, nesterov):
    v = np.zeros_like(w)
    for g in gradients:
        v = momentum * v - rate * g
        w = w + (momentum * v - rate * g if nesterov else v)
    return w


def reference_adam(w, gradients, rate, b1=0.9, b2=0.999, epsilon=1e-7):
    m, v = np.zeros_like(w), np.zeros_like(w)
    for t, g in enumerate(gradients, 1):
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        w = w - rate * np.sqrt(1 - b2**t) / (1 - b1**t) * m / (np.sqrt(v) + epsilon)
    return w


CASES = [
    (lambda **k: SGD(0.1, **k), lambda w, g: reference_sgd(w, g, 0.1, 0, False)),
    (lambda **k: SGD(0.1, 0.9, **k), lambda w, g: reference_sgd(w, g, 0.1, 0.9, False)),
    (lambda **k: SGD(0.1, 0.9, True, **k), lambda w, g: reference_sgd(w, g, 0.1, 0.9, True)),
    (lambda **k: Adam(0.01, **k), lambda w, g: reference_adam(w, g, 0.01)),
]
every = pytest.mark.parametrize(("make", "reference"), CASES, ids=["sgd", "mu", "nesterov", "adam"])


def parameters(dtype=np.float64):
    rng = np.random.default_rng(0)
    return [Parameter(rng.normal(size=shape).astype(dtype)) for shape in ((2, 3), (3,), ())]


@every
def test_it_follows_its_formula_over_many_steps(make, reference):
    weights = parameters()
    starts = [w.numpy() for w in weights]
    optimizer = make(parameters=weights)
    rng = np.random.default_rng(1)
    gradients = [[rng.normal(size=w.shape) for w in weights] for _ in range(20)]
    for step in gradients:
        for w, g in zip(weights, step, strict=True):
            w.grad = g
        optimizer.step()
        optimizer.zero_grad()
    for index, (w, start) in enumerate(zip(weights, starts, strict=True)):
        expected = reference(start, [step[index] for step in gradients])
        np.testing.assert_allclose(w.numpy(), expected, rtol=1e-12)


@every
def test_what_has_no_gradient_or_is_frozen_stays_as_it_is(make, reference):
    moving, still, frozen = parameters()
    frozen.grad = 1.0
    frozen.trainable = False
    before = still.numpy(), frozen.numpy()
    optimizer = make(parameters=[still, moving, frozen])
    for step in range(1, 4):
        moving.grad = np.ones(moving.shape) * step
        if step == 3:
            still.grad = np.ones(still.shape)
        optimizer.step()
        if step < 3:
            assert (still.numpy() == before[0]).all()
        optimizer.zero_grad()
    assert (frozen.numpy() == before[1]).all()


@every
def test_parameters_of_two_dtypes_are_trained_side_by_side(make, reference):
    a, b = Parameter(np.ones(2, np.float32)), Parameter(np.ones(2, np.float64))
    optimizer = make(parameters=[a, b])
    (a * b).sum().backward()
    optimizer.step()
    assert (a.dtype, b.dtype) == (np.float32, np.float64)
    np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6)
    assert (a.numpy() < 1).all()


class Plain:
    """The same, with nothing shared: what the flat buffer must be indistinguishable from."""

    def __init__(self, value):
        self.value, self.gradient = value.copy(), None


@given(
    st.lists(
        st.sampled_from(["backward", "step", "zero", "write", "alias", "replace", "assign_grad"]),
        max_size=14,
    )
)
def test_no_interleaving_of_steps_and_writes_loses_anything(actions):
    weights = [Parameter(np.array([1.0, -2.0])), Parameter(np.array(3.0))]
    plain = [Plain(np.array([1.0, -2.0])), Plain(np.array(3.0))]
    optimizer = SGD(0.25, parameters=weights)
    alias = None
    for number, action in enumerate(actions):
        w, p = weights[number % 2], plain[number % 2]
        if action == "backward":
            (weights[0] * weights[0]).sum().backward()
            (weights[1] * 2).backward()
            for q, g in zip(plain, (2 * plain[0].value, np.array(2.0)), strict=True):
                q.gradient = g if q.gradient is None else q.gradient + g
        elif action == "step":
            if any(q.gradient is not None for q in plain):
                optimizer.step()
                for q in plain:
                    if q.gradient is not None:
                        q.value = q.value - 0.25 * q.gradient
        elif action == "zero":
            optimizer.zero_grad()
            for q in plain:
                q.gradient = None
        elif action == "write":
            w.data -= 1.5
            p.value = p.value - 1.5
        elif action == "alias":
            alias = weights[0].data
            alias[0] = number
            plain[0].value = np.array([number, plain[0].value[1]], float)
        elif action == "replace":
            w.data = np.full(w.shape, number)
            p.value = np.full(w.shape, float(number))
        elif action == "assign_grad":
            w.grad = np.full(w.shape, 0.5)
            p.gradient = np.full(w.shape, 0.5)
        for left, right in zip(weights, plain, strict=True):
            np.testing.assert_allclose(left.numpy(), right.value)


def test_an_alias_of_data_stays_a_live_view_through_steps():
    w = Parameter(np.array([1.0, 2.0]))
    optimizer = SGD(0.5, parameters=[w])
    alias = w.data
    w.grad = np.ones(2)
    optimizer.step()
    assert alias.tolist() == [0.5, 1.5]
    alias[0] = 9
    w.grad = np.ones(2)
    optimizer.step()
    assert w.tolist() == [8.5, 1.0]


def test_two_optimizers_may_share_parameters():
    w = Parameter(np.array([1.0]))
    first, second = SGD(0.1, parameters=[w]), SGD(0.2, parameters=[w])
    for optimizer in (first, second, first):
        (w * 1.0).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    np.testing.assert_allclose(w.numpy(), [0.6])


def test_gradients_accumulate_over_backward_calls():
    w = Parameter(np.array([1.0]))
    optimizer = SGD(0.1, parameters=[w])
    for _ in range(3):
        (w * 2.0).sum().backward()
    optimizer.step()
    np.testing.assert_allclose(w.numpy(), [0.4])


def test_an_l2_penalty_in_the_loss_is_coupled_weight_decay_in_the_gradient():
    from minigrad.regularizers import L2

    by_loss, by_decay = Parameter(np.array([1.0, -3.0])), Parameter(np.array([1.0, -3.0]))
    first, second = Adam(0.1, parameters=[by_loss]), Adam(0.1, parameters=[by_decay])
    for _ in range(5):
        for optimizer in (first, second):
            optimizer.zero_grad()
        (np.sin(by_loss).sum() + L2(0.3)(by_loss)).backward()
        np.sin(by_decay).sum().backward()
        by_decay.grad = by_decay.grad + 2 * 0.3 * by_decay.numpy()
        first.step()
        second.step()
    np.testing.assert_allclose(by_loss.numpy(), by_decay.numpy(), rtol=1e-12)


@pytest.mark.parametrize("rate", [-1, np.nan, np.inf, "fast", None, True])
def test_a_learning_rate_is_a_number_that_is_not_negative(rate):
    for kind in (SGD, Adam):
        with pytest.raises(ValueError, match="learning_rate must be a finite number ≥ 0"):
            kind(rate)


@pytest.mark.parametrize(
    ("kind", "argument", "value"),
    [(SGD, "momentum", 1.0), (SGD, "momentum", -0.1), (Adam, "beta_1", 1.0), (Adam, "epsilon", 0)],
)
def test_other_arguments_are_checked(kind, argument, value):
    with pytest.raises(ValueError, match=argument):
        kind(**{argument: value})


def test_misuse_says_what_to_do():
    with pytest.raises(RuntimeError, match=r"parameters=model.parameters\(\)"):
        SGD().step()
    with pytest.raises(RuntimeError, match="no parameter has a gradient"):
        SGD(parameters=[Parameter([1.0])]).step()
    with pytest.raises(ValueError, match="no parameters to train"):
        SGD(parameters=[])
    with pytest.raises(TypeError, match="trains Parameters"):
        SGD(parameters=[Tensor([1.0], requires_grad=True)])
    with pytest.raises(ValueError, match="Did you mean 'adam'"):
        optimizers.get("adan")


def test_configs_round_trip():
    for optimizer in (SGD(0.5, 0.9, True), Adam(0.2, 0.8, 0.99, 1e-5)):
        twin = optimizers.deserialize(optimizers.serialize(optimizer))
        assert repr(twin) == repr(optimizer)
    assert isinstance(optimizers.get("sgd"), SGD)
    assert isinstance(optimizers.get(Adam), Adam)
