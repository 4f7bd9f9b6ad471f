import copy
import operator
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minigrad import Primitive, Tensor, no_grad
from minigrad.engine import Leaf
from minigrad.ops import neural


def test_python_floats_get_the_default_dtype_and_arrays_keep_theirs():
    assert Tensor([1.0, 2.0]).dtype == np.float32
    assert Tensor(1.5).dtype == np.float32
    assert Tensor(np.ones(2)).dtype == np.float64
    assert Tensor([np.float64(1.0)]).dtype == np.float64
    assert Tensor([1, 2]).dtype.kind == "i"
    assert Tensor([True]).dtype == bool


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.array([object()]), "real numbers"),
        (["a", "b"], "real numbers"),
        ([1j], "real numbers"),
        ([[1.0], [1.0, 2.0]], "same length"),
        (None, "real numbers"),
    ],
)
def test_what_is_no_array_of_real_numbers_is_refused(bad, message):
    with pytest.raises(TypeError, match=message):
        Tensor(bad)


def test_integers_cannot_require_gradients():
    with pytest.raises(ValueError, match="only floating tensors"):
        Tensor([1, 2], requires_grad=True)


def test_writing_into_the_source_array_changes_nothing():
    source = np.ones(3)
    tensor = Tensor(source)
    source[0] = 5
    assert tensor.tolist() == [1, 1, 1]


def test_the_results_of_ops_are_handed_out_read_only():
    result = Tensor([1.0], requires_grad=True) * 2
    with pytest.raises(ValueError, match="read-only"):
        result.data[0] = 3
    with pytest.raises(RuntimeError, match="multiply"):
        result.data = np.ones(1)


def test_data_of_a_leaf_is_a_live_writable_array():
    leaf = Tensor([1.0, 2.0], requires_grad=True)
    alias = leaf.data
    alias[0] = 7
    leaf.data -= 1
    assert leaf.tolist() == [6, 1]
    assert alias is leaf.data


def test_data_takes_values_of_its_own_shape_only():
    leaf = Tensor([1.0, 2.0], requires_grad=True, name="w")
    leaf.data = [3, 4]
    assert leaf.dtype == np.float32
    with pytest.raises(ValueError, match=r"'w' of shape \(2,\).*\(3,\)"):
        leaf.data = np.ones(3)


def test_numpy_returns_an_independent_copy():
    leaf = Tensor([1.0], requires_grad=True)
    leaf.numpy()[0] = 9
    assert leaf.item() == 1


def test_detach_cuts_the_tape_and_copies():
    leaf = Tensor([1.0], requires_grad=True)
    cut = (leaf * 2).detach()
    assert not cut.requires_grad
    assert cut.tolist() == [2]


def test_requires_grad_can_be_set_on_leaves_only():
    leaf = Tensor([1.0])
    leaf.requires_grad = True
    assert leaf.is_leaf
    assert leaf.requires_grad
    with pytest.raises(RuntimeError, match="detach"):
        (leaf * 2).requires_grad = False
    leaf.requires_grad = False
    assert not leaf.requires_grad


def test_grad_can_be_assigned_and_is_checked():
    leaf = Tensor([1.0, 2.0], requires_grad=True)
    leaf.grad = [3.0, 4.0]
    assert leaf.grad.dtype == np.float32
    with pytest.raises(ValueError, match="shape"):
        leaf.grad = np.ones(3)
    leaf.grad = None
    assert leaf.grad is None
    with pytest.raises(RuntimeError, match="only a leaf"):
        Tensor(1.0).grad = 1.0


def test_the_truth_of_several_elements_is_ambiguous():
    assert bool(Tensor(1.0))
    assert not Tensor([0.0])
    with pytest.raises(ValueError, match="ambiguous"):
        bool(Tensor([1.0, 2.0]))


def test_a_tensor_with_a_gradient_does_not_turn_into_an_array_silently():
    with pytest.raises(TypeError, match=r"numpy\(\)"):
        np.asarray(Tensor([1.0], requires_grad=True))
    assert np.asarray(Tensor([1.0])).tolist() == [1.0]


def test_items_cannot_be_assigned():
    with pytest.raises(TypeError, match="item by item"):
        Tensor([1.0])[0] = 2.0


