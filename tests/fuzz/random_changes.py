"""Random changes: of settings between steps, and of values between forward and backward.

A step after a change is that of a twin that never replays. A gradient after a change is that of the
values that the forward pass saw, or an error is raised.
"""

import copy
import functools

import numpy as np

import minigrad as mg
from minigrad import layers, losses, optimizers, regularizers
from minigrad.engine.table import TABLE
from tests.fuzz.random_models import NoReplays, describe, outcome, random_model, same

KIND = "changes"


def run(cases, seed):
    """Return a description of each change after which a number is another one."""
    failures = []
    for case in range(seed, seed + cases):
        trial = between_steps if case % 2 else before_backward
        try:
            with np.errstate(all="ignore"):
                found = trial(case)
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
        if found:
            failures.append(f"seed {case}, {trial.__name__}: {found}")
    return failures


# ---- settings -----------------------------------------------------------------------------------


class Fickle(float):
    """A number whose products change."""

    factor = 1.0

    def __mul__(self, other):
        return float(self) * Fickle.factor * other

    __rmul__ = __mul__


def between_steps(seed):
    """Change something in a model and its eager twin, now and then; compare all that they do."""
    r = np.random.default_rng(seed)
    model, x, y = random_model(r)
    model(x[:1])
    twin = copy.deepcopy(model)
    twin._replays = NoReplays()
    Fickle.factor = 1.0
    undo, done = [], []
    try:
        for step in range(int(r.integers(10, 20))):
            if step > 3 and r.random() < 0.3:
                change = SETTINGS[int(r.integers(len(SETTINGS)))]
                choice = int(r.integers(2**31))
                for each in (model, twin):
                    change(np.random.default_rng(choice), each, undo)
                done.append(change.__name__)
            size = 4 if r.random() < 0.85 else 6
            start = int(r.integers(0, len(x) - size))
            batch = x[start : start + size], y[start : start + size], None
            act = "train_on_batch" if r.random() < 0.8 else "predict"
            found = [outcome(each, act, batch) for each in (model, twin)]
            if not same(*found):
                return f"step {step}, {act} after {done}: {found} in {describe(model)}"
        if not same(*([w.numpy() for w in each.weights] for each in (model, twin))):
            return f"weights after {done} in {describe(model)}"
    finally:
        for back in reversed(undo):
            back()
    return ""


def pick(r, things):
    things = list(things)
    return things[int(r.integers(len(things)))] if things else None


def all_layers(model):
    return [layer for _, layer in model.paths()]


def a_regularizer(r, model, undo):
    slots = ["kernel_regularizer", "bias_regularizer", "activity_regularizer"]
    slot = pick(r, slots)
    layer = pick(r, [each for each in all_layers(model) if hasattr(type(each), slot)])
    values = [None, "l1", "l2", regularizers.L1(0.03), lambda w: 0.01 * (w * w).sum()]
    if layer is not None:
        setattr(layer, slot, pick(r, values))


def found_regularizers(model):
    return [
        found
        for layer in [model, *all_layers(model)]
        for found in layer._regularizers.values()
        if type(found) in (regularizers.L1, regularizers.L2)
    ]


def a_strength(r, model, undo):
    found = pick(r, found_regularizers(model))
    if found is not None:
        name = "l1" if isinstance(found, regularizers.L1) else "l2"
        value = getattr(found, name)
        setattr(found, name, pick(r, [0.5, 0.0, value, float(repr(value)), Fickle(value)]))


def fickle_numbers(r, model, undo):
    Fickle.factor = 1.0 + (int(r.integers(5)) / 4)


def an_activation(r, model, undo):
    layer = pick(r, [each for each in all_layers(model) if hasattr(each, "activation")])
    if layer is not None:
        layer.activation = pick(r, [np.tanh, mg.activations.relu, lambda z: z * 0.5,
                                    mg.activations.softsign, np.abs])  # fmt: skip


def freezing(r, model, undo):
    layer = pick(r, all_layers(model))
    layer.trainable = bool(r.random() < 0.5)


def values(r, model, undo):
    weight = pick(r, model.weights)
    way = int(r.integers(4))
    if weight is None:
        return
    new = np.asarray(r.normal(size=weight.shape) * 0.1, weight.dtype)
    if way == 0:
        weight.assign(np.asfortranarray(new))
    elif way == 1:
        weight.data *= 0.9
    elif way == 2:
        with mg.no_grad():
            weight += new
    else:
        model.set_weights([w * 1.01 for w in model.get_weights()])


def a_loss_weight(r, model, undo):
    model.loss_weights = pick(r, [1.0, 0.5, 2.0, Fickle(1.0)])


def a_wrapped_loss(r, model, undo):
    loss, strength = model.loss, [1.0, 3.0]
    if loss is None or isinstance(loss, losses.Loss):
        return

    @functools.wraps(loss)
    def wrapped(y, p):
        strength.reverse()
        return strength[0] * loss(y, p)

    model.loss = wrapped


def a_wrapped_call(r, model, undo):
    layer = pick(r, all_layers(model))
    call, factor = layer.call, [1.0, 1.5]
    if layer._takes_training:
        return

    @functools.wraps(call)
    def wrapped(x):
        factor.reverse()
        return factor[0] * call(x)

    layer.call = wrapped


def patched(owner, name, wrap):
    """Return a change that puts something else under a name, once for the model and its twin."""

    def change(r, model, undo):
        missing = name not in vars(owner)
        before = getattr(owner, name)
        setattr(owner, name, wrap(before))
        undo.append(lambda: delattr(owner, name) if missing else setattr(owner, name, before))

    change.__name__ = f"{getattr(owner, '__name__', owner)}.{name}"
    return change


