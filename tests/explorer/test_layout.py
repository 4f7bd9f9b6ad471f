from itertools import combinations, pairwise

import numpy as np
import pytest

import minigrad as mg
from minigrad import Tensor, layers
from minigrad.explorer.layered import Edge, Size, draw, rows_of
from minigrad.explorer.layout import layout
from minigrad.tracing.document import document
from tests.explorer.stories import TRACES, many_ops, toy_trace


def overlap(one, other):
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


@pytest.fixture(params=list(TRACES))
def story(request):
    return document(TRACES[request.param]())


def test_no_two_nodes_and_no_two_boxes_overlap(story):
    placed = layout(story)
    assert len(placed.nodes) == len(story["nodes"])
    assert not any(overlap(a, b) for a, b in combinations(placed.nodes.values(), 2))
    assert not any(overlap(a, b) for a, b in combinations(placed.boxes, 2))


def test_every_node_is_inside_a_box_and_every_box_inside_the_picture(story):
    placed = layout(story)

    def inside(small, large):
        return (
            large.x <= small.x
            and small.x + small.width <= large.x + large.width + 1e-6
            and large.y <= small.y
            and small.y + small.height <= large.y + large.height + 1e-6
        )

    for place in placed.nodes.values():
        assert sum(inside(place, box) for box in placed.boxes) == 1
    for box in placed.boxes:
        assert box.x >= -1e-6
        assert box.y >= 0
        assert box.x + box.width <= placed.width + 1e-6
        assert box.y + box.height <= placed.height + 1e-6


def test_parents_stand_above_their_consumers_and_edges_run_down(story):
    placed = layout(story)
    for edge, route in zip(story["edges"], placed.routes, strict=True):
        source, target = placed.nodes[edge["source"]], placed.nodes[edge["target"]]
        assert source.y + source.height <= target.y
        assert route[0][1] == pytest.approx(source.y + source.height)
        assert source.x <= route[0][0] <= source.x + source.width
        assert route[-1][1] == pytest.approx(target.y)
        assert target.x <= route[-1][0] <= target.x + target.width
        heights = [y for _, y in route]
        assert heights == sorted(heights)


def test_edges_pass_by_other_nodes(story):
    placed = layout(story)
    for edge, route in zip(story["edges"], placed.routes, strict=True):
        ends = (edge["source"], edge["target"])
        for (x, top), (to_x, bottom) in pairwise(route):
            if abs(x - to_x) > 0.01:  # a curve runs only in the gap between two rows
                continue
            for number, node in placed.nodes.items():
                crossed = node.x < x < node.x + node.width and top < node.y + node.height
                assert number in ends or not (crossed and node.y < bottom)


def test_the_same_document_gives_the_same_layout(story):
    assert layout(story) == layout(story)


def test_parameters_stand_just_above_their_first_use():
    story = document(toy_trace())
    placed = layout(story)
    kernel, bias = (placed.nodes[parameter["node"]] for parameter in story["parameters"][:2])
    first_op = min((n for n in story["nodes"] if n["name"] == "dense"), key=lambda n: n["id"])
    assert kernel.y == bias.y
    assert 0 < placed.nodes[first_op["id"]].y - (kernel.y + kernel.height) < 40


def test_a_parameter_that_is_used_late_stands_low():
    early, late = (Tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    result = np.tanh(np.exp(np.tanh(np.sin(early)))) * late
    story = document(mg.trace({"data": result.sum()}, {"early": early, "late": late}))
    placed = layout(story)
    names = {node["name"]: placed.nodes[node["id"]] for node in story["nodes"]}
    assert names["late"].y > names["exp"].y
    assert 0 < names["multiply"].y - (names["late"].y + names["late"].height) < 40


def test_each_layer_and_each_penalty_has_a_box():
    titles = [box.title for box in layout(document(toy_trace())).boxes]
    assert sorted(titles) == ["a", "a/activity", "a/bias", "a/kernel", "b", "b/kernel", "data"]


def test_a_layer_called_twice_gets_two_boxes_so_that_nothing_runs_in_a_circle():
    shared = layers.Dense(3, name="shared")
    between = layers.Dense(3, name="between")
    output = shared(between(shared(np.ones((2, 3)))))
    story = document(mg.trace({"data": output.sum()}, {"kernel": shared.kernel}))
    titles = [box.title for box in layout(story).boxes]
    assert titles.count("shared") == 2


def test_hundreds_of_nodes_are_all_laid_out():
    story = document(many_ops(count=400))
    assert len(story["nodes"]) > 300
    assert len(layout(story).nodes) == len(story["nodes"])


def test_an_empty_graph_has_an_empty_picture():
    assert layout({"nodes": [], "edges": [], "terms": []}).nodes == {}


def test_an_edge_that_skips_rows_gets_a_lane_of_its_own():
    sizes = {name: Size(40, 20) for name in "abc"}
    edges = [Edge("a", "b", "a"), Edge("b", "c", "b"), Edge("a", "c", "a")]
    drawing = draw(sizes, edges, rows_of("abc", edges))
    lane = drawing.routes[edges[2]][2][0]
    left = drawing.corners["b"][0]
    assert lane < left or lane > left + 40


def test_a_spine_is_straight():
    sizes = {name: Size(40, 20) for name in "abcxyz"}
    edges = [Edge("a", "b", "a"), Edge("b", "c", "b")]
    edges += [Edge("a", name, "a") for name in "xyz"]
    drawing = draw(sizes, edges, rows_of("abcxyz", edges), frozenset("abc"))
    places = [drawing.corners[name][0] for name in "abc"]
    assert max(places) - min(places) < 3