@pytest.mark.parametrize("keyword", ["out", "where", "dtype"])
def test_numpy_keywords_that_change_memory_are_refused(keyword):
    x = Tensor([1.0], requires_grad=True)
    with pytest.raises(TypeError, match=f"no {keyword}="):
        np.add(x, x, **{keyword: np.ones(1)})
    with pytest.raises(TypeError, match=f"no {keyword}="):
        np.sum(x, **{keyword: np.ones(1)})


def test_ufunc_methods_are_refused():
    with pytest.raises(NotImplementedError, match=r"np\.add\.reduce"):
        np.add.reduce(Tensor([1.0], requires_grad=True))


def test_an_unknown_function_is_refused_with_near_names_and_the_guide():
    with pytest.raises(NotImplementedError, match=r"np\.lcm.*docs/extending\.md"):
        np.lcm(Tensor([1]), 2)
    with pytest.raises(NotImplementedError, match=r"Did you mean .*polyval"):
        np.polymul(Tensor([1.0]), 2)


def test_operators_work_from_both_sides_and_with_numpy_scalars():
    x = Tensor(np.array([2.0, 4.0]), requires_grad=True)
    array = np.array([1.0, 3.0])
    for result, expected in [
        (array + x, [3, 7]),
        (array - x, [-1, -1]),
        (array * x, [2, 12]),
        (array / x, [0.5, 0.75]),
        (np.float64(2) * x, [4, 8]),
        (2**x, [4, 16]),
        (1 - x, [-1, -3]),
        (x @ array, 14),
        (array @ x, 14),
        (-x, [-2, -4]),
        (+x, [2, 4]),
        (abs(-x), [2, 4]),
        (x // 3, [0, 1]),
        (x % 3, [2, 1]),
    ]:
        assert isinstance(result, Tensor)
        assert result.requires_grad
        np.testing.assert_allclose(result.numpy(), expected)


def test_comparisons_give_plain_arrays():
    x = Tensor([1.0, 2.0], requires_grad=True)
    assert type(x > 1) is np.ndarray
    assert (x == x).all()
    assert (x != [1, 3]).tolist() == [False, True]
    assert 2.0 in x


def test_tensors_hash_by_identity():
    x, y = Tensor([1.0]), Tensor([1.0])
    assert len({x, y, x}) == 2


def test_iteration_length_and_formatting():
    x = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    assert [row.tolist() for row in x] == [[1, 2], [3, 4]]
    assert len(x) == 2
    with pytest.raises(TypeError, match="0-d"):
        len(Tensor(1.0))
    assert f"{Tensor(1.23456):.2f}" == "1.23"
    assert float(Tensor([2.0])) == 2
    assert int(Tensor(2.9)) == 2
    with pytest.raises(ValueError, match="one element"):
        x.item()


def test_repr_tells_dtype_and_origin():
    assert repr(Tensor([1.0])) == "Tensor([1.])"
    assert "dtype=float64" in repr(Tensor(np.ones(1)))
    x = Tensor([1.0], requires_grad=True)
    assert "requires_grad=True" in repr(x)
    assert "op=multiply" in repr(x * 2)


def test_leaves_pickle_and_copy_with_their_gradient():
    x = Tensor([1.0, 2.0], requires_grad=True, name="w")
    (x * x).sum().backward()
    for twin in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x)):
        assert twin.tolist() == x.tolist()
        assert twin.name == "w"
        assert twin.grad.tolist() == x.grad.tolist()
        assert isinstance(twin._node, Leaf)
        assert twin._node is not x._node
    with pytest.raises(TypeError, match="detach"):
        pickle.dumps(x * 2)


