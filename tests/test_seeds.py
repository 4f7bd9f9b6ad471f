import minigrad as mg
from minigrad.layers import Dense


def test_the_global_seed_makes_everything_repeatable():
    drawn = []
    for seed in (1, 1, 2):
        mg.set_seed(seed)
        drawn.append([Dense(2, input_dim=2).kernel.numpy().tolist() for _ in range(2)])
    assert drawn[0] == drawn[1] != drawn[2]
    assert drawn[0][0] != drawn[0][1]
