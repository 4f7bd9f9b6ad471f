import pytest

import minigrad as mg
from minigrad import regularizers
from minigrad.regularizers import Regularizer


def test_a_lambda_is_refused_with_the_way_out():
    with pytest.raises(ValueError, match="register_serializable"):
        regularizers.serialize(lambda x: x.sum())


def test_an_unregistered_class_or_function_is_refused_with_the_way_out():
    class Mine(Regularizer):
        pass

    def mine(x):
        return x.sum()

    for thing in (Mine(), mine):
        with pytest.raises(ValueError, match=r"(Mine|mine)' is not registered"):
            regularizers.serialize(thing)


def test_a_config_of_an_unknown_class_says_how_to_register_it():
    with pytest.raises(ValueError, match=r"unknown regularizer 'Theirs'.*register_serializable"):
        regularizers.deserialize({"class_name": "Theirs", "config": {}})


@pytest.mark.parametrize("bad", [3, {"config": {}}, {"class_name": 3}, ["L1"]])
def test_a_malformed_config_is_refused(bad):
    with pytest.raises(ValueError, match="class_name"):
        regularizers.deserialize(bad)
    with pytest.raises(ValueError, match="must be a dict"):
        regularizers.deserialize({"class_name": "L1", "config": [1]})


def test_registered_classes_and_functions_round_trip():
    @mg.register_serializable()
    class Scaled(Regularizer):
        def __init__(self, strength):
            self.strength = strength

        def __call__(self, x):
            return self.strength * x.sum()

        def get_config(self):
            return {"strength": self.strength}

    @mg.register_serializable(name="package>total")
    def total(x):
        return x.sum()

    twin = regularizers.deserialize(regularizers.serialize(Scaled(0.5)))
    assert isinstance(twin, Scaled)
    assert twin.strength == 0.5
    config = regularizers.serialize(total)
    assert config["class_name"] == "package>total"
    assert regularizers.get(config) is total
    assert regularizers.get("package>total") is total


def test_the_decorator_needs_its_parentheses():
    with pytest.raises(TypeError, match="with parentheses"):

        @mg.register_serializable
        def forgotten(x):
            return x


def test_none_stays_none():
    assert regularizers.serialize(None) is None
    assert regularizers.deserialize(None) is None


class Clip(mg.constraints.Constraint):
    def __init__(self, own=0.1):
        self.own = own

    def __call__(self, w):
        return w.clip(-self.own, self.own)


class Norm(mg.constraints.MaxNorm):
    def __init__(self, own=1.0):  # which does not take the settings of its base
        super().__init__(axis=1)
        self.own = own


class Normal(mg.initializers.RandomNormal):
    def __init__(self, own=1.0, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.own = own


class Both(mg.regularizers.L1L2):
    def __init__(self, l1=0.0, own=1.0):
        super().__init__(l1)
        self.own = own


class Descent(mg.optimizers.SGD):
    def __init__(self, own=1.0, **settings):
        super().__init__(**settings)
        self.own = own


class Square(mg.losses.Loss):
    def __init__(self, own):
        super().__init__()
        self.own = own

    def call(self, y_true, y_pred):
        return self.own * (y_true - y_pred) ** 2


class Hits(mg.metrics.Precision):
    def __init__(self, own=2.0, name="hits", **settings):
        super().__init__(name=name, **settings)
        self.own = own


class Rate(mg.optimizers.schedules.LearningRateSchedule):
    def __init__(self, own=0.1):
        self.own = own

    def __call__(self, step):
        return self.own


class Popping(mg.metrics.MeanSquaredError):
    def __init__(self, **settings):
        self.own = settings.pop("own", 1.0)
        super().__init__(**settings)


KINDS = [Clip, Norm, Normal, Both, Descent, Square, Hits, Rate, Popping]


@pytest.mark.parametrize("kind", KINDS)
def test_a_class_of_ones_own_keeps_its_own_arguments_and_those_of_its_base(kind):
    made = kind(own=0.7)
    assert made.get_config()["own"] == 0.7
    for name in {"max_value", "stddev", "momentum", "l1"} & made.get_config().keys():
        setattr(made, name, 0.25)
    again = type(made).from_config(made.get_config())
    assert again.get_config() == made.get_config()
    assert again.own == 0.7


@pytest.mark.parametrize("base", [mg.constraints.MaxNorm, mg.losses.Huber, mg.optimizers.Adam])
def test_an_argument_that_a_class_does_not_keep_is_no_silent_loss(base):
    class Forgetful(base):
        def __init__(self, own=1.0):
            super().__init__()
            self._kept = own

    class Popping(base):
        def __init__(self, **settings):
            self._kept = settings.pop("own", 1.0)
            super().__init__(**settings)

    with pytest.raises(NotImplementedError, match=r"must define get_config\(\).*none as own"):
        Popping(own=2.0).get_config()
    assert "Forgetful(" in repr(Forgetful(2.0))
    with pytest.raises(NotImplementedError, match=r"must define get_config\(\).*none as own"):
        Forgetful(2.0).get_config()


def test_what_one_s_own_classes_were_made_of_is_saved_with_a_model(tmp_path):
    layer = mg.layers.Dense(2, kernel_constraint=Clip(0.7), kernel_regularizer=Both(own=0.7))
    model = mg.Sequential([mg.layers.Input((3,)), layer])
    model.compile(Descent(0.7), Square(0.7), metrics=[Hits(0.7)])
    model.save(tmp_path / "model.npz")
    own = {kind.__name__: kind for kind in (Clip, Both, Descent, Square, Hits)}
    twin = mg.load(tmp_path / "model.npz", own)
    kernel = twin.layers[0]
    held = [kernel.kernel_constraint, kernel.kernel_regularizer, twin.optimizer, twin.loss]
    assert [thing.own for thing in [*held, *twin.compiled_metrics]] == [0.7] * 5
