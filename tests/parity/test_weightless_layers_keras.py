"""Layers without weights, in random configurations, in the real Keras 3 on its torch backend."""

import os

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.layers import (
    activation_layers,
    global_pooling,
    merging,
    noise,
    padding,
    pooling,
    reshaping,
    up_sampling,
)

os.environ["KERAS_BACKEND"] = "torch"
keras = pytest.importorskip("keras", reason="the real Keras is not installed")
torch = pytest.importorskip("torch", reason="the real PyTorch is not installed")

# The peer's own warnings about its dependencies are not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

TOLERANCE = {"float32": 1e-4, "float64": 1e-6}
# What Keras writes into a config beside the settings of the layer itself.
COMMON = {"name", "trainable", "dtype"}


def plain(value):
    """Sequences as lists and numbers as floats, as which the frameworks' configs must be equal."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else value


def hold_against_keras(module, kind, arguments, x, dtype="float64"):
    """Outputs, shapes and input gradients; and each takes the other's config."""
    ours = getattr(module, kind)(**arguments, dtype=dtype)
    theirs = getattr(keras.layers, kind)(**arguments, dtype=dtype)
    x = np.asarray(x, dtype)
    tensor, peer = mg.Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    output, result = ours(tensor), theirs(peer)
    assert output.shape == tuple(result.shape)
    assert output.dtype == dtype
    assert ours.compute_output_shape(x.shape) == tuple(theirs.compute_output_shape(x.shape))
    upstream = np.random.default_rng(0).normal(size=output.shape).astype(dtype)
    found = mg.grad((output * upstream).sum(), tensor)
    (wanted,) = torch.autograd.grad((result * torch.tensor(upstream)).sum(), peer)
    for mine, other in [(output.numpy(), result.detach().numpy()), (found, wanted.numpy())]:
        assert mine.dtype == dtype
        scale = max(1.0, np.abs(other).max(initial=0))
        np.testing.assert_allclose(mine, other, TOLERANCE[dtype], TOLERANCE[dtype] * scale)

    their_settings = {k: v for k, v in theirs.get_config().items() if k not in COMMON}
    our_settings = {k: v for k, v in ours.get_config().items() if k in their_settings}
    assert set(their_settings) - set(our_settings) <= {"data_format"}  # there is but one here
    assert plain(our_settings) == plain({key: their_settings[key] for key in our_settings})
    for config in (their_settings, our_settings):
        twin = getattr(module, kind).from_config({**config, "dtype": dtype})
        assert (twin(x).numpy() == output.numpy()).all()
    peer_twin = getattr(keras.layers, kind)(**our_settings, dtype=dtype)
    assert (peer_twin(peer).detach().numpy() == result.detach().numpy()).all()


def distinct(shape):
    """Random numbers of which no two are equal: where there are ties, we share and PyTorch not."""
    return np.random.default_rng(1).permutation(np.prod(shape)).reshape(shape) / 7.0


def one_or_each(rank, numbers):
    """A number for all dimensions, or a tuple of one for each."""
    return st.one_of(numbers, st.tuples(*[numbers] * rank))


def each(value, rank):
    return value if isinstance(value, tuple) else (value,) * rank


def input_shapes(rank, longest):
    return st.tuples(st.integers(1, 3), *[st.integers(1, longest)] * rank, st.integers(1, 3))


@st.composite
def poolings(draw, rank):
    """Arguments of a pooling layer, and the shape of an input that fits it."""
    arguments = {
        "pool_size": draw(one_or_each(rank, st.integers(1, 4))),
        "strides": draw(st.one_of(st.none(), one_or_each(rank, st.integers(1, 3)))),
        "padding": draw(st.sampled_from(["valid", "same"])),
    }
    shape = draw(input_shapes(rank, 7))
    if arguments["padding"] == "valid":
        windows = each(arguments["pool_size"], rank)
        assume(all(n >= k for n, k in zip(shape[1:-1], windows, strict=True)))
    return arguments, shape


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3), st.data())
def test_max_poolings_agree(rank, data):
    arguments, shape = data.draw(poolings(rank))
    hold_against_keras(pooling, f"MaxPooling{rank}D", arguments, distinct(shape))