def test_operands_that_do_not_fit_are_named_with_op_and_shapes():
    with pytest.raises(ValueError, match=r"'add'.*\(2,\) float32, \(3,\) float32"):
        Tensor([1.0, 2.0]) + Tensor([1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match="'add'"):
        Tensor([1.0]) + "a"


def test_augmented_assignment_makes_a_new_tensor_of_results():
    x = Tensor([1.0], requires_grad=True)
    y = x * 2
    before = y
    y += 1
    assert before.tolist() == [2]
    y.backward()
    assert x.grad.tolist() == [2]


def test_augmented_assignment_updates_a_leaf_in_place_without_recording():
    weight = Tensor([1.0, 2.0], requires_grad=True)
    same = weight
    with no_grad():
        weight -= 0.5
        weight *= 2
        weight /= 4
        weight += 1
    assert weight is same
    np.testing.assert_allclose(weight.numpy(), [1.25, 1.75])
    assert weight.requires_grad


def test_augmented_assignment_of_a_recorded_leaf_is_refused():
    weight = Tensor([1.0], requires_grad=True, name="w")
    with pytest.raises(RuntimeError, match=r"no_grad"):
        weight -= 0.5


@pytest.mark.parametrize("dtype", [complex, object, "U5", "datetime64[s]"])
def test_a_dtype_that_is_no_real_number_is_refused(dtype):
    with pytest.raises(TypeError, match="dtype of real numbers"):
        Tensor([1.0], dtype=dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "bool"])
def test_a_dtype_of_real_numbers_is_taken(dtype):
    assert Tensor([0.0, 1.0], dtype=dtype).dtype == dtype


@pytest.mark.parametrize("keyword", ["casting", "signature", "subok"])
def test_other_keywords_of_ufuncs_are_refused_rather_than_ignored(keyword):
    with pytest.raises(TypeError, match=f"no {keyword}="):
        np.add(Tensor([1.0]), 1.0, **{keyword: {"signature": "ff->f"}.get(keyword, "safe")})


def test_the_axes_of_matmul_are_refused_rather_than_ignored():
    with pytest.raises(TypeError, match="no axes="):
        np.matmul(Tensor(np.ones((2, 2))), np.ones((2, 2)), axes=[(0, 1), (1, 0), (0, 1)])


@pytest.mark.parametrize("operate", [operator.add, operator.sub, operator.mul, operator.truediv])
@pytest.mark.parametrize("other", [2, 2.0, True, np.float32(2), np.ones(2, np.float32)])
def test_float32_stays_float32_beside_numbers_and_float32_from_both_sides(operate, other):
    x = Tensor([1.0, 2.0], requires_grad=True)
    for result in (operate(x, other), operate(other, x)):
        assert isinstance(result, Tensor)
        assert result.dtype == np.float32


@given(
    st.sampled_from([operator.add, operator.sub, operator.mul, operator.truediv, operator.pow,
                     operator.floordiv, operator.mod, operator.lt, operator.ge, operator.eq]),
    st.one_of(st.integers(1, 3), st.floats(0.5, 3), st.sampled_from([np.float64(2), np.int64(2)]),
              arrays(np.float64, (2,), elements=st.floats(0.5, 3)),
              st.just([1.5, 2.0]), st.just((1.5, 2.0))),
)  # fmt: skip
def test_operators_do_what_they_do_on_arrays_from_both_sides(operate, other):
    values = np.array([1.25, 2.5])
    x = Tensor(values, requires_grad=True)
    for result, expected in (
        (operate(x, other), operate(values, other)),
        (operate(other, x), operate(other, values)),
    ):
        np.testing.assert_array_equal(getattr(result, "_value", result), expected)


def test_an_array_is_not_changed_in_place_by_a_tensor():
    array = np.ones(2)
    with pytest.raises(TypeError, match="out="):
        array += Tensor([1.0, 2.0])
    assert array.tolist() == [1, 1]


@pytest.mark.parametrize("values", [0.5, [0.5, 2.0], [[0.5], [2.0]]])
def test_values_come_out_as_they_went_in(values):
    x = Tensor(values)
    assert x.tolist() == values
    assert x.numpy().tolist() == values
    assert x.shape == np.shape(values)
    assert x.size == np.size(values)
    assert x.ndim == np.ndim(values)


def test_an_op_whose_name_is_taken_is_not_pickled_as_the_other_one():
    impostor = Primitive(lambda x: x * 1, lambda g, z, x: g, name="relu")
    with pytest.raises(TypeError, match="name= of its own"):
        pickle.dumps(impostor)
    assert pickle.loads(pickle.dumps(neural.relu)) is neural.relu


def test_copies_share_nothing():
    x = Tensor([1.0, 2.0], requires_grad=True)
    for twin in (copy.copy(x), copy.deepcopy(x)):
        twin.data[0] = 9
        (twin * twin).sum().backward()
    assert x.tolist() == [1, 2]
    assert x.grad is None
