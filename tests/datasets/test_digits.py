import numpy as np
import pytest

from minigrad.datasets import load_digits, train_test_split


def test_the_digits_are_the_uci_test_set():
    digits = load_digits()
    assert digits.images.shape == (1797, 64)
    assert digits.images.dtype == np.float32
    assert (digits.images.min(), digits.images.max()) == (0, 1)
    # The numbers of each class, as the repository's description gives them.
    assert np.bincount(digits.labels).tolist() == [
        178, 182, 177, 183, 181, 182, 181, 179, 174, 180,
    ]  # fmt: skip


def test_a_split_keeps_every_sample_once_and_depends_on_the_seed_only():
    samples = np.arange(11)
    train, held_out = train_test_split(samples, 0.3, seed=4)
    assert (len(train), len(held_out)) == (8, 3)
    assert sorted([*train, *held_out]) == samples.tolist()
    again = train_test_split(samples, 0.3, seed=4)
    assert (again[0] == train).all()
    assert (train_test_split(samples, 0.3, seed=5)[0] != train).any()


def test_each_side_of_a_split_keeps_a_sample():
    for fraction in (0.001, 0.999):
        train, held_out = train_test_split(np.arange(2), fraction)
        assert len(train) == len(held_out) == 1
    with pytest.raises(ValueError, match="at least 2"):
        train_test_split(np.arange(1))
    with pytest.raises(ValueError, match="between 0 and 1"):
        train_test_split(np.arange(5), 1.0)