def same_padding(arguments, shape):
    """How many elements ``padding="same"`` adds at both ends of each axis."""
    rank = len(shape) - 2
    windows = each(arguments["pool_size"], rank)
    steps = windows if arguments["strides"] is None else each(arguments["strides"], rank)
    totals = [
        max(0, (-(-n // s) - 1) * s + k - n)
        for n, k, s in zip(shape[1:-1], windows, steps, strict=True)
    ]
    return [(total // 2, total - total // 2) for total in totals]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3), st.data())
def test_average_poolings_agree(rank, data):
    arguments, shape = data.draw(poolings(rank))
    if arguments["padding"] == "same":
        # Where one end has more padding, Keras on PyTorch repeats elements, and they count;
        # and PyTorch fails on volumes that are smaller than the window.
        assume(all(front == back for front, back in same_padding(arguments, shape)))
        assume(rank < 3 or min(shape[1:-1]) >= max(each(arguments["pool_size"], rank)))
    hold_against_keras(pooling, f"AveragePooling{rank}D", arguments, distinct(shape))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3), st.data())
def test_average_poolings_with_padding_count_what_exists(rank, data):
    """As Keras does elsewhere than on PyTorch: sums over zeros, by the number of real elements."""
    arguments, shape = data.draw(poolings(rank))
    around = [(0, 0), *same_padding(arguments, shape), (0, 0)]
    x = distinct(shape)
    valid = {**arguments, "padding": "valid", "dtype": "float64"}
    theirs = getattr(keras.layers, f"AveragePooling{rank}D")(**valid)
    means, share = (theirs(np.pad(values, around)).numpy() for values in (x, np.ones_like(x)))
    same = {**arguments, "padding": "same", "dtype": "float64"}
    ours = getattr(pooling, f"AveragePooling{rank}D")(**same)
    np.testing.assert_allclose(ours(x).numpy(), means / share, rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3), st.sampled_from(["Max", "Average"]), st.booleans(), st.data())
def test_global_poolings_agree(rank, fold, keepdims, data):
    x = np.round(distinct(data.draw(input_shapes(rank, 7))))  # here, both share between ties
    kind = f"Global{fold}Pooling{rank}D"
    hold_against_keras(global_pooling, kind, {"keepdims": keepdims}, x)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3), st.data())
def test_up_samplings_agree(rank, data):
    factors = st.integers(1, 4)
    arguments = {"size": data.draw(factors if rank == 1 else one_or_each(rank, factors))}
    if rank == 2:
        arguments["interpolation"] = data.draw(st.sampled_from(["nearest", "bilinear"]))
    x = distinct(data.draw(input_shapes(rank, 4)))
    hold_against_keras(up_sampling, f"UpSampling{rank}D", arguments, x)


@st.composite
def margins(draw, rank):
    """How many places at the ends, in each of the ways that Keras takes them."""
    numbers = st.integers(0, 2)
    pairs = st.tuples(numbers, numbers)
    return draw(numbers | (pairs if rank == 1 else st.tuples(*[pairs | numbers] * rank)))


def in_pairs(margin, rank):
    """The same as a pair (front, back) for each dimension."""
    values = (margin,) if rank == 1 else each(margin, rank)
    return [value if isinstance(value, tuple) else (value, value) for value in values]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3), st.data())
def test_zero_paddings_agree(rank, data):
    margin = data.draw(margins(rank))
    x = distinct(data.draw(input_shapes(rank, 4)))
    hold_against_keras(padding, f"ZeroPadding{rank}D", {"padding": margin}, x)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3), st.data())