def together(change):
    """Let a change of what model and twin share happen once."""

    def once(r, model, undo):
        if isinstance(model._replays, NoReplays):
            return
        change(r, model, undo)

    once.__name__ = change.__name__
    return once


def scaled(function, factor=0.5):
    @functools.wraps(function)
    def wrapped(*arguments, **keywords):
        return factor * function(*arguments, **keywords)

    return wrapped


def another_op(r, model, undo):
    before = TABLE[np.tanh]
    mg.Primitive(np.tanh, lambda g, z, x: 0.5 * g)
    undo.append(lambda: TABLE.__setitem__(np.tanh, before))


def a_custom_gradient(r, model, undo):
    mg.custom_gradient(lambda g, z, x: 5 * g)(pick(r, [np.tanh, np.exp, np.abs]))


def a_hook(r, model, undo):
    weight = pick(r, model.trainable_weights)
    if weight is not None:
        undo.append(weight.register_hook(lambda g: g * 1.5))


def an_optimizer_setting(r, model, undo):
    if isinstance(model.optimizer.get_config()["learning_rate"], float):  # else a schedule
        model.optimizer.learning_rate = float(pick(r, [0.01, 0.001, 0.1]))


SETTINGS = [a_regularizer, a_regularizer, a_strength, a_strength, fickle_numbers, an_activation,
            freezing, values, values, a_loss_weight, a_wrapped_loss, a_wrapped_call, a_hook,
            an_optimizer_setting, together(another_op), together(a_custom_gradient),
            together(patched(layers.Dense, "call", scaled)),
            together(patched(losses.Loss, "__call__", scaled)),
            together(patched(regularizers.L1, "__call__", scaled)),
            together(patched(regularizers.Regularizer, "averages_over_batch", lambda old: not old)),
            together(patched(regularizers.L2, "averages_over_batch", lambda old: not old)),
            together(patched(regularizers, "sum_of_squares", scaled)),
            together(patched(np, "abs", scaled))]  # fmt: skip


# ---- values -------------------------------------------------------------------------------------


def before_backward(seed):
    """Change what a forward pass has used; the gradient is that of what it saw, or an error."""
    r = np.random.default_rng(seed)
    choice = int(r.integers(2**31))
    untouched, expected = forward(np.random.default_rng(choice))
    expected.backward()
    made, loss = forward(np.random.default_rng(choice))
    changes = [pick(r, VALUES) for _ in range(int(r.integers(1, 4)))]
    names = [change.__name__ for change in changes]
    for change in changes:
        change(r, made)
    for leaf in made["leaves"]:
        leaf.grad = None
    try:
        loss.backward()
    except RuntimeError as error:
        return "" if "changed" in str(error) else f"{names}: {error}"
    pairs = zip(made["leaves"], untouched["leaves"], strict=True)
    if not all(same(ours.grad, other.grad) for ours, other in pairs):
        return f"another gradient after {names}"
    return ""


def forward(r):
    """Return what a random computation uses, and its scalar result."""
    arrays = [r.normal(size=(4, 3)), r.normal(size=(3, 3)), r.normal(size=3)]
    if r.random() < 0.5:
        arrays = [np.asfortranarray(array) for array in arrays]
    leaves = [mg.Parameter(r.normal(size=(3, 3))), mg.Parameter(r.normal(size=3)),
              mg.Tensor(arrays[1], requires_grad=True)]  # fmt: skip
    optimizer = optimizers.SGD(0.1)
    optimizer.build(leaves[:2])
    index = r.integers(0, 4, 6)
    mask = r.random((4, 3)) < 0.5
    state = arrays[0] @ leaves[0] + leaves[1]
    steps = [
        lambda t: np.tanh(t) * arrays[2],
        lambda t: t @ leaves[2],
        lambda t: np.where(mask, t, 0.1 * t),
        lambda t: t + arrays[0],
        lambda t: t[index][:4],
        lambda t: t * leaves[1],
        lambda t: np.exp(-t * t),
        lambda t: np.concatenate([t, arrays[0]])[:4],
        lambda t: t.reshape(3, 4).T,
        lambda t: np.maximum(t, arrays[0]),
        lambda t: mg.custom_gradient(lambda g, z, x: g)(np.sign)(t) + t,
    ]
    for number in r.integers(0, len(steps), int(r.integers(1, 6))):
        state = steps[number](state)
    made = {"arrays": arrays, "leaves": leaves, "optimizer": optimizer, "index": index,
            "mask": mask, "state": state}  # fmt: skip
    return made, (state * state).mean() + np.abs(leaves[0]).sum()


def write_into_an_array(r, made):
    pick(r, made["arrays"])[...] = 7.0


def write_into_an_index(r, made):
    made["index"][:] = 0
    made["mask"][:] = True


def assign(r, made):
    leaf = pick(r, made["leaves"][:2])
    leaf.assign(leaf.numpy() * 3)


def write_into_data(r, made):
    pick(r, made["leaves"]).data[...] = 5.0


def add_in_place(r, made):
    leaf = pick(r, made["leaves"])
    with mg.no_grad():
        leaf += 2.0


def step_of_the_optimizer(r, made):
    for leaf in made["leaves"][:2]:
        leaf.grad = np.ones(leaf.shape, leaf.dtype)
    made["optimizer"].step()


def freeze(r, made):
    pick(r, made["leaves"][:2]).trainable = True


def another_backward(r, made):
    (made["leaves"][0] * 2).sum().backward()


def a_new_op(r, made):
    mg.custom_gradient(lambda g, z, x: 9 * g)(pick(r, [np.tanh, np.exp, np.abs]))


VALUES = [write_into_an_array, write_into_an_index, assign, write_into_data, add_in_place,
          step_of_the_optimizer, freeze, another_backward, a_new_op]  # fmt: skip
