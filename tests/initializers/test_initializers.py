import math

import numpy as np
import pytest

import minigrad as mg
from minigrad import initializers

RANDOM = {
    "glorot_uniform": 2 / (200 + 300),
    "glorot_normal": 2 / (200 + 300),
    "he_uniform": 2 / 200,
    "he_normal": 2 / 200,
    "lecun_uniform": 1 / 200,
    "lecun_normal": 1 / 200,
    "random_normal": 0.05**2,
    "random_uniform": 0.1**2 / 12,
}


@pytest.mark.parametrize(("name", "variance"), RANDOM.items())
def test_the_variance_is_what_the_fan_rule_asks_for(name, variance):
    values = initializers.get(name)((200, 300), generator=np.random.default_rng(0))
    assert values.dtype == np.float32
    assert values.var() == pytest.approx(variance, rel=0.02)
    assert abs(values.mean()) < 4 * math.sqrt(variance / values.size)


def test_truncated_normal_stays_within_two_standard_deviations():
    values = initializers.TruncatedNormal(mean=1, stddev=0.5, seed=0)((1000,), "float64")
    assert np.abs(values - 1).max() <= 1


def test_constants():
    assert initializers.get("zeros")((2,)).tolist() == [0, 0]
    assert initializers.get("ones")((2,)).tolist() == [1, 1]
    assert initializers.Constant([1, 2])((3, 2)).tolist() == [[1, 2]] * 3


@pytest.mark.parametrize(
    ("shape", "fans"),
    [((), (1, 1)), ((7,), (7, 7)), ((3, 5), (3, 5)), ((2, 3, 4, 5), (24, 30))],
)
def test_fans(shape, fans):
    assert initializers.fans(shape) == fans


def test_a_seed_of_its_own_gives_the_same_numbers_each_time():
    first = initializers.GlorotUniform(seed=3)
    assert (first((4, 4)) == first((4, 4))).all()
    assert (first((4, 4)) == initializers.GlorotUniform(seed=3)((4, 4))).all()
    assert (first((4, 4)) != initializers.GlorotUniform(seed=4)((4, 4))).any()


@pytest.mark.parametrize(
    "made",
    [
        initializers.VarianceScaling(2, "fan_out", "uniform", 5),
        initializers.HeNormal(seed=1),
        initializers.Constant(3.5),
        initializers.RandomUniform(-1, 1),
    ],
)
def test_configs_round_trip(made):
    twin = initializers.deserialize(initializers.serialize(made))
    assert type(twin) is type(made)
    assert twin.get_config() == made.get_config()


@pytest.mark.parametrize(
    "bad",
    [
        {"scale": 0},
        {"mode": "fan"},
        {"distribution": "normal"},
        {"seed": -1},
        {"seed": 1.5},
    ],
)
def test_bad_arguments_are_refused(bad):
    with pytest.raises(ValueError, match=str(next(iter(bad.values())))):
        initializers.VarianceScaling(**bad)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (2, 3, 4), (3, 3, 2, 4)])
def test_orthogonal_kernels_keep_lengths(shape):
    kernel = initializers.Orthogonal(gain=2.0, seed=1)(shape, "float64").reshape(-1, shape[-1])
    few = kernel if kernel.shape[0] >= kernel.shape[1] else kernel.T
    np.testing.assert_allclose(few.T @ few, 4 * np.eye(few.shape[1]), atol=1e-12)


def test_orthogonal_matrices_are_not_all_of_one_kind():
    determinants = {
        round(np.linalg.det(initializers.Orthogonal(seed=seed)((3, 3), "float64")))
        for seed in range(20)
    }
    assert determinants == {-1, 1}


def test_identity():
    assert initializers.get("identity")((2, 2)).tolist() == [[1, 0], [0, 1]]
    assert type(initializers.get("IdentityInitializer")) is initializers.Identity


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: initializers.Zeros(seed=True), "seed must be an integer"),
        (lambda: initializers.Constant("one"), "Constant: value must be a finite number"),
        (lambda: initializers.Constant(float("nan")), "value must be a finite number"),
        (lambda: initializers.RandomNormal(stddev=-1), "RandomNormal: stddev must be.*stddev=-1"),
        (lambda: initializers.TruncatedNormal(mean="0"), "TruncatedNormal: mean must be"),
        (lambda: initializers.RandomUniform(1, 0), "RandomUniform: maxval must be.*≥ 1"),
        (lambda: initializers.VarianceScaling(scale=True), "scale must be a number above 0"),
        (lambda: initializers.Orthogonal(float("inf")), "Orthogonal: gain must be"),
        (lambda: initializers.Orthogonal()((3,)), "two axes or more. Received: "),
        (lambda: initializers.Identity()((2, 2, 2)), "two axes. Received: "),
    ],
)
def test_arguments_are_checked(make, message):
    with pytest.raises(ValueError, match=message):
        make()


class Halves(initializers.Initializer):
    """As one is written for Keras: it knows no generator."""

    def __call__(self, shape, dtype=None):
        return np.full(shape, 0.5, dtype)


@pytest.mark.parametrize(
    "initializer",
    [
        Halves(),
        Halves,
        lambda shape, dtype=None: np.full(shape, 0.5, dtype),
        lambda shape, dtype, generator: generator.uniform(0.5, 0.5, shape),
        lambda shape, **further: mg.Tensor(np.full(shape, 0.5)),
        np.full((3, 2), 0.5),
        mg.Tensor(np.full((3, 2), 0.5)),
    ],
)
def test_one_of_a_users_own_may_know_a_generator_or_not_and_an_array_is_its_values(initializer):
    layer = mg.layers.Dense(2, kernel_initializer=initializer, input_dim=3)
    assert layer.kernel.numpy().tolist() == [[0.5] * 2] * 3
    weight = mg.Parameter(initializers.get(initializer), shape=(3, 2), dtype="float64")
    assert weight.dtype == np.float64
    assert weight.numpy().tolist() == [[0.5] * 2] * 3


def test_a_function_that_takes_a_generator_is_reached_by_the_seed_of_its_layer():
    def draw(shape, dtype, generator):
        return generator.normal(size=shape)

    kernels = [
        mg.layers.Dense(2, kernel_initializer=draw, input_dim=3, seed=seed).kernel.numpy()
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])


def test_an_array_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="no value of shape"):
        mg.layers.Dense(2, kernel_initializer=np.ones((2, 2)), input_dim=3)