def test_croppings_agree(rank, data):
    margin = data.draw(margins(rank))
    kept = data.draw(input_shapes(rank, 3))
    lengths = [n + sum(pair) for n, pair in zip(kept[1:-1], in_pairs(margin, rank), strict=True)]
    x = distinct((kept[0], *lengths, kept[-1]))
    hold_against_keras(padding, f"Cropping{rank}D", {"cropping": margin}, x)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.booleans(), st.data())
def test_reshapes_agree(lengths, leave_one_out, data):
    target = list(data.draw(st.permutations(lengths)))
    if leave_one_out:
        target[data.draw(st.integers(0, len(target) - 1))] = -1
    x = distinct((2, *lengths))
    hold_against_keras(reshaping, "Reshape", {"target_shape": tuple(target)}, x)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.data())
def test_permutations_agree(lengths, data):
    dims = data.draw(st.permutations(range(1, len(lengths) + 1)))
    hold_against_keras(reshaping, "Permute", {"dims": tuple(dims)}, distinct((2, *lengths)))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 5))
def test_repeated_vectors_agree(batch, features, n):
    hold_against_keras(reshaping, "RepeatVector", {"n": n}, distinct((batch, features)))


positive = st.floats(0.1, 4)
numbers = st.lists(st.floats(-8, 8).map(lambda x: round(x, 1)), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(numbers, st.none() | positive, st.just(0.0) | positive, st.just(0.0) | positive)
@example([2.0, 1.0, 3.0], None, 0.0, 2.0)  # what equals the threshold does not pass
@example([2.0, 6.5, -1.0], 6.0, 0.0, 0.0)
def test_relus_agree(x, max_value, negative_slope, threshold):
    # Exactly at a kink, any slope between both sides is right; there Keras' own differ by settings.
    assume(max_value not in x and not (negative_slope and threshold in x))
    bends = {"max_value": max_value, "negative_slope": negative_slope, "threshold": threshold}
    hold_against_keras(activation_layers, "ReLU", bends, np.array([x]))


@settings(max_examples=25, deadline=None)
@given(numbers, st.just(0.0) | positive)
def test_leaky_relus_and_elus_agree(x, setting):
    x = np.array([x])
    hold_against_keras(activation_layers, "LeakyReLU", {"negative_slope": setting}, x)
    hold_against_keras(activation_layers, "ELU", {"alpha": setting}, x)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=2, max_size=4), st.data())
def test_softmaxes_agree(shape, data):
    one = st.integers(-len(shape), len(shape) - 1)
    several = st.lists(st.integers(1, len(shape) - 1), min_size=1, unique=True)
    x = np.random.default_rng(0).normal(0, 3, shape)
    hold_against_keras(activation_layers, "Softmax", {"axis": data.draw(one | several)}, x)


DEFAULTS = [
    *[(pooling, f"{kind}Pooling{rank}D") for kind in ("Max", "Average") for rank in (1, 2, 3)],
    *[(up_sampling, f"UpSampling{rank}D") for rank in (1, 2, 3)],
    *[(padding, f"{kind}{rank}D") for kind in ("ZeroPadding", "Cropping") for rank in (1, 2, 3)],
    *[
        (global_pooling, f"Global{kind}Pooling{rank}D")
        for kind in ("Max", "Average")
        for rank in (1, 2, 3)
    ],
    *[(activation_layers, kind) for kind in ("ReLU", "LeakyReLU", "ELU", "Softmax")],
]


@pytest.mark.parametrize(("module", "kind"), DEFAULTS, ids=[kind for _, kind in DEFAULTS])
def test_the_defaults_agree_also_in_float32(module, kind):
    rank = int(kind[-2]) if kind.endswith("D") else 1
    # Keras leaves the pool size of averages to be given.
    arguments = {"pool_size": 2} if kind.startswith("Average") else {}
    x = distinct((2, *(5,) * rank, 3)) / 100 - 0.1
    hold_against_keras(module, kind, arguments, x, "float32")


