"""What holds of every optimizer: configs, states, copies, clipping, schedules, clear errors."""

import copy
import pickle

import numpy as np
import pytest

import minigrad as mg
from minigrad import optimizers
from minigrad.layers import Parameter
from minigrad.optimizers import schedules

MAKERS = {
    "SGD": lambda **more: optimizers.SGD(0.1, momentum=0.9, nesterov=True, **more),
    "RMSprop": lambda **more: optimizers.RMSprop(0.1, momentum=0.5, centered=True, **more),
    "Adagrad": lambda **more: optimizers.Adagrad(0.1, **more),
    "Adadelta": lambda **more: optimizers.Adadelta(0.1, **more),
    "Adam": lambda **more: optimizers.Adam(0.1, amsgrad=True, **more),
    "AdamW": lambda **more: optimizers.AdamW(0.1, **{"weight_decay": 0.1, **more}),
    "Adamax": lambda **more: optimizers.Adamax(0.1, **more),
    "Ftrl": lambda **more: optimizers.Ftrl(0.1, l1_regularization_strength=0.01, **more),
    "Nadam": lambda **more: optimizers.Nadam(0.1, **more),
    "Lion": lambda **more: optimizers.Lion(0.1, **more),
}
every_optimizer = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())
START = {"a": np.array([[1.0, -2.0], [0.5, 3.0]]), "b": np.array([0.25, -1.0])}


def parameters():
    return [Parameter(values, name=name) for name, values in START.items()]


def steps(optimizer, trained, how_many, seed):
    rng = np.random.default_rng(seed)
    for _ in range(how_many):
        optimizer.apply([rng.normal(size=p.shape) for p in trained], trained)


@every_optimizer
def test_it_comes_back_from_its_config_and_by_its_names(make):
    made = make(clipnorm=2.0, weight_decay=0.5)
    twin = optimizers.deserialize(optimizers.serialize(made))
    assert type(twin) is type(made)
    assert twin.get_config() == made.get_config()
    name = type(made).__name__
    configs = [{"class_name": n, "config": made.get_config()} for n in (name, name.lower())]
    for identifier in (name, name.lower(), name.upper(), type(made), made, *configs):
        assert type(optimizers.get(identifier)) is type(made)


@every_optimizer
def test_from_its_state_it_goes_on_with_the_same_bits(make):
    whole, trained = make(), parameters()
    steps(whole, trained, 3, seed=0)
    state = whole.state_arrays()
    halfway = [Parameter(p.numpy(), name=p.name) for p in trained]
    other = make(parameters=halfway)
    other.load_state_arrays(state)
    steps(whole, trained, 3, seed=1)
    steps(other, halfway, 3, seed=1)
    assert whole.iterations == other.iterations == 6
    for p, q in zip(trained, halfway, strict=True):
        assert (p.numpy() == q.numpy()).all()


@every_optimizer
@pytest.mark.parametrize(
    "duplicate",
    [copy.deepcopy, lambda both: pickle.loads(pickle.dumps(both))],
    ids=["copy", "pickle"],
)
def test_a_copy_trains_on_by_itself(make, duplicate):
    trained = parameters()
    optimizer = make(parameters=trained)
    steps(optimizer, trained, 2, seed=0)
    other, others = duplicate((optimizer, trained))
    before = [p.numpy() for p in trained]
    steps(other, others, 2, seed=1)
    assert all((p.numpy() == values).all() for p, values in zip(trained, before, strict=True))
    steps(optimizer, trained, 2, seed=1)
    assert all((p.numpy() == q.numpy()).all() for p, q in zip(trained, others, strict=True))


