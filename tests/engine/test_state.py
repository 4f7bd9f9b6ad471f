import threading

import pytest

import minigrad as mg
from minigrad.engine import current_scope, enable_grad, is_recording, no_grad, scope


def test_scopes_nest_and_are_left_after_errors():
    with pytest.raises(KeyError), scope("a"), scope("b"):
        assert current_scope() == "a/b"
        raise KeyError
    assert current_scope() == ""


def test_no_grad_is_left_after_errors_and_can_be_reversed_inside():
    with pytest.raises(KeyError), no_grad():
        assert not is_recording()
        with enable_grad():
            assert is_recording()
        raise KeyError
    assert is_recording()


def test_no_grad_decorates_functions_that_call_themselves():
    @no_grad()
    def depth(n):
        assert not is_recording()
        return n if n == 0 else depth(n - 1)

    assert depth(3) == 0
    assert is_recording()


def test_a_decorated_function_may_run_in_several_threads_at_once():
    entered = threading.Barrier(2)
    first_left = threading.Event()
    seen, errors = [], []

    @no_grad()
    @scope("shared")
    def overlapping(first):
        entered.wait()
        if not first:  # the two leave in the order in which they came: no stack
            first_left.wait()
        seen.append((is_recording(), current_scope()))

    def run(first):
        try:
            overlapping(first)
        except ValueError as error:
            errors.append(error)
        first_left.set()
        seen.append((is_recording(), current_scope()))

    threads = [threading.Thread(target=run, args=(first,)) for first in (True, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(seen) == [(False, "shared")] * 2 + [(True, "")] * 2


def test_the_same_block_may_be_entered_again_inside_itself():
    block = scope("a")
    with block, block:
        assert current_scope() == "a/a"
    assert current_scope() == ""


def test_a_decorated_function_that_fails_leaves_nothing_behind():
    @no_grad()
    @scope("inside")
    def fail(depth):
        assert current_scope().count("inside") == 4 - depth
        if depth == 0:
            raise KeyError
        fail(depth - 1)

    with pytest.raises(KeyError):
        fail(3)
    assert is_recording()
    assert current_scope() == ""


def test_threads_have_a_state_of_their_own():
    seen = []
    with no_grad(), scope("outer"):
        thread = threading.Thread(target=lambda: seen.append((is_recording(), current_scope())))
        thread.start()
        thread.join()
    assert seen == [(True, "")]


def test_nodes_remember_the_scope_they_were_born_in():
    x = mg.Tensor(1.0, requires_grad=True)
    with scope("encoder"), scope("activity"):
        y = x * 2
    assert y._node.scope == "encoder/activity"
    with scope("decoder"), pytest.raises(ValueError, match="in layer 'decoder'"):
        mg.Tensor([1.0, 2.0]) + mg.Tensor([1.0, 2.0, 3.0])


@pytest.mark.parametrize("bad", ["int32", "float16", "complex128"])
def test_the_default_dtype_is_a_float_of_32_or_64_bits(bad):
    with pytest.raises(ValueError, match="float32 or float64"):
        mg.set_default_dtype(bad)
