import copy

import numpy as np
import pytest

import minigrad as mg
from minigrad.layers import Dense, DenseTranspose

X = np.random.default_rng(0).uniform(0, 1, (6, 5))


def tied():
    encoder = Dense(3, "relu", kernel_regularizer=mg.regularizers.L2(0.1), name="codings", seed=0)
    model = mg.Sequential(encoder, DenseTranspose(encoder, "sigmoid", name="pixels"))
    model.compile(mg.optimizers.Adam(0.01), "mse")
    model(X)
    return model


def test_there_is_one_kernel_and_one_penalty():
    model = tied()
    assert list(model.named_parameters()) == ["codings/kernel", "codings/bias", "pixels/bias"]
    assert list(model.loss_terms()) == ["codings/kernel"]
    assert model.layers[1].bias.shape == (5,)


def test_the_gradient_is_the_sum_of_both_places():
    model = tied()
    encoder, decoder = model.layers
    trace = model.trace(X, X)
    kernel = encoder.kernel.numpy()
    other = Dense(5, "sigmoid", input_dim=3)
    untied = mg.Sequential(encoder, other)
    other.set_weights([kernel.T, decoder.bias.numpy()])
    untied.compile("sgd", "mse")
    apart = untied.trace(X, X)
    expected = (
        apart.gradient("codings/kernel", "data") + apart.gradient(f"{other.name}/kernel", "data").T
    )
    np.testing.assert_allclose(trace.gradient("codings/kernel", "data"), expected, rtol=1e-5)


@pytest.mark.parametrize("nested", [False, True])
def test_saving_copying_and_cloning_keep_the_tie(tmp_path, nested):
    model = tied()
    if nested:
        encoder, decoder = model.layers
        model = mg.Sequential(
            mg.Sequential(encoder, name="encoder"), mg.Sequential(decoder, name="decoder")
        )
    model.save(tmp_path / "m.npz")
    twins = [mg.load(tmp_path / "m.npz"), copy.deepcopy(model), model.clone()]
    for twin in twins:
        twin(X)
        layers = [layer for _, layer in twin.paths() if not isinstance(layer, mg.Sequential)]
        assert layers[1].tied_to is layers[0]
        assert len(twin.parameters()) == 3
    assert (twins[0].predict(X) == model.predict(X)).all()


def test_a_name_is_enough():
    model = mg.Sequential(
        Dense(3, name="codings", input_dim=5), DenseTranspose("codings"), name="m"
    )
    assert model(X).shape == (6, 5)
    assert model.layers[1].tied_to is model.layers[0]


def test_what_is_no_dense_layer_is_refused():
    with pytest.raises(TypeError, match="must be a Dense layer or its name"):
        DenseTranspose(mg.layers.Flatten())
    with pytest.raises(ValueError, match=r"must be a Dense layer\. Received: <Flatten"):
        mg.Sequential(mg.layers.Flatten(name="f"), DenseTranspose("f"))
    with pytest.raises(RuntimeError, match="must stand before it"):
        DenseTranspose("nowhere")(X)
    with pytest.raises(RuntimeError, match="has no kernel yet"):
        DenseTranspose(Dense(3))(X)
    encoder = Dense(3, input_dim=5, name="codings")
    with pytest.raises(ValueError, match=r"\(batch, …, 3\).*'codings'.*\(6, 5\)"):
        DenseTranspose(encoder)(X)
