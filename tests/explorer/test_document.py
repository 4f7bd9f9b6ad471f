import base64
import json

import numpy as np
import pytest

import minigrad as mg
from minigrad import Tensor
from minigrad.tracing import document as module
from minigrad.tracing.document import block_means, document, matrix_shape
from tests.explorer.stories import (
    detached_trace,
    documents,
    frozen_trace,
    large_kernels,
    nested_trace,
    toy_trace,
)


def array_of(story, index):
    """Unpack an array of the document, as the page does."""
    stored = story["arrays"][index]
    shape = stored.get("blocks", stored["shape"])
    if "value" in stored:
        return np.full(shape, float(stored["value"]), dtype=np.float32)
    return np.frombuffer(base64.b64decode(stored["data"]), "<f4").reshape(shape)


@pytest.mark.parametrize("trace", [toy_trace(), nested_trace()], ids=["toy", "nested"])
def test_contributions_are_the_traces_arrays_bit_for_bit(trace):
    story = document(trace)
    terms = list(trace.terms)
    for parameter in story["parameters"]:
        group = parameter["gradient"]
        for term, index in zip(group["terms"], group["arrays"], strict=True):
            expected = trace.gradient(parameter["name"], terms[term])
            np.testing.assert_array_equal(array_of(story, index), expected)


def test_steps_carry_what_the_walk_carried():
    trace = toy_trace()
    story = document(trace)
    terms = list(trace.terms)
    for step, told in zip(trace.steps, story["steps"], strict=True):
        assert [terms[t] for t in told["upstream"]["terms"]] == [
            term for term in terms if term in step.upstream
        ]
        for term, index in zip(told["upstream"]["terms"], told["upstream"]["arrays"], strict=True):
            np.testing.assert_array_equal(array_of(story, index), step.upstream[terms[term]])
        for _, operand, by_term in step.outgoing:
            group = told["operands"][operand]["outgoing"]
            for term, index in zip(group["terms"], group["arrays"], strict=True):
                np.testing.assert_array_equal(array_of(story, index), by_term[terms[term]])


def test_norms_shares_and_cosines_follow_from_the_gram_matrix():
    trace = toy_trace()
    terms = list(trace.terms)
    groups = {p["name"]: p["gradient"] for p in document(trace)["parameters"]}
    for row in trace.table():
        group = groups[row.parameter]
        if not row.has_path:
            assert terms.index(row.term) not in group["terms"]
            continue
        i = group["terms"].index(terms.index(row.term))
        gram = np.array(group["gram"])
        assert np.sqrt(gram[i, i]) == pytest.approx(row.norm, rel=1e-12)
        assert row.share == pytest.approx(np.sqrt(gram[i, i]) / np.sqrt(np.diag(gram)).sum())
        if not np.isnan(row.cosine):
            assert row.cosine == pytest.approx(gram[i, 0] / np.sqrt(gram[i, i] * gram[0, 0]))


def test_gram_matrices_are_of_whole_arrays_where_only_blocks_are_stored():
    trace = large_kernels()
    parameter = document(trace)["parameters"][0]
    stored = document(trace)["arrays"][parameter["gradient"]["arrays"][0]]
    assert 64 * 64 <= np.prod(stored["blocks"]) < trace.gradient(parameter["name"]).size
    expected = np.linalg.norm(trace.gradient(parameter["name"], "data").astype(np.float64))
    assert np.sqrt(parameter["gradient"]["gram"][0][0]) == pytest.approx(expected, rel=1e-12)


def test_every_story_survives_json():
    for story in documents().values():
        assert json.loads(json.dumps(story, allow_nan=False)) == story


def test_parents_come_before_their_consumers():
    for story in documents().values():
        assert [node["id"] for node in story["nodes"]] == list(range(len(story["nodes"])))
        assert all(edge["source"] < edge["target"] for edge in story["edges"])


def test_edges_say_which_terms_come_back_along_them():
    story = document(toy_trace())
    kernel = story["parameters"][0]["node"]
    from_kernel = [edge for edge in story["edges"] if edge["source"] == kernel]
    into = {story["nodes"][edge["target"]]["name"]: edge["terms"] for edge in from_kernel}
    assert into == {"dense": [0, 3], "sum_of_squares": [1]}


def test_terms_stand_below_the_ops_that_make_them():
    story = document(toy_trace())
    made_by = {
        story["nodes"][edge["target"]]["name"]: story["nodes"][edge["source"]]["name"]
        for edge in story["edges"]
        if story["nodes"][edge["target"]]["kind"] == "term"
    }
    assert made_by == {
        "data": "mean_square",
        "a/kernel": "multiply",
        "a/bias": "multiply",
        "a/activity": "divide",
        "b/kernel": "multiply",
    }


def test_operands_have_the_rules_own_names_and_the_source_of_the_rule():
    story = document(toy_trace())
    dense = next(s for s in story["steps"] if story["nodes"][s["node"]]["name"] == "dense")
    assert [operand["name"] for operand in dense["operands"]] == ["x", "kernel", "bias"]
    relu = next(s for s in story["steps"] if story["nodes"][s["node"]]["name"] == "relu")
    assert relu["operands"][0]["rule"] == "where(z > 0, g, 0.0)"


