import gzip
import io
import json
import pickle
import zipfile

import numpy as np
import pytest

import minigrad as mg
from minigrad.callbacks import BackupAndRestore, ModelCheckpoint
from minigrad.layers import Dense
from minigrad.training import saving

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


# ---- a file is loaded before the old one is replaced ---------------------------------------------


CHANGES = {
    "a layer of other units": lambda m: setattr(m.layers[1], "units", 7),
    "a layer without its bias": lambda m: setattr(m.layers[1], "use_bias", False),
    "a layer of another dtype": lambda m: setattr(m.layers[1], "dtype", np.dtype("float64")),
    "a name with a slash": lambda m: setattr(m, "_name", "x/y"),
    "a setting that is no number": lambda m: setattr(m.layers[1], "seed", object()),
    "weights of losses": lambda m: setattr(m, "loss_weights", [3, "x"]),
    "averages that are not there": lambda m: setattr(
        m.optimizer, "state_arrays", lambda: {"iterations": np.array(1)}
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_set_after_construction_is_loaded_before_the_old_file_is_replaced(
    tmp_path, change
):
    path = tmp_path / "m.npz"
    made = model()
    made.save(path)
    before = path.read_bytes()
    CHANGES[change](made)
    with pytest.raises(ValueError, match=r"'.*' could not be loaded again, so it is not saved: "):
        made.save(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["m.npz"]


def test_averages_that_are_not_finite_are_found_out_when_saving(tmp_path):
    made = model()
    made.save(tmp_path / "m.npz")
    state = made.optimizer.state_arrays()
    state["momentum/shared/kernel"][:] = np.inf
    made.optimizer.state_arrays = lambda: state
    with pytest.raises(ValueError, match=r"could not be loaded again.*expected finite numbers"):
        made.save(tmp_path / "m.npz")
    mg.load(tmp_path / "m.npz")


def test_the_same_settings_are_loaded_once(tmp_path, monkeypatch):
    made = model()
    made.save(tmp_path / "m.npz")
    made.fit(X, X, verbose=0)
    monkeypatch.setattr(saving, "_made", lambda *contents: pytest.fail("loaded again"))
    made.save(tmp_path / "m.npz")
    made.optimizer.learning_rate = 0.5
    with pytest.raises(pytest.fail.Exception, match="loaded again"):
        made.save(tmp_path / "m.npz")


@pytest.mark.parametrize("write", ["save", "save_weights"])
def test_a_file_that_shall_be_kept_is_kept(tmp_path, write):
    made = model()
    getattr(made, write)(tmp_path / "m.npz", overwrite=False)
    before = (tmp_path / "m.npz").read_bytes()
    made.fit(X, X, verbose=0)
    with pytest.raises(FileExistsError, match=r"overwrite=False keeps.*m\.npz"):
        getattr(made, write)(tmp_path / "m.npz", overwrite=False)
    assert (tmp_path / "m.npz").read_bytes() == before


def test_saving_draws_nothing_from_the_global_seed(tmp_path):
    drawn = []
    for saves in (False, True):
        mg.set_seed(5)
        made = mg.Sequential(Dense(3, input_dim=4))
        if saves:
            made.save(tmp_path / "m.npz")
        drawn.append(Dense(2, input_dim=2).kernel.tolist())
    assert drawn[0] == drawn[1]


def test_numpys_numbers_in_a_config_are_saved_as_plain_ones(tmp_path):
    made = mg.Sequential(Dense(3, input_dim=4, name="d"))
    made.layers[0].units = np.int64(3)
    made.save(tmp_path / "m.npz")
    assert mg.load(tmp_path / "m.npz").layers[0].get_config()["units"] == 3


# ---- classes and functions of one's own ----------------------------------------------------------


def with_parts_of_ones_own():
    class Doubled(mg.Layer):
        def __init__(self, factor=2.0, **arguments):
            super().__init__(**arguments)
            self.factor = factor

        def call(self, x):
            return x * self.factor

        def get_config(self):
            return {**super().get_config(), "factor": self.factor}

    def smooth(kernel):
        return 0.01 * (kernel * kernel).sum()

    def error(target, prediction):
        return ((target - prediction) ** 2).mean(axis=-1)

    made = mg.Sequential(
        [Dense(4, kernel_regularizer=smooth, input_dim=4, seed=0), Doubled(3.0)], name="own"
    )
    made.compile("adam", error)
    made.fit(X, X, verbose=0)
    return made, {"Doubled": Doubled, "smooth": smooth, "error": error}


def test_what_is_not_registered_is_saved_by_its_name_and_loaded_with_custom_objects(tmp_path):
    made, own = with_parts_of_ones_own()
    path = tmp_path / "m.npz"
    made.save(path)
    with pytest.raises(
        mg.LoadError, match=r"unknown regularizer 'smooth'.*custom_objects={'smooth'"
    ):
        mg.load(path)
    twin = mg.load(path, custom_objects=own)
    assert type(twin.layers[1]) is own["Doubled"]
    assert twin.layers[1].factor == 3
    assert twin.layers[0].kernel_regularizer is own["smooth"]
    assert (twin.predict(X) == made.predict(X)).all()
    with mg.saving.custom_object_scope(own):
        assert (mg.models.load_model(path).predict(X) == made.predict(X)).all()
    with pytest.raises(mg.LoadError):
        mg.load(path)


def test_two_classes_of_one_name_are_not_saved(tmp_path):
    made, _ = with_parts_of_ones_own()
    other, _ = with_parts_of_ones_own()
    made.layers[0].kernel_regularizer = None
    both = mg.Sequential([made.layers[1], other.layers[1]], name="both")
    both(X)
    with pytest.raises(ValueError, match="share the name 'Doubled'"):
        both.save(tmp_path / "m.npz")


def test_an_architecture_as_text_takes_custom_objects():
    made, own = with_parts_of_ones_own()
    text = made.to_json()
    with pytest.raises(mg.LoadError, match="custom_objects"):
        mg.model_from_json(text)
    assert mg.model_from_json(text, custom_objects=own).layers[1].factor == 3
    config = json.loads(text)["config"]
    assert mg.Sequential.from_config(config, custom_objects=own).layers[1].factor == 3
    assert made.clone().layers[1].factor == 3


def test_a_model_can_be_loaded_without_being_compiled(tmp_path):
    made = model()
    made.save(tmp_path / "m.npz")
    twin = mg.load(tmp_path / "m.npz", compile=False)
    assert twin.optimizer is None
    assert (twin.predict(X) == made.predict(X)).all()


# ---- the formats of others -----------------------------------------------------------------------


WRITERS = {
    "save": lambda path: model().save(path),
    "mg.save": lambda path: mg.save(model(), path),
    "save_weights": lambda path: model().save_weights(path),
    "ModelCheckpoint": ModelCheckpoint,
    "BackupAndRestore": BackupAndRestore,
}


@pytest.mark.parametrize("name", ["m.keras", "m.h5", "m.weights.h5", "m.HDF5", "m.tf", "m.pt"])
@pytest.mark.parametrize("writer", WRITERS)
def test_the_extension_of_another_format_is_refused(tmp_path, writer, name):
    extension = name[name.rindex(".") :]
    with pytest.raises(ValueError, match=rf"\{extension} is an extension of .*/m\.npz'"):
        WRITERS[writer](tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["m", "m.v2", "m-0.93", "m.npz"])
def test_a_name_without_such_an_extension_is_taken_as_it_is(tmp_path, name):
    model().save(tmp_path / name)
    assert [file.name for file in tmp_path.iterdir()] == [name]


def zipped(*names):
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return output.getvalue()


def npy():
    output = io.BytesIO()
    np.save(output, X)
    return output.getvalue()


@pytest.mark.parametrize(
    ("contents", "what"),
    [
        (b"\x89HDF\r\n\x1a\n" + bytes(100), r"is HDF5 \(.h5\)"),
        (zipped("metadata.json", "config.json", "model.weights.h5"), r"a model of Keras"),
        (zipped("archive/data.pkl", "archive/version"), "a model of PyTorch"),
        (pickle.dumps(X), "is a pickle"),
        (npy(), "is a single array"),
        (gzip.compress(b"x"), "is packed by gzip"),
    ],
)
def test_a_file_of_another_library_is_called_by_its_name(tmp_path, contents, what):
    path = tmp_path / "m.npz"
    path.write_bytes(contents)
    for load in (mg.load, model().load_weights):
        with pytest.raises(mg.LoadError, match=rf"{what}.*minigrad does not read.*set_weights"):
            load(path)


class Steps(mg.Sequential):
    def train_step(self, data):
        return super().train_step(data)


class Stack(mg.Sequential):
    def __init__(self, units=2, **more):
        super().__init__([Dense(units, input_dim=4)], **more)


class Drawn(mg.Model):
    def train_step(self, data):
        return super().train_step(data)


class Drawing(mg.Model):
    def __init__(self, units=2, **more):
        pixels = mg.layers.Input((4,))
        super().__init__(pixels, Dense(units)(pixels), **more)


class Marked(mg.Model):
    def __init__(self, *ends, mark=2, **more):
        super().__init__(*ends, **more)
        self.mark = mark


def drawn(kind, **more):
    pixels = mg.layers.Input((4,))
    return kind(pixels, Dense(3)(pixels), **more)


@pytest.mark.parametrize(
    "made",
    [
        lambda: Steps([mg.layers.Input((4,)), Dense(3)]),
        lambda: Stack(3),
        lambda: drawn(Drawn),
        lambda: Drawing(3),
        lambda: drawn(Marked, mark=5),
    ],
)
def test_models_of_ones_own_classes_are_saved_cloned_and_backed_up(tmp_path, made):
    made = made()
    own = {type(made).__name__: type(made)}
    made.compile("sgd", "mse")
    keepers = [BackupAndRestore(tmp_path), ModelCheckpoint(tmp_path / "model.npz")]
    made.fit(X, X[:, :3], verbose=0, callbacks=keepers)
    twins = [
        mg.load(tmp_path / "model.npz", own),
        made.clone(),
        mg.model_from_json(made.to_json(), own),
    ]
    assert (twins[0].predict(X) == made.predict(X)).all()
    for twin in twins:
        assert type(twin) is type(made)
        assert twin.count_params() == 15
        assert getattr(twin, "mark", None) == getattr(made, "mark", None)


class Branching(mg.Model):
    """Of its layers, a pass outside of training reaches one."""

    def __init__(self):
        super().__init__()
        self.first, self.never, self.dropout = Dense(3), Dense(5), mg.layers.Dropout(0.5)

    def call(self, x, training=False):
        x = self.first(x)
        return self.dropout(x, training=training) if training else x


@pytest.mark.parametrize("seen", [False, True])
def test_layers_that_no_pass_reached_have_no_weights_and_are_saved_so(tmp_path, seen):
    made = Branching()
    made.compile("sgd", "mse")
    if seen:
        made(X)
        assert made.count_params() == 15
    made.fit(X, X[:, :3], verbose=0)
    made.save(tmp_path / "model.npz")
    twin = mg.load(tmp_path / "model.npz", {"Branching": Branching})
    assert (twin.predict(X) == made.predict(X)).all()
    assert not twin.never.built
    twin.set_weights(made.get_weights())
    with pytest.raises(RuntimeError, match="has no weights yet"):
        Branching().count_params()


def test_a_config_of_a_class_that_is_not_registered_is_made_again_by_custom_objects():
    pixels = mg.layers.Input((4,))
    for model in (Steps([pixels, Marking(3)]), mg.Model(pixels, Marking(3)(pixels))):
        twin = type(model).from_config(model.get_config(), custom_objects={"Marking": Marking})
        assert twin.layers[0].mark == 3


class Marking(mg.layers.Layer):
    def __init__(self, mark, **more):
        super().__init__(**more)
        self.mark = mark

    def call(self, x):
        return x


def test_files_weights_and_texts_are_named_as_in_keras(tmp_path):
    made, path = model(), tmp_path / "model.npz"
    made.save(filepath=path)
    assert mg.models.load_model(filepath=path).count_params() == made.count_params()
    made.save_weights(filepath=path)
    made.load_weights(filepath=path)
    made.set_weights(weights=made.get_weights())
    mg.models.save_model(model=made, filepath=path)
    assert mg.models.model_from_json(json_string=made.to_json()).name == made.name