@every_optimizer
def test_a_damaged_state_changes_nothing(make):
    trained = parameters()
    optimizer = make(parameters=trained)
    steps(optimizer, trained, 2, seed=0)
    state = optimizer.state_arrays()
    damages = [
        ({"iterations": np.array(-1)}, "iterations must be 0 or more"),
        ({"nonsense": np.array(1.0)}, "has no use for 'nonsense'"),
    ]
    slot = next((key for key in state if key.endswith("/a")), None)
    if slot is not None:
        damages.append(({slot: np.zeros(3)}, "expected finite numbers of shape"))
        damages.append(({slot: np.full((2, 2), np.nan)}, "expected finite numbers"))
    for damage, message in damages:
        with pytest.raises(ValueError, match=message):
            optimizer.load_state_arrays({**state, **damage})
    missing = {key: value for key, value in state.items() if key != "iterations"}
    with pytest.raises(ValueError, match="misses 'iterations'"):
        optimizer.load_state_arrays(missing)
    for key, value in optimizer.state_arrays().items():
        assert (value == state[key]).all()


@every_optimizer
def test_float32_stays_float32(make):
    trained = [Parameter(START["a"].astype(np.float32), name="a")]
    optimizer = make(parameters=trained)
    steps(optimizer, trained, 2, seed=0)
    assert trained[0].dtype == np.float32
    for key, value in optimizer.state_arrays().items():
        assert value.dtype == np.float32 or value.ndim == 0, key


# ---- clipping ------------------------------------------------------------------------------------


def clipped(**how):
    p, q = Parameter(np.zeros(2)), Parameter(np.zeros(1))
    optimizers.SGD(1.0, **how).apply([[3.0, -4.0], [12.0]], [p, q])
    return [*(-p.numpy()).tolist(), *(-q.numpy()).tolist()]


def test_gradients_are_clipped_by_norm_by_value_or_all_together():
    assert clipped() == [3, -4, 12]
    assert clipped(clipvalue=3.5) == [3, -3.5, 3.5]
    assert clipped(clipnorm=10.0) == [3, -4, 10]
    assert clipped(clipnorm=2.5) == [1.5, -2, 2.5]
    assert clipped(global_clipnorm=6.5) == [1.5, -2, 6]
    assert clipped(global_clipnorm=13.5) == [3, -4, 12]


def test_clipping_leaves_the_gradients_themselves_alone():
    p = Parameter(np.zeros(2))
    optimizer = optimizers.SGD(1.0, clipvalue=0.5, parameters=[p])
    p.grad = np.array([3.0, -4.0])
    optimizer.step()
    assert p.grad.tolist() == [3, -4]
    assert p.tolist() == [-0.5, 0.5]


# ---- schedules -----------------------------------------------------------------------------------


class Halving(schedules.LearningRateSchedule):
    def __call__(self, step):
        return 0.5**step

    def get_config(self):
        return {}