MERGING = ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(MERGING), st.integers(2, 4), st.data())
def test_merging_layers_agree(kind, count, data):
    shape = data.draw(st.lists(st.integers(1, 3), min_size=2, max_size=4))
    axis = data.draw(st.sampled_from([-1, *range(1, len(shape))]))
    arguments = {"axis": axis, "dtype": "float64"} if kind == "Concatenate" else {}
    count = 2 if kind == "Subtract" else count
    ours = getattr(merging, kind)(**{"dtype": "float64", **arguments})
    theirs = getattr(keras.layers, kind)(**{"dtype": "float64", **arguments})
    parts = [*distinct((count, *shape))]  # no ties, which we share
    if kind != "Concatenate":  # broadcast: axes of length 1, and missing ones in front
        for index in range(1, count):
            drawn = [data.draw(st.sampled_from([1, n])) for n in shape[1:]]
            first = data.draw(st.integers(0, len(drawn) - 1))
            lengths = [1] * first + drawn[first:]
            part = parts[index][(slice(None), *map(slice, lengths))]
            parts[index] = part.reshape(shape[0], *drawn[first:])
    inputs = [mg.Tensor(part, requires_grad=True) for part in parts]
    peers = [torch.tensor(part, requires_grad=True) for part in parts]
    output, result = ours(inputs), theirs(peers)
    shapes = [part.shape for part in parts]
    assert output.shape == tuple(result.shape) == tuple(theirs.compute_output_shape(shapes))
    assert ours.compute_output_shape(shapes) == output.shape
    shapes = [(None, *part.shape[1:]) for part in parts]
    assert ours.compute_output_shape(shapes) == theirs.compute_output_shape(shapes)
    upstream = np.random.default_rng(0).normal(size=output.shape)
    found = mg.grad((output * upstream).sum(), inputs)
    wanted = torch.autograd.grad((result * torch.tensor(upstream)).sum(), peers)
    # On PyTorch, the maximum and minimum of Keras are float32 whatever they are given.
    for one, other in zip([output.numpy(), *found], [result.detach(), *wanted], strict=True):
        assert one.dtype == np.float64
        np.testing.assert_allclose(one, other.numpy(), rtol=1e-6)


NOISE = {
    "Dropout": (2, {"rate": 0.25}),
    "SpatialDropout1D": (1, {"rate": 0.25}),
    "SpatialDropout2D": (2, {"rate": 0.5}),
    "SpatialDropout3D": (3, {"rate": 0.5}),
    "GaussianNoise": (2, {"stddev": 0.5}),
    "GaussianDropout": (2, {"rate": 0.2}),
}


@pytest.mark.parametrize("kind", NOISE)
def test_noise_has_the_mean_the_deviation_and_the_pattern_of_keras(kind):
    """The numbers are drawn by other generators, so what agrees is how they are distributed."""
    rank, arguments = NOISE[kind]
    x = np.full((4000, *(3,) * rank, 4), 2.0, "float32")
    ours = getattr(noise, kind)(**arguments, seed=0)
    theirs = getattr(keras.layers, kind)(**arguments, seed=0)
    for training in (None, False):
        assert (ours(x, training=training).numpy() == x).all()
        assert (theirs(torch.tensor(x), training=training).numpy() == x).all()
    found = ours(x, training=True).numpy()
    wanted = theirs(torch.tensor(x), training=True).numpy()
    assert found.shape == wanted.shape
    assert found.mean() == pytest.approx(wanted.mean(), abs=0.06)
    assert found.std() == pytest.approx(wanted.std(), rel=0.03)
    if not kind.startswith("Gaussian"):
        np.testing.assert_allclose(np.unique(found), np.unique(wanted), rtol=1e-6)
    whole = [(np.ptp(out, axis=tuple(range(1, rank + 1))) == 0).all() for out in (found, wanted)]
    assert whole[0] == whole[1] == kind.startswith("Spatial")
