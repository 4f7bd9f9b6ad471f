"""Symbol and Input: tensors without values, of which models are drawn up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.checks import Shape, or_none, positive_integer, sample_shape
from minigrad.engine import get_default_dtype

if TYPE_CHECKING:
    from minigrad.layers.layer import Layer


class Symbol:
    """What a layer will return, once there is an input: a shape, and how it comes about.

    Calling a layer on a Symbol computes nothing; it returns another one that remembers the layer.
    ``Model(inputs, outputs)`` follows these memories back.

    Attributes
    ----------
    shape : tuple
        With the batch in front, whose length is None unless an `Input` says it.
    layer : Layer or None
        What returns it; None for an input.
    sources : list of Symbol
        What the layer is called on.
    further : dict
        Further arguments of that call, by name, such as ``training``.
    """

    def __init__(
        self,
        shape: Shape,
        layer: Layer | None = None,
        sources: list[Symbol] | None = None,
        further: dict[str, Any] | None = None,
    ) -> None:
        self.shape = shape
        self.layer = layer
        self.sources = sources or []
        self.further = further or {}

    def _missing(self, what: str) -> str:
        return (
            f"{self!r} has no {what}: it only stands for what a model will compute. Use layers, "
            "such as layers.Add(), layers.Activation('relu') or, for functions and indices, "
            "layers.Lambda(lambda x: x[:, 0]); and call the finished model on data."
        )

    def __array__(self, *operands: Any, **keywords: Any) -> Any:
        raise TypeError(self._missing("values"))

    if not TYPE_CHECKING:  # which would take any name for an attribute

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(name if name[0] == "_" else self._missing(repr(name)))

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __neg__ = __array__
    __truediv__ = __rtruediv__ = __matmul__ = __rmatmul__ = __pow__ = __rpow__ = __array__
    __lt__ = __le__ = __gt__ = __ge__ = __abs__ = __getitem__ = __iter__ = __array__
    __array_ufunc__ = __array__  # what NumPy's functions call

    def __repr__(self) -> str:
        source = f" of {self.layer!r}" if self.layer is not None else ""
        return f"<{type(self).__name__} of shape {self.shape}{source}>"


class Input(Symbol):
    """The input of a model: the shape of one sample.

    It stands in front of the layers of a `Sequential`, or layers are called on it in turn and
    ``Model(inputs, outputs)`` makes a model of the result. It is no layer.

    Parameters
    ----------
    shape
        One sample's shape, without the batch; None for a length that is not known.
    batch_size, dtype, name
        Only for the eye: a model takes batches of any size, and each layer converts numbers to
        its own dtype.
    batch_shape
        The shape with the batch in front, in place of `shape` and `batch_size`.
    input_shape
        Another name of `shape`, as layers have it.

    Examples
    --------
    >>> from minigrad import Model, Sequential
    >>> from minigrad.layers import Dense
    >>> Sequential([Input((64,)), Dense(10)]).count_params()
    650
    >>> pixels = Input((64,))
    >>> Model(pixels, Dense(64)(Dense(10)(pixels))).count_params()
    1354
    """

    def __init__(
        self,
        shape: tuple[int | None, ...] | None = None,
        batch_size: int | None = None,
        dtype: Any = None,
        *,
        batch_shape: tuple[int | None, ...] | None = None,
        name: str | None = None,
        input_shape: tuple[int | None, ...] | None = None,
    ) -> None:
        shape = input_shape if shape is None else shape
        if (shape is None) == (batch_shape is None):
            raise ValueError("Input: expected shape= or batch_shape=, one of the two")
        if batch_shape is not None and batch_size is not None:
            raise ValueError(
                f"Input: batch_shape has the batch in it. Received also: batch_size={batch_size!r}"
            )
        if isinstance(shape, int):
            raise ValueError(f"Input: shape must be a tuple. Received: {shape!r}. Write ({shape},)")
        checked = sample_shape("Input", shape if batch_shape is None else batch_shape)
        assert checked is not None
        if batch_shape is not None:
            batch_size, checked = next(iter(checked), None), checked[1:]
        self.batch_size = or_none(positive_integer)("Input", "batch_size", batch_size)
        super().__init__((self.batch_size, *checked))
        self.dtype = np.dtype(dtype or get_default_dtype())
        self.name = name or "input"

    @property
    def sample_shape(self) -> Shape:
        """The shape of one sample."""
        return self.shape[1:]


InputLayer = Input
_SEVERAL = (list, tuple)


def is_symbolic(x: Any) -> bool:
    """Whether a layer is called on a Symbol, or on several."""
    return isinstance(x, Symbol) or (
        isinstance(x, _SEVERAL) and bool(x) and isinstance(x[0], Symbol)
    )


def draw(layer: Layer, x: Any, further: dict[str, Any]) -> Symbol:
    """Return the Symbol of what `layer` makes of others, building it for their shapes."""
    sources = [x] if isinstance(x, Symbol) else list(x)
    if not all(isinstance(source, Symbol) for source in sources):
        raise TypeError(f"layer {layer.name!r} is called on Symbols and values at once")
    if any(map(is_symbolic, further.values())):
        raise TypeError(
            f"layer {layer.name!r} is called on a Symbol as a further argument. Several Symbols "
            "are passed as one list; or subclass Model."
        )
    shapes: Any = x.shape if isinstance(x, Symbol) else [source.shape for source in sources]
    if not layer.built:
        layer._build(shapes, further)
    return Symbol(layer._output_shape(shapes, further), layer, sources, further)
