import numpy as np
import pytest

import minigrad as mg
from minigrad.layers import Dense
from minigrad.seeds import new_generator


def test_the_global_seed_makes_everything_repeatable():
    drawn = []
    for seed in (1, 1, 2):
        mg.set_seed(seed)
        drawn.append([Dense(2, input_dim=2).kernel.numpy().tolist() for _ in range(2)])
    assert drawn[0] == drawn[1] != drawn[2]
    assert drawn[0][0] != drawn[0][1]


def test_a_seed_of_ones_own_is_independent_of_the_global_one():
    drawn = []
    for seed in (1, 2):
        mg.set_seed(seed)
        drawn.append(Dense(2, input_dim=2, seed=7).kernel.tolist())
    assert drawn[0] == drawn[1]


def test_generators_without_a_seed_are_children_that_differ():
    def children():
        mg.set_seed(3)
        return [new_generator().integers(2**62) for _ in range(5)]

    first = children()
    assert len(set(first)) == 5
    assert children() == first
    mg.set_seed(3)
    new_generator(99)  # takes nothing from the global one
    assert new_generator().integers(2**62) == first[0]


def test_the_same_seed_trains_to_the_same_bits():
    def trained(seed):
        mg.set_seed(seed)
        model = mg.Sequential(Dense(3, "relu", input_dim=4), Dense(4))
        model.compile("adam", "mse")
        x = np.linspace(0, 1, 40).reshape(10, 4)
        losses = model.fit(x, x, batch_size=3, epochs=3, verbose=0).history["loss"]
        return losses, [parameter.numpy().tobytes() for parameter in model.parameters()]

    assert trained(5) == trained(5)
    assert trained(5)[1] != trained(6)[1]


def test_numpys_global_generator_is_neither_used_nor_moved():
    np.random.seed(0)
    before = np.random.get_state()[1].tolist()
    mg.set_seed(1)
    model = mg.Sequential(Dense(3, input_dim=2))
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 2)), np.ones((4, 3)), verbose=0)
    assert np.random.get_state()[1].tolist() == before


@pytest.mark.parametrize(
    ("seed", "error"), [(-1, ValueError), ("seven", TypeError), (1.5, TypeError)]
)
def test_a_seed_is_a_non_negative_integer(seed, error):
    mg.set_seed(0)
    expected = new_generator().integers(2**62)
    mg.set_seed(0)
    with pytest.raises(error):
        mg.set_seed(seed)
    assert new_generator().integers(2**62) == expected  # the refused one changed nothing
