"""Values that are taken off the tape: who is warned, and who is not."""

import math
import threading
import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad import Tensor
from minigrad.engine import LostGradientWarning
from minigrad.engine.state import STATE


@pytest.fixture
def w():
    STATE.set(STATE.get()._replace(taken=None))
    return Tensor(1.5, dtype="float64", requires_grad=True)


def twice(x):
    return 2 * x


COME_BACK = {
    "math": lambda w: w * math.exp(w),
    "float": lambda w: w + float(w),
    "item": lambda w: np.multiply(w, w.item()),
    "numpy": lambda w: (w * np.exp(w.numpy())).sum(),
    "in a sum": lambda w: (math.exp(w) + w * w) * 2,
    "on the left": lambda w: math.sqrt(w) / w,
    "over lines": lambda w: (
        w
        * (
            1
            + math.exp(
                w,
            )
        )
    ),
    "beside other functions": lambda w: math.exp(w) + twice(w),
}


@pytest.mark.parametrize("loss", COME_BACK.values(), ids=COME_BACK)
def test_a_number_that_comes_back_onto_the_tape_warns_once_with_the_place(w, loss):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loss(w).backward()
    (warning,) = caught
    assert warning.category is LostGradientWarning
    assert warning.filename == __file__
    first = loss.__code__.co_firstlineno
    assert first <= warning.lineno <= first + 8
    assert "np.exp(w) in place of math.exp(w)" in str(warning.message)


def test_the_value_itself_is_known_again_some_lines_later(w):
    value = w.item()
    square = w * w
    with pytest.warns(LostGradientWarning, match="comes back"):
        square * value
    array = Tensor([1.0, 2.0], requires_grad=True)
    values = array.numpy()
    with pytest.warns(LostGradientWarning, match="comes back"):
        array * values


def test_what_is_not_given_back_does_not_warn(w, capsys):
    rate = 0.25
    history = []
    for _ in range(3):
        loss = (rate * w * w + 0.5).sum()
        print(loss, f"{loss} {loss:.3f} {float(loss):.2f}", f"{loss.item():.3f}")
        print(loss.item(), (rate * w).sum().item())
        history.append(loss.item())
        total = loss.item() + (w * 2.5).item()
        w = w * 1.25 if loss.item() > 0 else w * 0.75
        if w:
            w = w * 0.5
    assert total > 0
    assert len(history) == 3
    assert capsys.readouterr().out


def test_a_loop_written_by_hand_with_a_log_does_not_warn():
    x, y = np.ones((4, 3), np.float32), np.zeros((4, 2), np.float32)
    model = mg.Sequential(mg.layers.Dense(2, "tanh", kernel_regularizer="l2", seed=0))
    model(x)
    optimizer = mg.optimizers.SGD(0.1, parameters=model.parameters())
    log = []
    for _ in range(3):
        optimizer.zero_grad()
        prediction = model(x)
        loss = ((prediction - y) ** 2).mean() + 0.1 * sum(model.losses)
        log.append((float(loss), prediction.numpy().mean(), [t.item() for t in model.losses]))
        loss.backward()
        optimizer.step()
        weights = [p.numpy() for p in model.parameters()]
    assert log[-1][0] < log[0][0]
    assert len(weights) == 2


def test_constants_and_what_is_cut_on_purpose_do_not_warn(w):
    frozen = Tensor(2.0)
    with mg.no_grad():
        assert (w * math.exp(w)).item() > 0
    w * math.exp(frozen)
    w * math.exp(w.detach())
    w * float(mg.stop_gradient(w))
    w * len(np.ones(3))


def test_nothing_is_watched_any_more_after_some_ops(w):
    w.item()
    for _ in range(10):
        w * w
    assert STATE.get().taken is None


def test_a_thread_knows_nothing_of_what_another_has_taken(w):
    value = w.item()
    failed = []

    def other():
        try:
            w * value
        except LostGradientWarning as warning:
            failed.append(warning)

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert not failed


VECTOR = np.array([0.5, 3.0, 1.0])
ONLY_DECIDE = {
    "an index": lambda w: w[int(np.argmax(w.numpy()))] * np.float64(2),
    "a literal": lambda w: (w[np.argmax(w.numpy())] * 2.0, -3.0 * w[w.numpy().argmin()]),
    "two indices": lambda w: (
        np.stack([w, w])[[0, 1], w.numpy().argmax(axis=-1)] * VECTOR[:2],
        w[(w.numpy() / 2).astype(int), None] * VECTOR[0],
    ),
    "an order": lambda w: (w[np.argsort(w.numpy())] * VECTOR).sum(),
    "a branch": lambda w: (VECTOR[0] if float(w.sum()) > 0 else 3.0) * w.sum(),
    "a truth": lambda w: (VECTOR[0] if w.sum().item() else VECTOR[1]) * w.sum(),
    "a shape": lambda w: -np.log(w[0] / w.sum()) * float(w.numpy().shape[0]),
    "a check": lambda w: w * float(np.isfinite(w.numpy()).all()),
}


@pytest.mark.parametrize("compute", ONLY_DECIDE.values(), ids=ONLY_DECIDE)
def test_a_value_that_only_decides_does_not_warn(compute):
    compute(Tensor([1.0, 3.0, 2.0], dtype="float64", requires_grad=True))


def test_what_only_its_result_is_picked_from_or_compared_does(w):
    w = np.stack([w, w])
    with pytest.warns(LostGradientWarning):
        (w * float(w.sum()))[0].backward(keep_graph=True)
    with pytest.warns(LostGradientWarning):
        w * w.numpy()[0]
    with pytest.warns(LostGradientWarning):
        assert (w * float(w.sum())).sum() > 0
