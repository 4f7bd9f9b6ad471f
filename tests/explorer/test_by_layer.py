import pytest

import minigrad as mg
from minigrad import layers
from minigrad.explorer import by_layer
from tests.explorer.stories import TRACES, nested_trace, toy_trace


def drawn(trace):
    """The names that are joined, with the terms that come back along each edge."""
    story = by_layer(trace.document())
    names = [node["name"] for node in story["nodes"]]
    terms = list(trace.terms)
    return {
        (names[edge["source"]], names[edge["target"]]): [terms[term] for term in edge["terms"]]
        for edge in story["edges"]
    }


def test_a_layer_is_a_node_and_a_penalty_is_its_term():
    assert drawn(toy_trace()) == {
        ("input", "a"): ["data", "a/activity"],
        ("a", "a/activity"): ["a/activity"],
        ("a", "b"): ["data"],
        ("b", "data"): ["data"],
        ("a", "a/kernel"): ["a/kernel"],
        ("a", "a/bias"): ["a/bias"],
        ("b", "b/kernel"): ["b/kernel"],
    }


def test_layers_of_nested_models_have_the_shape_of_what_they_return():
    story = by_layer(nested_trace().document())
    shapes = {node["name"]: node["shape"] for node in story["nodes"] if node["kind"] == "op"}
    assert shapes == {
        "encoder/dense": [10, 16],
        "encoder/codings": [10, 4],
        "decoder/dense": [10, 16],
        "decoder/dense_1": [10, 20],
    }


def test_a_layer_that_is_called_twice_is_two_nodes():
    shared = layers.Dense(3, name="shared")
    entry = mg.Input(shape=(3,))
    other = layers.Activation("tanh", name="between")(shared(entry))
    model = mg.Model(entry, shared(other))
    model.compile(loss="mse")
    story = by_layer(model.trace([[1.0, 2.0, 3.0]], [[0.0, 0.0, 0.0]]).document())
    assert [node["name"] for node in story["nodes"]] == [
        "input", "shared", "between", "shared", "data",
    ]  # fmt: skip


@pytest.mark.parametrize("name", list(TRACES))
def test_every_trace_can_be_drawn_by_layer_in_each_format(name):
    trace = TRACES[name]()
    story = by_layer(trace.document())
    assert [node["id"] for node in story["nodes"]] == list(range(len(story["nodes"])))
    assert all(edge["source"] < edge["target"] for edge in story["edges"])
    ends = [node["name"] for node in story["nodes"] if node["kind"] == "term"]
    assert sorted(ends) == sorted(trace.terms)
    for write in (trace.to_svg, trace.to_dot, trace.to_mermaid):
        assert 0 < len(write(by="layer")) < len(write())


def test_another_granularity_is_refused():
    with pytest.raises(ValueError, match="by 'op' or by 'layer'"):
        toy_trace().to_svg(by="model")
