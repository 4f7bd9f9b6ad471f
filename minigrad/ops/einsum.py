"""Einstein summation: products of tensors, summed over the indices that the result lacks."""

from typing import Any

import numpy as np

from minigrad.engine.primitive import Primitive
from minigrad.engine.table import implements

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _einsum_rule(index: int, g: Any, z: Any, *xs: Any, subscripts: str) -> Any:
    """Exchange the operand with the result: ∂/∂x of ``x, y → z`` is ``z, y → x``."""
    inputs, output = subscripts.split("->")
    terms = inputs.split(",")
    others = [term for place, term in enumerate(terms) if place != index]
    rest = [x for place, x in enumerate(xs) if place != index]
    found = einsum_(g, *rest, subscripts=",".join([output, *others]) + "->" + terms[index])
    shape = np.broadcast_shapes(found.shape, xs[index].shape)  # a length of 1 may face another
    return found if found.shape == shape else np.broadcast_to(found, shape)


einsum_ = Primitive(
    lambda *xs, subscripts: np.einsum(subscripts, *xs, optimize=len(xs) > 2),
    each=_einsum_rule,
    name="einsum",
)


@implements(np.einsum)
def einsum(subscripts: str, *operands: Any, optimize: Any = None) -> Any:
    """Sum of products by subscripts: ``einsum("ij,jk->ik", x, y)`` is the matrix product.

    An index that occurs once or twice in a single operand is summed, or its diagonal taken, before
    the product; so in what is left each index has a partner, and the rule is a mere exchange.
    """
    if not isinstance(subscripts, str):
        raise TypeError("einsum of Tensors takes subscripts as a string, such as 'ij,jk->ik'")
    terms, output = _explicit(subscripts, [np.ndim(x) for x in operands])
    operands = tuple(operands)
    for place, term in enumerate(terms):
        x = operands[place]
        for letter in sorted(set(term)):
            while term.count(letter) > 1:
                first, second = term.index(letter), term.rindex(letter)
                if np.shape(x)[first] != np.shape(x)[second]:
                    raise ValueError(
                        f"einsum {subscripts!r}: index {letter!r} has two lengths in operand "
                        f"{place} of shape {np.shape(operands[place])}"
                    )
                x = np.diagonal(x, axis1=first, axis2=second)
                term = term[:first] + term[first + 1 : second] + term[second + 1 :] + letter
        elsewhere = output + "".join(t for p, t in enumerate(terms) if p != place)
        alone = tuple(axis for axis, letter in enumerate(term) if letter not in elsewhere)
        if alone:
            x = np.sum(x, axis=alone)
        terms[place] = "".join(letter for letter in term if letter in elsewhere)
        operands = (*operands[:place], x, *operands[place + 1 :])
    return einsum_(*operands, subscripts=",".join(terms) + "->" + output)


def _explicit(subscripts: str, ranks: list[int]) -> tuple[list[str], str]:
    """Write out the result and the axes behind ``...``."""
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if len(terms) != len(ranks):
        raise ValueError(f"einsum {subscripts!r} names {len(terms)} operands, got {len(ranks)}")
    free = [letter for letter in _LETTERS if letter not in inputs]
    longest = ""
    for place, (term, rank) in enumerate(zip(terms, ranks, strict=True)):
        named = len(term.replace("...", ""))
        if "..." not in term and named != rank:
            raise ValueError(
                f"einsum {subscripts!r}: operand {place} has {rank} axes, {term!r} names {named}"
            )
        hidden = "".join(free[: rank - named])[::-1]  # aligned at the end, as in broadcasting
        longest = max(longest, hidden, key=len)
        terms[place] = term.replace("...", hidden)
    if not arrow:
        once = sorted(c for c in set("".join(terms)) if "".join(terms).count(c) == 1)
        output = "..." * ("..." in inputs) + "".join(c for c in once if c not in longest)
    return terms, output.replace("...", longest)