def test_each_step_asks_the_schedule_for_its_rate():
    p = Parameter(np.zeros(1))
    optimizer = optimizers.SGD(Halving(), parameters=[p])
    found = []
    for _ in range(3):
        assert optimizer.learning_rate == 0.5**optimizer.iterations
        p.grad = np.ones(1)
        optimizer.step()
        found.append(float(p.numpy()[0]))
    assert found == [-1, -1.5, -1.75]
    with pytest.raises(TypeError, match=r"follows .*Give it a number from the beginning"):
        optimizer.learning_rate = 0.1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), "decay_steps must be a number above 0"),
        (lambda: schedules.PolynomialDecay(0.1, 10, power=-1), "power"),
        (lambda: schedules.CosineDecay(0.1, 10, alpha=-0.5), "alpha"),
        (lambda: schedules.CosineDecayRestarts(0.1, 10, t_mul=0.5), "t_mul"),
        (lambda: schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2]), "values"),
        (lambda: schedules.PiecewiseConstantDecay([2, 1], [0.1, 0.2, 0.3]), "boundaries"),
        (lambda: schedules.InverseTimeDecay("fast", 10, 0.5), "initial_learning_rate"),
    ],
)
def test_arguments_of_schedules_are_checked(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_schedules_are_saved_with_their_optimizer():
    schedule = schedules.CosineDecay(0.1, 100, warmup_target=0.5, warmup_steps=10)
    twin = optimizers.deserialize(optimizers.serialize(optimizers.Adam(schedule)))
    optimizer = optimizers.Adam(schedule)
    assert twin.get_config() == optimizer.get_config()
    for step in (0, 5, 50, 200):
        twin.iterations = optimizer.iterations = step
        assert twin.learning_rate == optimizer.learning_rate


# ---- misuse --------------------------------------------------------------------------------------


def test_apply_checks_numbers_and_shapes():
    p = Parameter(np.zeros(2), name="p")
    optimizer = optimizers.Adam(parameters=[p])
    with pytest.raises(ValueError, match=r"expected 1 gradients.*Received: 2"):
        optimizer.apply([np.zeros(2), np.zeros(2)])
    with pytest.raises(ValueError, match=r"shape \(2,\) for 'p'. Received: \(3,\)"):
        optimizer.apply([np.zeros(3)])
    with pytest.raises(ValueError, match="was not built for"):
        optimizer.apply([np.zeros(1)], [Parameter(np.zeros(1))])
    optimizer.apply_gradients([(np.ones(2), p)])
    assert (p.numpy() < 0).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"clipnorm": 0}, "clipnorm must be a number above 0"),
        ({"clipnorm": 1.0, "clipvalue": 1.0}, "only one of clipnorm"),
        ({"weight_decay": -0.1}, "weight_decay"),
    ],
)
def test_common_arguments_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        optimizers.RMSprop(0.1, **arguments)
    for misspelt in ("learning_rat", "lr"):
        for error in (TypeError, ValueError):  # as Python has it, and as Keras has it
            with pytest.raises(error, match="Did you mean 'learning_rate'"):
                optimizers.RMSprop(**{misspelt: 0.1})


def test_parameters_in_the_place_of_the_learning_rate_are_told_where_to_go():
    model = mg.Sequential(mg.layers.Dense(1, input_dim=2))
    for wrong in (model.parameters, model.parameters()):
        with pytest.raises(TypeError, match=r"Write Adam\(parameters=model.parameters\(\)\)"):
            optimizers.Adam(wrong)
        with pytest.raises(TypeError, match="parameters by name"):
            optimizers.Adam(0.01, wrong)
    with pytest.raises(TypeError, match="with parentheses"):
        optimizers.Adam(parameters=model.parameters)


def test_gradients_that_are_missing_are_told():
    p, q = Parameter(np.ones(2), name="p"), Parameter(np.ones(2), name="q")
    with pytest.raises(ValueError, match="no parameters yet"):
        optimizers.SGD().apply([np.ones(2)])
    with pytest.raises(ValueError, match="no gradient for any"):
        optimizers.SGD().apply_gradients([(None, p)])
    with pytest.warns(UserWarning, match="no gradient for q"):
        assert optimizers.SGD(1.0).apply_gradients([(np.ones(2), p), (None, q)]) == 1
    assert (p.tolist(), q.tolist()) == ([0, 0], [1, 1])


def test_a_schedule_is_called_with_many_steps_at_once():
    schedule = schedules.PiecewiseConstantDecay(np.array([1, 2]), [3, 2, 1])
    rates = schedule(np.arange(4).reshape(2, 2))
    assert rates.tolist() == [[3, 3], [2, 1]]
    assert schedule(mg.Tensor(2.0)) == schedule(2).numpy() == 2
    with pytest.raises(TypeError, match="ExponentialDecay needs decay_rate"):
        schedules.ExponentialDecay(0.1, 10)
    with pytest.raises(TypeError, match="Did you mean 'decay_steps'"):
        schedules.CosineDecay(0.1, decay_step=10)
    with pytest.raises(ValueError, match="staircase must be True or False"):
        schedules.ExponentialDecay(0.1, 10, 0.5, staircase="no")
