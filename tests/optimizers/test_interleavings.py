"""Any order of forward, backward, step and meddling, against a reference that shares nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import minigrad as mg
from minigrad.layers import Parameter
from minigrad.optimizers import SGD, Adam

SGD_RATE, MOMENTUM, ADAM_RATE = 0.125, 0.5, 0.0625


class Plain:
    """A parameter, as plainly as can be: no views, no buffers, every change a new array."""

    def __init__(self, value):
        self.value = np.array(value)
        self.gradient = None
        self.trainable = True
        self.steps = 0  # how often an optimizer has changed it
        self.velocity = self.first = self.second = np.zeros_like(self.value)

    def changes(self):
        return self.trainable and self.gradient is not None

    def add_gradient(self, g):
        self.gradient = g if self.gradient is None else self.gradient + g

    def sgd(self):
        self.velocity = MOMENTUM * self.velocity - SGD_RATE * self.gradient
        self.value = self.value + self.velocity
        self.steps += 1

    def adam(self, t):
        g = self.gradient
        self.first = 0.9 * self.first + 0.1 * g
        self.second = 0.999 * self.second + 0.001 * g * g
        rate = ADAM_RATE * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        self.value = self.value - rate * self.first / (np.sqrt(self.second) + 1e-7)
        self.steps += 1


indices = st.integers(0, 3)
numbers = st.sampled_from([-2.0, -0.5, 0.25, 1.0, 3.0])


class Interleavings(RuleBasedStateMachine):
    """Three float64 parameters and one float32, under two optimizers at once."""

    def __init__(self):
        super().__init__()
        self.start(np.float32)

    def start(self, dtype_of_last):
        starts = [[1.0, -2.0], [0.5, 3.0], [[-1.0], [0.75]], 1.5]
        dtypes = [np.float64, np.float64, np.float64, dtype_of_last]
        arrays = [np.array(v, dtype) for v, dtype in zip(starts, dtypes, strict=True)]
        self.parameters = [Parameter(v, name=f"p{i}") for i, v in enumerate(arrays)]
        self.plain = [Plain(v) for v in arrays]
        self.sgd = SGD(SGD_RATE, MOMENTUM, parameters=self.parameters)
        self.adam = Adam(ADAM_RATE, parameters=self.parameters[:3])
        self.adam_steps = 0
        self.tapes = []  # a loss, and what its backward must bring
        self.aliases = {}  # the latest .data of each parameter
        self.kept = []  # gradients that somebody keeps, and what they were

    # ---- the loop ------------------------------------------------------------------------------

    @rule()
    def forward(self):
        a, b, column, c = self.parameters
        if any(p.trainable for p in self.plain):
            va, vb, v_column, vc = (p.value for p in self.plain)
            gradients = [
                vb + 2 * vc * va,
                va + v_column.sum() * np.ones(2),
                vb.sum() * np.ones((2, 1)),
                np.sum(va * va),
            ]
            seen = [p.steps if p.trainable else None for p in self.plain]
            loss = (a * b).sum() + (a * a).sum() * c + (b * column).sum()
            self.tapes.append((loss, gradients, seen))

    @precondition(lambda self: self.tapes)
    @rule(which=st.integers(0, 99))
    def backward(self, which):
        loss, gradients, seen = self.tapes.pop(which % len(self.tapes))
        stale = any(
            steps is not None and steps != p.steps
            for p, steps in zip(self.plain, seen, strict=True)
        )
        if stale:
            with pytest.raises(RuntimeError, match=r"changed in place after op '(multiply|sum)'"):
                loss.backward()
            return
        loss.backward()
        for p, g, steps in zip(self.plain, gradients, seen, strict=True):
            if steps is not None:
                p.add_gradient(g)

    @rule()
    def zero_grad(self):
        self.sgd.zero_grad()
        for p in self.plain:
            p.gradient = None

    @rule()
    def step_of_sgd(self):
        moving = [p for p in self.plain if p.changes()]
        if not moving:
            with pytest.raises(RuntimeError, match="no parameter has a gradient"):
                self.sgd.step()
            return
        self.sgd.step()
        for p in moving:
            p.sgd()

    @rule()
    def step_of_adam(self):
        moving = [p for p in self.plain[:3] if p.changes()]
        if not moving:
            with pytest.raises(RuntimeError, match="no parameter has a gradient"):
                self.adam.step()
            return
        self.adam.step()
        self.adam_steps += 1
        for p in moving:
            p.adam(self.adam_steps)

    # ---- meddling ------------------------------------------------------------------------------

    @rule(i=indices, number=numbers)
    def write_in_place(self, i, number):
        self.parameters[i].data -= number
        self.aliases[i] = self.parameters[i].data
        self.plain[i].value = self.plain[i].value - number

    @rule(i=indices, number=numbers)
    def replace(self, i, number):
        self.aliases.pop(i, None)  # an alias shows the array that was there before
        self.parameters[i].data = np.full(self.parameters[i].shape, number)
        self.plain[i].value = np.full_like(self.plain[i].value, number)

    @rule(i=indices)
    def take_an_alias(self, i):
        self.aliases[i] = self.parameters[i].data

    @precondition(lambda self: self.aliases)
    @rule(which=indices, number=numbers)
    def write_into_an_alias(self, which, number):
        i = sorted(self.aliases)[which % len(self.aliases)]
        self.aliases[i][...] = number
        self.plain[i].value = np.full_like(self.plain[i].value, number)

    @rule(i=indices, number=numbers)
    def assign_a_gradient(self, i, number):
        if self.plain[i].trainable:
            self.parameters[i].grad = np.full(self.parameters[i].shape, number)
            self.plain[i].gradient = np.full_like(self.plain[i].value, number)

    @rule(i=indices)
    def scale_a_gradient_in_place(self, i):
        if self.parameters[i].grad is not None:
            self.parameters[i].grad *= 0.5
            self.plain[i].gradient = self.plain[i].gradient * 0.5

    @rule(i=indices)
    def keep_a_gradient_then_start_anew(self, i):
        if self.parameters[i].grad is not None:
            self.kept.append((self.parameters[i].grad, self.plain[i].gradient.copy()))
            self.zero_grad()

    @rule(i=indices, trainable=st.booleans())
    def freeze_or_free(self, i, trainable):
        self.parameters[i].trainable = trainable
        self.plain[i].trainable = trainable

    # ---- what always holds ---------------------------------------------------------------------

    @invariant()
    def values_are_those_of_the_reference(self):
        for p, q in zip(self.parameters, self.plain, strict=True):
            close(p.numpy(), q.value)

    @invariant()
    def gradients_are_those_of_the_reference(self):
        for p, q in zip(self.parameters, self.plain, strict=True):
            if p.trainable:
                # Read without .grad, so that looking does not change what is looked at.
                found = p._leaf.gradient
                assert (found is None) == (q.gradient is None)
                if found is not None:
                    close(found, q.gradient)

    @invariant()
    def the_latest_alias_is_a_live_view(self):
        for i, alias in self.aliases.items():
            assert (alias == self.parameters[i].numpy()).all()

    @invariant()
    def kept_gradients_stay_what_they_were(self):
        for found, expected in self.kept:
            close(found, expected)


def close(found, expected):
    tolerance = 1e-10 if found.dtype == np.float64 else 1e-4
    # A float64 parameter's gradient is computed with the float32 one's value, hence its rounding.
    np.testing.assert_allclose(found, expected, rtol=max(tolerance, 1e-5), atol=1e-6)


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(max_examples=120, stateful_step_count=50)


def test_the_reference_and_minigrad_agree_to_rounding_in_float64():
    machine = Interleavings()
    machine.start(np.float64)
    for _ in range(5):
        machine.zero_grad()
        machine.forward()
        machine.backward(0)
        machine.step_of_adam()
        machine.step_of_sgd()
    for p, q in zip(machine.parameters, machine.plain, strict=True):
        np.testing.assert_allclose(p.numpy(), q.value, rtol=1e-12)


# ---- sentences worth saying one by one -----------------------------------------------------------


@pytest.mark.parametrize("make", [lambda p: SGD(0.1, parameters=p), lambda p: Adam(parameters=p)])
def test_a_step_between_forward_and_backward_is_an_error_that_names_the_op(make):
    w = Parameter(np.array([[1.0, 2.0]]), name="codings/kernel")
    optimizer = make([w])
    x = mg.Tensor(np.ones((3, 1)), requires_grad=True)
    with mg.scope("codings"):
        loss = (x @ w).sum()
    w.grad = np.ones((1, 2))
    optimizer.step()
    with pytest.raises(RuntimeError, match=r"'codings/kernel'.*op 'matmul' in 'codings'"):
        loss.backward()


def test_a_tape_that_took_a_frozen_parameter_for_a_constant_keeps_its_values():
    w = Parameter(np.array([2.0]))
    optimizer = SGD(0.25, parameters=[w])
    for _ in range(2):  # now its values are in the optimizer's memory
        optimizer.zero_grad()
        (w * w).sum().backward()
        optimizer.step()
    x = mg.Tensor(np.array([1.0]), requires_grad=True)
    w.trainable = False
    seen = w.numpy()
    loss = (x * w).sum()
    w.trainable = True
    w.grad = np.ones(1)
    optimizer.step()
    assert w.numpy() != seen
    loss.backward()
    assert x.grad == seen


def test_gradients_that_are_kept_for_later_are_not_overwritten():
    w = Parameter(np.array([1.0]))
    optimizer = SGD(0.25, parameters=[w])
    kept = []
    for _ in range(4):
        optimizer.zero_grad()
        (w * w).sum().backward()
        kept.append(w.grad)
        optimizer.step()
    assert [g.item() for g in kept] == [2, 1, 0.5, 0.25]


def test_freezing_in_pytorchs_words_and_back_goes_on_training():
    w = Parameter(np.array([1.0]), name="w")
    optimizer = SGD(0.25, parameters=[w])
    w.requires_grad = False
    assert not w.trainable
    assert not (w * 2).requires_grad
    w.requires_grad = True
    (w * w).sum().backward()
    optimizer.step()
    assert w.tolist() == [0.5]
    assert w.name == "w"


def test_adams_averages_of_what_has_no_gradient_stay_as_they_are():
    moving, still, frozen = (Parameter(np.array([1.0, 2.0])) for _ in range(3))
    optimizer = Adam(0.1, parameters=[moving, still, frozen])
    everything = [moving, still, frozen]

    def step(parameters):
        for p in parameters:
            p.grad = np.array([1.0, -3.0])
        optimizer.step()
        optimizer.zero_grad()

    step(everything)
    slots = [values.copy() for values in optimizer._averages[0].values()]
    before = [p.numpy() for p in everything]
    frozen.grad = np.ones(2)
    frozen.trainable = False
    moving.grad = np.ones(2)
    optimizer.step()
    for values, before_step in zip(optimizer._averages[0].values(), slots, strict=True):
        assert (values[2:] == before_step[2:]).all()
        assert (values[:2] != before_step[:2]).all()
    changed = [(p.numpy() != values).any() for p, values in zip(everything, before, strict=True)]
    assert changed == [True, False, False]


def test_values_survive_the_optimizer_that_kept_them():
    w = Parameter(np.array([1.0]))
    optimizer = SGD(0.5, parameters=[w])
    w.grad = np.ones(1)
    optimizer.step()
    del optimizer
    second = SGD(0.25, parameters=[w])
    w.grad = np.ones(1)
    second.step()
    assert w.tolist() == [0.25]


def test_a_parameter_that_is_passed_twice_is_stepped_once():
    w = Parameter(np.array([1.0]))
    optimizer = SGD(0.5, parameters=[w, w])
    w.grad = np.ones(1)
    optimizer.step()
    assert w.tolist() == [0.5]
    assert optimizer.parameters == [w]


def test_building_anew_forgets_the_averages():
    w = Parameter(np.array([1.0]))
    optimizer = SGD(0.5, 0.5, parameters=[w])
    for _ in range(2):
        w.grad = np.ones(1)
        optimizer.step()
        optimizer.build([w])
        assert optimizer.iterations == 0
    assert w.tolist() == [0]  # with the velocity kept it would be −0.25


def test_the_learning_rate_can_be_changed_between_steps_but_not_to_nonsense():
    w = Parameter(np.array([1.0]))
    optimizer = SGD(0.5, parameters=[w])
    optimizer.learning_rate = np.float32(0.25)
    w.grad = np.ones(1)
    optimizer.step()
    assert w.tolist() == [0.75]
    with pytest.raises(ValueError, match=r"SGD: learning_rate must be a finite number ≥ 0.*-1"):
        optimizer.learning_rate = -1
    assert optimizer.learning_rate == 0.25


def test_an_optimizer_without_an_update_says_what_is_missing():
    class Nothing(mg.optimizers.Optimizer):
        pass

    w = Parameter([1.0])
    optimizer = Nothing(0.1, parameters=[w])
    w.grad = [1.0]
    with pytest.raises(NotImplementedError, match=r"Nothing must define update"):
        optimizer.step()


@pytest.mark.parametrize(
    ("parameters", "received"),
    [
        (Parameter([1.0, 2.0]), "Tensor"),  # forgot the list: its elements are no Parameters
        ({"w": Parameter([1.0])}, "str"),
        ([np.ones(2)], "ndarray"),
        ([None], "NoneType"),
    ],
)
def test_what_is_no_parameter_is_refused_by_its_type(parameters, received):
    for kind in (SGD, Adam):
        with pytest.raises(TypeError, match=f"{kind.__name__} trains Parameters.*: {received}"):
            kind(parameters=parameters)


@given(st.lists(st.sets(st.integers(0, 3), min_size=1), min_size=1, max_size=6))
def test_one_optimizer_for_all_is_one_for_each_whoever_has_a_gradient(steps):
    starts = [np.array([1.0, 2.0]), np.array(3.0), np.array([[4.0]]), np.array([5.0, 6.0])]
    together, apart = ([Parameter(v) for v in starts] for _ in range(2))
    optimizer = SGD(SGD_RATE, MOMENTUM, parameters=together)
    optimizers = [SGD(SGD_RATE, MOMENTUM, parameters=[p]) for p in apart]
    for number, moving in enumerate(steps, 1):
        for i in moving:
            for p in (together[i], apart[i]):
                p.grad = np.full(p.shape, float(number))
            optimizers[i].step()
        optimizer.step()
        for p in (*together, *apart):
            p.grad = None
        for p, q in zip(together, apart, strict=True):
            assert (p.numpy() == q.numpy()).all()
