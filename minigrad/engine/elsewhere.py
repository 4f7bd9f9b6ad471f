"""Methods that tensors of other libraries have, and ours do not: each says what to write instead.

A ``__getattr__`` would do the same for any name, but make each access to any attribute slower.
"""

from __future__ import annotations

from typing import Any

from minigrad.engine.tensor import Tensor
from minigrad.suggestions import missing

_TEXT = """
add add_ assign assign_add assign_sub bmm bool clamp clamp_ clone contiguous copy copy_ cos
cpu cuda device dim div div_ double eval exp_ expand_dims fill_ float gather grad_fn
half index_select int is_cuda long masked_fill masked_fill_ matmul mm mul mul_ norm numel permute
pin_memory pow relu relu_ requires_grad_ retain_grad scatter sigmoid sin softmax sub
sub_ t tile to type unsqueeze values view zero_ zero_grad
"""
NAMES = _TEXT.split()


class Elsewhere(str):
    """The name of an attribute that is not there, which says so in more words than Python's."""

    def __get__(self, tensor: Tensor | None, kind: type[Tensor]) -> Any:
        raise missing(kind.__name__, str(self), kind, "Tensor")


for _name in NAMES:
    setattr(Tensor, _name, Elsewhere(_name))
# What is not there is not shown either.
Tensor.__dir__ = lambda self: sorted({*object.__dir__(self)} - {*NAMES})  # type: ignore[method-assign]
