import numpy as np
import pytest

import minigrad as mg
from minigrad.layers import Dense

X = np.random.default_rng(0).uniform(0, 1, (6, 4))


def model():
    shared = Dense(4, "relu", kernel_regularizer="l2", name="shared")
    made = mg.Sequential(
        mg.Sequential(
            Dense(4, "tanh", activity_regularizer=mg.regularizers.L1(1e-3), input_dim=4), name="e"
        ),
        shared,
        shared,
    )
    made.compile(mg.optimizers.Adam(0.02), "mse")
    made.fit(X, X, verbose=0)
    return made


def test_a_loaded_model_is_the_saved_one(tmp_path):
    made = model()
    made.save(tmp_path / "model.npz")
    twin = mg.load(tmp_path / "model.npz")
    assert (twin.predict(X) == made.predict(X)).all()
    assert twin.loss_terms(X, X).values_as_floats() == made.loss_terms(X, X).values_as_floats()
    assert twin.layers[1] is twin.layers[2]
    assert twin.optimizer.learning_rate == 0.02
    twin.fit(X, X, verbose=0)


def test_the_file_is_readable_with_plain_numpy(tmp_path):
    made = model()
    mg.save(made, tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz", allow_pickle=False) as file:
        weights = {name for name in file.files if not name.startswith("optimizer:")}
        assert weights == {"config", *made.named_parameters()}
        assert file["optimizer:momentum/shared/kernel"].shape == (4, 4)
        assert (file["shared/kernel"] == made.layers[1].kernel.numpy()).all()


def test_what_cannot_be_loaded_again_is_refused_before_the_old_file_is_touched(tmp_path):
    path = tmp_path / "model.npz"
    made = model()
    made.save(path)
    before = path.read_bytes()
    made.layers[1].kernel_regularizer = lambda kernel: kernel.sum()
    with pytest.raises(ValueError, match="lambda"):
        made.save(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["model.npz"]


def test_custom_objects_round_trip_once_they_are_registered(tmp_path):
    @mg.register_serializable("test>half")
    class Half(mg.regularizers.Regularizer):
        def __init__(self, strength):
            self.strength = strength

        def __call__(self, x):
            return 0.5 * self.strength * (x * x).sum()

        def get_config(self):
            return {"strength": self.strength}

    made = mg.Sequential(Dense(2, kernel_regularizer=Half(3.0), input_dim=2))
    made.save(tmp_path / "m.npz")
    twin = mg.load(tmp_path / "m.npz")
    assert twin.layers[0].kernel_regularizer.strength == 3


def damaged(path, **changes):
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    for name, value in changes.items():
        name = name.replace("__", "/")
        if value is None:
            del arrays[name]
        else:
            arrays[name] = value
    np.savez(path, **arrays)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda p: p.write_bytes(p.read_bytes()[:-200]), "no readable model file"),
        (lambda p: p.write_bytes(b"no zip at all"), "no readable model file"),
        (lambda p: p.write_bytes(b""), "no readable model file"),
        (lambda p: p.unlink(), "there is no file"),
        (lambda p: damaged(p, config=None), "no minigrad model"),
        (lambda p: damaged(p, config=np.array("{")), "config is damaged"),
        (lambda p: damaged(p, config=np.array('{"format": 99}')), "format 1"),
        (lambda p: damaged(p, shared__kernel=None), "misses weights 'shared/kernel'"),
        (lambda p: damaged(p, other=np.ones(1)), "has no weights 'other'"),
        (
            lambda p: damaged(p, shared__kernel=np.ones((2, 2))),
            r"expected 'shared/kernel'.*\(4, 4\)",
        ),
        (lambda p: damaged(p, shared__kernel=np.array([object()])), "only numbers"),
    ],
)
def test_a_damaged_file_is_refused_with_one_kind_of_error(tmp_path, damage, message):
    path = tmp_path / "model.npz"
    model().save(path)
    damage(path)
    with pytest.raises(mg.LoadError, match=message):
        mg.load(path)


def test_an_unknown_class_in_a_file_says_how_to_register_it(tmp_path):
    path = tmp_path / "model.npz"
    model().save(path)
    with np.load(path) as file:
        config = str(file["config"]).replace('"Dense"', '"Dance"')
    damaged(path, config=np.array(config))
    with pytest.raises(mg.LoadError, match=r"unknown layer 'Dance'.*register_serializable"):
        mg.load(path)


def test_an_unbuilt_model_cannot_be_saved(tmp_path):
    with pytest.raises(RuntimeError, match="no weights yet"):
        mg.Sequential(Dense(2)).save(tmp_path / "m.npz")
    assert not list(tmp_path.iterdir())


def test_weights_that_do_not_fit_may_be_left_out(tmp_path):
    def model(units):
        return mg.Sequential([Dense(3, input_dim=2, name="a"), Dense(units, name="b")])

    first, second = model(4), model(5)
    first.save_weights(tmp_path / "w.npz")
    kept = second.layers[1].kernel.numpy()
    with pytest.raises(mg.LoadError, match="b/kernel"):
        second.load_weights(tmp_path / "w.npz")
    with pytest.warns(UserWarning, match=r"left out b/bias, b/kernel"):
        second.load_weights(tmp_path / "w.npz", skip_mismatch=True)
    np.testing.assert_array_equal(second.layers[0].kernel.numpy(), first.layers[0].kernel.numpy())
    np.testing.assert_array_equal(second.layers[1].kernel.numpy(), kept)
    first.load_weights(tmp_path / "w.npz", skip_mismatch=True)  # all fit: no warning
