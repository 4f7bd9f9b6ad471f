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
from minigrad.suggestions import speak_up

if TYPE_CHECKING:
    from minigrad import (
        backend,
        callbacks,
        datasets,
        losses,
        metrics,
        models,
        optimizers,
        plots,
        saving,
        search,
        testing,
        utils,
    )
    from minigrad.initializers import Initializer
    from minigrad.losses import Loss
    from minigrad.metrics import Metric
    from minigrad.optimizers import Optimizer
    from minigrad.regularizers import Regularizer
    from minigrad.tracing.trace import Trace, trace
    from minigrad.training import FirstBatchWarning, History, Model, NonFiniteLossError, Sequential
    from minigrad.training.saving import LoadError, load, model_from_json, save

__version__ = "0.1.0"

Variable = Parameter  # as Keras calls it

__all__ = [
    "AnomalyError",
    "FirstBatchWarning",
    "History",
    "Initializer",
    "Input",
    "Layer",
    "LoadError",
    "Loss",
    "LossTerms",
    "LostGradientWarning",
    "Metric",
    "Model",
    "NonFiniteLossError",
    "Optimizer",
    "Parameter",
    "Primitive",
    "Regularizer",
    "Sequential",
    "Tensor",
    "Trace",
    "Variable",
    "__version__",
    "activations",
    "backend",
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
    "search",
    "set_default_dtype",
    "set_seed",
    "stop_gradient",
    "testing",
    "trace",
    "utils",
    "value_and_grad",
    "version",
    "vjp",
]

# In which module a name is that is loaded when it is first used, so that a program waits only for
# what it uses. The other names that are not there yet are modules themselves.
_LAZY_NAMES = {
    **dict.fromkeys(("Trace", "trace"), "tracing"),
    **dict.fromkeys(
        ("FirstBatchWarning", "History", "Model", "NonFiniteLossError", "Sequential"), "training"
    ),
    **dict.fromkeys(("LoadError", "load", "model_from_json", "save"), "training.saving"),
    "Initializer": "initializers",
    "Loss": "losses",
    "Metric": "metrics",
    "Optimizer": "optimizers",
    "Regularizer": "regularizers",
}


def version() -> str:
    """Return the version, as ``minigrad.__version__`` does."""
    return __version__


def _load(name: str) -> Any:
    if name in _LAZY_NAMES:
        value = getattr(import_module(f"minigrad.{_LAZY_NAMES[name]}"), name)
        globals()[name] = value  # the next time, it is simply there
        return value
    return import_module(f"minigrad.{name}") if name in __all__ else None


speak_up(__name__, _load)
