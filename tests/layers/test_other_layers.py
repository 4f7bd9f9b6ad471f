import numpy as np
import pytest

import minigrad as mg
from minigrad.layers import Dense, Embedding, Input, Lambda, Layer, PReLU
from minigrad.testing import check_grads


def test_embedding_gathers_rows_and_sums_their_gradients():
    layer = Embedding(4, 2, dtype="float64")
    layer([[0]])
    output = layer([[1, 3, 1]])
    assert output.shape == (1, 3, 2)
    output.sum().backward()
    assert layer.embeddings.grad.tolist() == [[0, 0], [2, 2], [0, 0], [1, 1]]


def test_embedding_is_a_dense_layer_on_one_hot_rows():
    numbers = np.array([2, 0, 1])
    embedding, dense = Embedding(3, 4), Dense(4, use_bias=False, input_dim=3)
    embedding(numbers)
    dense.set_weights(embedding.get_weights())
    assert (embedding(numbers).numpy() == dense(np.eye(3)[numbers]).numpy()).all()


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([[3]], "expected numbers from 0 to 2. Received: from 3 to 3"),
        ([[-1]], "expected numbers from 0 to 2"),
        ([[0.5]], "needs whole numbers"),
    ],
)
def test_embedding_refuses_what_is_no_number_of_a_thing(x, message):
    with pytest.raises(ValueError, match=message):
        Embedding(3, 2)(x)


def test_an_embedding_model_trains_on_whole_numbers():
    mg.set_seed(0)
    model = mg.Sequential(Embedding(5, 3, input_shape=(2,)), mg.layers.Flatten(), Dense(1))
    model.compile(mg.optimizers.Adam(0.05), "mse")
    x = np.arange(40).reshape(20, 2) % 5
    y = x.sum(axis=1, keepdims=True)
    history = model.fit(x, y, epochs=60, verbose=0)
    assert history.history["loss"][-1] < 0.1 * history.history["loss"][0]


def test_prelu_has_a_slope_for_each_unit():
    layer = PReLU(alpha_initializer=mg.initializers.Constant([0.5, 0.1]), input_shape=(2,))
    np.testing.assert_allclose(layer([[-2.0, -2.0], [3.0, 3.0]]).numpy(), [[-1, -0.2], [3, 3]])
    check_grads(lambda x: layer.call(x), [np.array([[1.0, -2.0]])])
    assert PReLU(shared_axes=[1, 2], input_shape=(4, 5, 3)).alpha.shape == (1, 1, 3)
    with pytest.raises(ValueError, match="shared_axes must be integers from 1"):
        PReLU(shared_axes=[0])
    with pytest.raises(ValueError, match="does not fit"):
        PReLU(shared_axes=[3], input_shape=(4,))
    with pytest.raises(ValueError, match="expected samples that fit the slopes"):
        layer(np.ones((2, 3)))


@mg.register_serializable("test>scaled")
def scaled(x, factor):
    return x * factor


def test_lambda_applies_a_function_and_survives_saving_if_it_is_registered(tmp_path):
    model = mg.Sequential(Dense(2, input_dim=3), Lambda(scaled, arguments={"factor": 3.0}))
    model.save(tmp_path / "m.npz")
    x = np.ones((1, 3))
    assert (mg.load(tmp_path / "m.npz").predict(x) == model.predict(x)).all()
    with pytest.raises(ValueError, match="lambda"):
        mg.Sequential(Dense(2, input_dim=3), Lambda(lambda x: x)).save(tmp_path / "m.npz")


def test_lambda_finds_its_output_shape_or_is_told():
    assert Lambda(lambda x: x[:, :2]).compute_output_shape((None, 5)) == (None, 2)
    assert Lambda(lambda x: x, output_shape=(7,)).compute_output_shape((None, 5)) == (None, 7)
    assert Lambda(abs, output_shape=lambda s: s).compute_output_shape((None, 5)) == (None, 5)
    with pytest.raises(ValueError, match="define compute_output_shape"):
        Lambda(abs).compute_output_shape((None, None))


def test_lambda_refuses_to_hide_weights():
    weight = mg.Parameter([1.0])
    with pytest.raises(ValueError, match="would hide"):
        Lambda(lambda x: x * weight)
    with pytest.raises(TypeError, match="expected a function"):
        Lambda(3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Input(), "shape= or batch_shape="),
        (lambda: Input(batch_size=2, batch_shape=(2, 3)), "batch_shape has the batch in it"),
        (lambda: Input(64), r"Write \(64,\)"),
        (lambda: Input((-1,)), "must be a tuple of lengths"),
        (lambda: mg.Sequential(Dense(2), Input((3,))), "in front of all layers"),
    ],
)
def test_input_tells_a_shape_in_front(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_input_builds_a_model_at_once():
    assert mg.Sequential([Input((3,)), Dense(2)]).built
    assert mg.Sequential([Input(batch_shape=(None, 3)), Dense(2)]).count_params() == 8


# ---- layers made of layers -----------------------------------------------------------------------


class Block(Layer):
    """Two layers and a weight of its own."""

    def __init__(self, units, **arguments):
        super().__init__(**arguments)
        self.units = units
        self.steps = [Dense(units, "relu", kernel_regularizer="l2"), Dense(units)]
        self.scale = mg.Parameter([2.0])

    def call(self, x):
        for step in self.steps:
            x = step(x)
        return x * self.scale


def test_layers_and_parameters_that_are_attributes_are_found():
    block = Block(3, name="block")
    block(np.ones((2, 3)))
    assert list(block.named_parameters()) == [
        "scale",
        "dense/kernel",
        "dense/bias",
        "dense_1/kernel",
        "dense_1/bias",
    ]
    assert list(block.loss_terms()) == ["block/dense/kernel"]
    block.trainable = False
    assert not any(p.trainable for p in block.parameters())
    assert block.losses == []


def test_a_model_of_blocks_trains_all_of_them_and_names_their_terms():
    model = mg.Sequential(Block(3, name="first"), Block(2, name="second"))
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(4, 3))
    terms = model.train_on_batch(x, x[:, :2], return_dict=True)
    assert list(terms) == ["loss", "data", "first/dense/kernel", "second/dense/kernel"]
    assert "first/scale" in model.named_parameters()
    before = model.get_weights()
    model.fit(x, x[:, :2], epochs=5, verbose=0)
    assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))


def test_a_layer_can_take_several_tensors():
    class Add(Layer):
        def build(self, shapes):
            self.seen = shapes

        def call(self, pair):
            return pair[0] + pair[1]

    layer = Add()
    x = mg.Tensor([[1.0, 2.0]])
    assert layer([x, x]).tolist() == [[2.0, 4.0]]
    assert layer.seen == [(1, 2), (1, 2)]


def test_signatures_show_what_is_handed_on_to_the_base():
    import inspect

    names = list(inspect.signature(mg.layers.Conv2D).parameters)
    assert names[:3] == ["filters", "kernel_size", "strides"]
    assert {"kernel_regularizer", "bias_regularizer", "activity_regularizer", "name"} < set(names)
