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
