"""What the trace shows as a rule is the text of the rule that ran."""

import ast
import dis
import inspect
import operator
from functools import partial

import numpy as np
import pytest

import minigrad as mg
from minigrad import Primitive, Tensor
from minigrad.engine.table import TABLE
from minigrad.tracing.rule_source import rule_source, rule_summary


def rules():
    """All rules of the package's primitives, by op and operand."""
    found = {}
    for primitive in TABLE.values():
        if (
            isinstance(primitive, Primitive)
            and getattr(primitive.forward, "__module__", None) != __name__
        ):
            if isinstance(primitive.rules, tuple):
                numbered = enumerate(primitive.rules)
            else:  # one function for any number of operands
                numbered = ((index, primitive.rules[index]) for index in range(2))
            for index, rule in numbered:
                underlying = rule.func if isinstance(rule, partial) else rule
                if underlying and (underlying.__module__ or "").startswith("minigrad."):
                    found[f"{primitive.name}-{index}"] = rule
    return found


RULES = rules()
LAMBDAS = {
    name: rule
    for name, rule in RULES.items()
    if not isinstance(rule, partial) and rule.__name__ == "<lambda>"
}


def instructions(function):
    """What a function does, without the place where it stands."""
    # In a module that imports `np`, CPython calls np.exp as an attribute; elsewhere as a method.
    skipped = ("PRECALL", "PUSH_NULL", "RESUME", "NOP")
    return [
        (i.opname.replace("METHOD", "ATTR"), None if i.opcode in dis.hasjrel else i.argval)
        for i in dis.get_instructions(function)
        if i.opname not in skipped
    ]


def test_the_table_holds_rules_to_check():
    assert len(LAMBDAS) > 60


@pytest.mark.parametrize("name", LAMBDAS)
def test_the_text_of_a_lambda_compiles_to_the_lambda(name):
    rule = LAMBDAS[name]
    if rule.__closure__ or any(inspect.iscode(constant) for constant in rule.__code__.co_consts):
        ast.parse(f"({rule_source(rule)})", mode="eval")  # inner functions know their line
        return
    arguments = str(inspect.signature(rule))[1:-1]
    again = eval(f"lambda {arguments}: (\n{rule_source(rule)}\n)", rule.__globals__)
    assert instructions(again) == instructions(rule)


@pytest.mark.parametrize("name", RULES)
def test_every_rule_has_a_text_and_a_summary_of_one_line(name):
    source, summary = rule_source(RULES[name]), rule_summary(RULES[name])
    assert source.strip()
    assert "not available" not in source
    assert summary.strip()
    assert "\n" not in summary


def test_lambdas_that_share_a_line_are_told_apart():
    first, second, third = lambda g, z, x: g * 1, lambda g, z, x: g * 2, lambda g, z, y: g * 3
    assert [rule_source(rule) for rule in (first, second, third)] == ["g * 1", "g * 2", "g * 3"]


def test_a_lambda_over_several_lines_is_shown_on_one():
    # fmt: off
    rule = lambda g, z, x: (  # noqa: E731
        g
        * x
    )
    # fmt: on
    assert rule_summary(rule) == "g * x"


def test_a_function_is_shown_whole_and_summed_up_by_its_docstring():
    def halve(g, z, x):
        """Half of what arrives."""
        return g / 2

    def bare(g, z, x):
        return g

    assert rule_source(halve).splitlines()[0] == "def halve(g, z, x):"
    assert rule_source(partial(halve, 1)) == rule_source(halve)
    assert rule_summary(halve) == rule_summary(partial(halve, 1)) == "Half of what arrives."
    assert rule_summary(bare) == "bare(…)"


def test_rules_without_a_file_say_that_they_have_no_source():
    rule = eval("lambda g, z, x: g")
    assert rule_source(rule) == "(source not available)"
    namespace = {}
    exec("def ghost(g, z, x):\n    return g", namespace)
    assert rule_source(namespace["ghost"]) == "ghost"
    assert rule_source(operator.mul) == "mul"  # written in C


def test_a_users_own_op_is_explained_by_its_own_rule():
    def softer(x):
        return x / (1 + np.abs(x))

    op = Primitive(softer, lambda g, z, x: g / (1 + np.abs(x)) ** 2)
    try:
        w = Tensor([1.0, -3.0], requires_grad=True)
        text = mg.trace({"data": op(w).sum()}, {"w": w}).explain("w", "data")
    finally:
        del TABLE[softer]
    assert "softer" in text
    assert "g / (1 + |x|)²" in text
