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

from minigrad import activations, constraints, initializers, layers, ops, regularizers
from minigrad.engine import (
    AnomalyError,
    LostGradientWarning,
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
    remember_lines,
    scope,
    set_default_dtype,
    stop_gradient,
    value_and_grad,
    vjp,
)
from minigrad.layers import Input, Layer, LossTerms
from minigrad.parameter import Parameter
from minigrad.seeds import set_seed
from minigrad.serialization import register_serializable

if TYPE_CHECKING:
    from minigrad import (
        callbacks,
        datasets,
        losses,
        metrics,
        models,
        optimizers,
        plots,
        saving,
        testing,
        utils,
    )
    from minigrad.tracing.trace import Trace, trace
    from minigrad.training import FirstBatchWarning, History, Model, NonFiniteLossError, Sequential
    from minigrad.training.saving import LoadError, load, model_from_json, save

__version__ = "0.1.0"

Variable = Parameter  # as Keras calls it

__all__ = [
    "AnomalyError",
    "FirstBatchWarning",
    "History",
    "Input",
    "Layer",
    "LoadError",
    "LossTerms",
    "LostGradientWarning",
    "Model",
    "NonFiniteLossError",
    "Parameter",
    "Primitive",
    "Sequential",
    "Tensor",
    "Trace",
    "Variable",
    "activations",
    "callbacks",
    "constraints",
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
    "metrics",
    "model_from_json",
    "models",
    "no_grad",
    "ops",
    "optimizers",
    "plots",
    "register_serializable",
    "regularizers",
    "remember_lines",
    "save",
    "saving",
    "scope",
    "set_default_dtype",
    "set_seed",
    "stop_gradient",
    "testing",
    "trace",
    "utils",
    "value_and_grad",
    "vjp",
]

# Loaded when they are first used, so that a program waits only for what it uses.
_LAZY_MODULES = (
    *("callbacks", "datasets", "losses", "metrics", "models", "optimizers", "plots", "saving"),
    *("testing", "utils"),
)
_LAZY_NAMES = {
    **dict.fromkeys(("Trace", "trace"), "tracing"),
    **dict.fromkeys(
        ("FirstBatchWarning", "History", "Model", "NonFiniteLossError", "Sequential"), "training"
    ),
    **dict.fromkeys(("LoadError", "load", "model_from_json", "save"), "training.saving"),
}


def __getattr__(name: str) -> Any:
    if name in _LAZY_MODULES:
        return import_module(f"minigrad.{name}")
    if name in _LAZY_NAMES:
        value = getattr(import_module(f"minigrad.{_LAZY_NAMES[name]}"), name)
        globals()[name] = value  # the next time, it is simply there
        return value
    raise AttributeError(f"module 'minigrad' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY_MODULES, *_LAZY_NAMES})