def test_steps_tell_the_rule_as_a_formula_and_the_line_of_the_program():
    trace = toy_trace()
    for step, told in zip(trace.steps, document(trace)["steps"], strict=True):
        for index, operand in enumerate(told["operands"]):
            if "outgoing" in operand:
                assert operand["formula"] == step.formula(index)
        assert told["line"]["text"] == step.line.text
        assert told["line"]["number"] == step.line.number


def test_the_input_is_named_and_has_a_gradient():
    story = document(toy_trace())
    (node,) = (node for node in story["nodes"] if node["kind"] == "input")
    assert node["name"] == "input"
    (edge,) = (edge for edge in story["edges"] if edge["source"] == node["id"])
    assert edge["terms"] == [0, 3]


def test_frozen_parameters_say_so_and_are_on_the_graph_where_gradients_pass_them():
    story = document(frozen_trace())
    told = {p["name"]: (p["frozen"], p["gradient"]["terms"]) for p in story["parameters"]}
    assert told == {
        "beneath/kernel": (True, []),
        "beneath/bias": (True, []),
        "first/kernel": (False, [0, 1]),
        "first/bias": (False, [0]),
        "last/kernel": (True, []),
        "last/bias": (True, []),
    }
    drawn = {node["name"]: node["id"] for node in story["nodes"] if node["kind"] == "parameter"}
    assert drawn == {p["name"]: p["node"] for p in story["parameters"]}


def test_detached_values_are_on_the_graph_with_the_place_where_they_were_cut_off():
    story = document(detached_trace())
    (node,) = (node for node in story["nodes"] if node["name"] == "detached")
    assert node["cut"].startswith("stories.py:")
    assert "(in 'cut')" in node["cut"]
    (edge,) = (edge for edge in story["edges"] if edge["source"] == node["id"])
    assert edge["terms"] == []


def test_diagnoses_are_told():
    trace = frozen_trace().with_strengths({"first/kernel": 1e-9})
    assert [found["kind"] for found in document(trace)["diagnoses"]] == ["penalty without effect"]


def test_arrays_of_many_axes_are_cut_into_the_matrix_that_is_most_nearly_square():
    assert matrix_shape((128, 8, 8, 1)) == (128, 64)
    assert matrix_shape((3, 3, 1, 4)) == (9, 4)
    assert matrix_shape((5, 1, 1)) == (5, 1)
    assert 0 in matrix_shape((0, 3, 2))
    weight = Tensor(np.arange(24.0).reshape(2, 3, 4), requires_grad=True)
    story = document(mg.trace({"data": (weight * weight).sum()}, {"w": weight}))
    (index,) = story["parameters"][0]["gradient"]["arrays"]
    assert story["arrays"][index]["grid"] == [6, 4]


def test_a_consumed_tape_still_tells_its_gradients():
    weight = Tensor([1.0, -2.0], requires_grad=True)
    loss = (weight * weight).sum()
    trace = mg.trace({"data": loss}, {"w": weight})
    loss.backward()
    story = document(trace)
    assert [node["name"] for node in story["nodes"]] == ["w", "multiply", "sum", "data"]
    assert story["steps"][1]["operands"][0]["outgoing"]["gram"] == [[5.0]]


def test_a_term_that_is_a_parameter_itself_needs_no_op():
    weight = Tensor(3.0, requires_grad=True)
    story = document(mg.trace({"data": weight, "plain": 2.0}, {"w": weight}))
    assert story["steps"] == story["nodes"] == []
    assert story["parameters"][0]["gradient"]["gram"] == [[1.0]]


def test_numbers_that_json_has_no_word_for_become_words():
    weight = Tensor([1.0, np.nan], requires_grad=True)
    story = document(mg.trace({"data": (weight * weight).sum()}, {"w": weight}))
    assert story["terms"][0]["value"] == "NaN"
    assert story["parameters"][0]["gradient"]["gram"] == [["NaN"]]
    json.dumps(story, allow_nan=False)


def test_equal_arrays_are_stored_once():
    story = document(toy_trace())
    stored = [json.dumps(array) for array in story["arrays"]]
    assert len(set(stored)) == len(stored)


def test_blocks_get_coarser_until_everything_fits(monkeypatch):
    monkeypatch.setattr(module, "BUDGET", 20_000)
    story = document(large_kernels())
    assert story["blocks"] < 64
    numbers = sum(len(base64.b64decode(a.get("data", ""))) // 4 for a in story["arrays"])
    assert numbers <= 20_000


def test_block_means_are_means_of_nearly_equal_blocks():
    matrix = np.arange(35.0).reshape(5, 7)
    means = block_means(matrix, blocks=3)
    rows, columns = [0, 1, 3, 5], [0, 2, 4, 7]
    for i in range(3):
        for j in range(3):
            block = matrix[rows[i] : rows[i + 1], columns[j] : columns[j + 1]]
            assert means[i, j] == pytest.approx(block.mean())
