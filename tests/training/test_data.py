import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.training.data import as_data, as_pair, batches, split_off_validation
from minigrad.training.history import History, LossTracker

F32 = np.dtype(np.float32)
sizes = st.integers(1, 40)


# ---- batches -----------------------------------------------------------------------------------


@given(sizes, sizes, st.booleans())
def test_batches_hold_every_sample_once_beside_its_own_target(samples, batch_size, shuffled):
    x = np.arange(samples)
    generator = np.random.default_rng(0) if shuffled else None
    pairs = list(batches((x, 10 * x), batch_size, generator))
    assert all((targets == 10 * batch).all() for batch, targets in pairs)
    together = np.concatenate([batch for batch, _ in pairs])
    assert sorted(together) == x.tolist()
    if not shuffled:
        assert together.tolist() == x.tolist()
    lengths = [len(batch) for batch, _ in pairs]
    assert set(lengths[:-1]) <= {batch_size}
    assert 1 <= lengths[-1] <= batch_size


def test_the_order_is_drawn_from_the_generator_and_anew_for_each_epoch():
    x = np.arange(50)

    def epochs(seed):
        generator = np.random.default_rng(seed)
        return [[b.tolist() for b, _ in batches((x, None), 10, generator)] for _ in range(2)]

    first, second = epochs(3)
    assert first != second
    assert epochs(3) == [first, second]
    assert epochs(4) != [first, second]


def test_an_autoencoders_targets_are_its_batch_itself_and_not_a_second_copy():
    x = np.arange(6)
    for generator in (None, np.random.default_rng(0)):
        assert all(batch is targets for batch, targets in batches((x, x), 4, generator))
    assert all(targets is None for _, targets in batches((x, None), 4))


@pytest.mark.parametrize("size", [0, -1, 2.0, "8", True, None])
def test_a_batch_size_is_a_positive_integer(size):
    with pytest.raises(ValueError, match="batch_size must be a positive integer"):
        next(batches((np.arange(3), None), size))


# ---- validation --------------------------------------------------------------------------------


@given(st.integers(2, 60), st.floats(0.01, 0.99))
def test_a_split_keeps_every_sample_in_order_and_the_last_for_validation(samples, fraction):
    x = np.arange(samples)
    kept = int(samples * (1 - fraction))
    if kept == 0:
        with pytest.raises(ValueError, match=f"leaves no samples of {samples} on one side"):
            split_off_validation(x, x, fraction)
        return
    (x_train, y_train), (x_held, y_held) = split_off_validation(x, -x, fraction)
    assert [*x_train, *x_held] == x.tolist()
    assert len(x_train) == kept
    assert (y_train == -x_train).all()
    assert (y_held == -x_held).all()


def test_a_split_of_inputs_alone_has_no_targets():
    (_, y_train), (_, y_held) = split_off_validation(np.arange(4), None, 0.5)
    assert y_train is y_held is None


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.5, 2, np.nan])
def test_a_split_is_a_fraction(fraction):
    with pytest.raises(ValueError, match=r"validation_split must be in \(0, 1\)"):
        split_off_validation(np.arange(4), None, fraction)


# ---- what comes in -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        [[1, 2], [3, 4]],
        ((1.0, 2.0), (3.0, 4.0)),
        np.array([[1, 2], [3, 4]], np.uint8),
        np.array([[1, 2], [3, 4]], np.float64),
        np.asfortranarray([[1, 2], [3, 4]]),
        mg.Tensor([[1.0, 2.0], [3.0, 4.0]]),
        [np.float64([[1, 2], [3, 4]])],
    ],
)
def test_whatever_holds_numbers_becomes_an_array_of_the_models_dtype(values):
    array = as_data("x", values, F32)
    assert array.dtype == F32
    assert array.tolist() == [[1, 2], [3, 4]]


def test_data_that_fit_are_not_copied():
    x = np.ones((3, 2), np.float32)
    assert as_data("x", x, F32) is x
    inputs, targets = as_pair(x, x, F32)
    assert inputs is targets is x


def test_booleans_are_zeros_and_ones():
    assert as_data("x", [[True, False]], F32).tolist() == [[1, 0]]


@given(
    st.integers(1, 6),
    st.integers(1, 4),
    st.data(),
    st.sampled_from([np.nan, np.inf, -np.inf, 1e300, -1e39]),
)
def test_numbers_that_are_not_finite_are_counted_and_located(rows, columns, data, bad):
    x = np.zeros((rows, columns))
    spots = data.draw(st.sets(st.integers(0, x.size - 1), min_size=1))
    x.ravel()[list(spots)] = bad
    first = tuple(int(i) for i in np.unravel_index(min(spots), x.shape))
    with pytest.raises(ValueError, match=f"targets holds {len(spots)} values that are") as error:
        as_data("targets", x, F32)
    assert f"at index {first}" in str(error.value)


def test_numbers_that_float64_holds_are_fine_in_float64():
    assert as_data("x", [np.float64(1e300)], np.dtype(np.float64)).tolist() == [1e300]


@pytest.mark.parametrize(
    "values",
    [
        [["a", "b"]],
        np.array([["1", "2"]]),
        np.array([[None, 1]]),
        [{"a": 1}],
        [[1, 2], [3]],
        np.array([1 + 2j]),
        np.array(["2020-01-01"], "datetime64[D]"),
        None,
    ],
)
def test_what_is_no_number_is_refused_by_the_name_of_the_argument(values):
    with pytest.raises(TypeError, match=r"^y: expected .*real numbers|^y: expected numbers"):
        as_data("y", values, F32)


@pytest.mark.parametrize(
    ("values", "shape"), [(3.0, "()"), ([], "(0,)"), (np.ones((0, 4)), "(0, 4)")]
)
def test_there_must_be_a_sample(values, shape):
    with pytest.raises(ValueError, match="x must hold at least one sample") as error:
        as_data("x", values, F32)
    assert str(error.value).endswith(f"shape {shape}")


def test_inputs_and_targets_must_be_equally_many():
    with pytest.raises(ValueError, match=r"x of shape \(3, 2\), y of shape \(4,\)"):
        as_pair(np.ones((3, 2)), np.ones(4), F32)


# ---- what comes out ----------------------------------------------------------------------------


@given(st.lists(st.tuples(st.floats(-100, 100), st.integers(1, 50)), min_size=1, max_size=8))
def test_averages_are_weighted_by_the_sizes_of_the_batches(seen):
    averages = LossTracker()
    for value, samples in seen:
        averages.add_batch({"loss": value, "data": -value}, samples)
    values, weights = zip(*seen, strict=True)
    expected = np.average(values, weights=weights)
    means = averages.means()
    assert means["loss"] == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert means["data"] == -means["loss"]


def test_a_history_is_a_series_for_each_name():
    history = History()
    assert repr(history) == "History(no epochs)"
    history.append(0, {"loss": 2.0, "val_loss": 3.0})
    history.append(1, {"loss": 1.0, "val_loss": 2.5})
    assert history.history == {"loss": [2, 1], "val_loss": [3, 2.5]}
    assert history.epoch == [0, 1]
    assert repr(history) == "History(2 epochs; last: loss=1, val_loss=2.5)"
