"""detect_anomaly: where a nan or an infinity was born, and whether a value on the tape was changed.

Slow, and meant for looking for an error. Every op is checked when it runs, and again on the way
back.
"""

from __future__ import annotations

import zlib
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from minigrad.engine.lines import forward_line
from minigrad.engine.node import Node
from minigrad.engine.state import STATE, override
from minigrad.engine.watcher import Watcher


class AnomalyError(ArithmeticError):
    """A nan or infinity, or a value that was changed; the message says where it was born."""


class AnomalyWatcher(Watcher):
    """Checks each op's result and gradients, and remembers where in the code it was called."""

    def __init__(self) -> None:
        self._seen: WeakKeyDictionary[Node, tuple[str, tuple[int, ...]]] = WeakKeyDictionary()

    def watch(
        self, primitive: Any, operands: Any, values: Any, options: Any, result: Any, node: Any
    ) -> None:
        """Look at an op that has just run forward."""
        line = forward_line()
        if not _finite(result):
            scope = STATE.get().scope
            cause = "" if all(map(_finite, values)) else "; an operand already holds one"
            raise AnomalyError(
                f"op {primitive.name!r}{_in(scope)} gave {_count(result)}, at {line}{cause}"
            )
        if node is not None:
            self._seen[node] = (str(line), _checksums(node))

    def before(self, node: Node) -> None:
        """Look at an op whose rules are about to run: are its values still the same?"""
        line, checksums = self._seen.get(node, ("a line outside of detect_anomaly()", None))
        if checksums is not None and checksums != _checksums(node):
            raise AnomalyError(
                f"a value that op {node.primitive.name!r}{_in(node.scope)}, at {line}, had used "
                "was changed in memory since, behind the engine's back: its gradient would be "
                "wrong"
            )

    def after(self, node: Node, index: int, upstream: Any, contribution: Any) -> None:
        """Look at what a rule returned."""
        if not _finite(contribution) and _finite(upstream):
            line, _ = self._seen.get(node, ("a line outside of detect_anomaly()", ()))
            raise AnomalyError(
                f"the gradient of op {node.primitive.name!r}{_in(node.scope)} for its operand "
                f"{index} holds {_count(contribution)}; the op was called at {line}"
            )


def detect_anomaly() -> override:
    """Raise at the op at which a nan or infinity is born, forward or backward.

    The error names the op, the layer and the line of the forward pass. Values on the tape are
    watched by checksums, which also see what was written past the engine. Several times slower
    than usual.

    Raises
    ------
    AnomalyError
        At the first anomaly inside the block.

    Examples
    --------
    >>> import numpy as np, minigrad as mg
    >>> x = mg.Tensor([0.0], requires_grad=True)
    >>> with mg.detect_anomaly(), np.errstate(all="ignore"):
    ...     np.log(x)
    Traceback (most recent call last):
    minigrad.engine.anomaly.AnomalyError: op 'log' gave 1 value that is nan or infinite, at ...
    """
    return override(watcher=AnomalyWatcher())


def _finite(value: Any) -> bool:
    array = np.asarray(getattr(value, "_value", value))
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())


def _count(value: Any) -> str:
    array = np.asarray(getattr(value, "_value", value))
    number = int((~np.isfinite(array)).sum())
    return (
        f"{number} value{'s' * (number > 1)} that {'are' if number > 1 else 'is'} nan or infinite"
    )


def _checksums(node: Node) -> tuple[int, ...]:
    arrays = [value for value in node.values if isinstance(value, np.ndarray)]
    return tuple(zlib.crc32(array.tobytes()) for array in arrays)


def _in(scope: str) -> str:
    return f" in layer {scope!r}" if scope else ""
