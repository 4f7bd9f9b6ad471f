"""minigrad: an autograd framework that shows which part of the loss every gradient comes from.

Examples
--------
>>> import minigrad as mg
>>> x = mg.Tensor([1.0, -2.0], requires_grad=True)
>>> (x * x).sum().backward()
>>> x.grad
array([ 2., -4.], dtype=float32)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from minigrad import (
    activations,
    initializers,
    layers,
    losses,
    ops,
    optimizers,
    regularizers,
)
from minigrad.engine import (
    AnomalyError,
    Primitive,
    Tensor,
    custom_gradient,
    detect_anomaly,
    enable_grad,
    get_default_dtype,
    grad,
    hessian,
    hvp,
    implements,
    is_recording,
    jacobian,
    jvp,
    no_grad,
    scope,
    set_default_dtype,
    stop_gradient,
    value_and_grad,
    vjp,
)
from minigrad.layers import LossTerms, Parameter
from minigrad.seeds import set_seed
from minigrad.serialization import register_serializable
from minigrad.tracing import Trace, trace
from minigrad.training import History, LoadError, Sequential, load, save

if TYPE_CHECKING:
    from minigrad import datasets, plots, testing

__version__ = "0.1.0"

__all__ = [
    "AnomalyError",
    "History",
    "LoadError",
    "LossTerms",
    "Parameter",
    "Primitive",
    "Sequential",
    "Tensor",
    "Trace",
    "activations",
    "custom_gradient",
    "datasets",
    "detect_anomaly",
    "enable_grad",
    "get_default_dtype",
    "grad",
    "hessian",
    "hvp",
    "implements",
    "initializers",
    "is_recording",
    "jacobian",
    "jvp",
    "layers",
    "load",
    "losses",
    "no_grad",
    "ops",
    "optimizers",
    "plots",
    "register_serializable",
    "regularizers",
    "save",
    "scope",
    "set_default_dtype",
    "set_seed",
    "stop_gradient",
    "testing",
    "trace",
    "value_and_grad",
    "vjp",
]

# Loaded when they are first used: they are not needed to train, and matplotlib is slow to import.
_LAZY = ("datasets", "plots", "testing")


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return import_module(f"minigrad.{name}")
    raise AttributeError(f"module 'minigrad' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
