import pytest

from minigrad import LossTerms, Tensor


def test_addends_of_one_name_are_summed_in_the_order_of_their_first():
    terms = LossTerms([("b", Tensor(1.0)), ("a", Tensor(2.0)), ("b", Tensor(3.0))])
    assert list(terms) == ["b", "a"]
    assert terms.values_as_floats() == {"b": 4, "a": 2}
    assert len(terms) == 2
    assert float(terms["a"]) == 2


def test_the_total_of_nothing_says_what_is_missing():
    with pytest.raises(ValueError, match="nothing to minimise"):
        LossTerms([]).total()
