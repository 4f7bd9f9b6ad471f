"""Optimizers: rules that turn gradients into steps."""

from minigrad.optimizers.adam import Adam
from minigrad.optimizers.optimizer import Optimizer, registry
from minigrad.optimizers.sgd import SGD

get = registry.get
serialize = registry.serialize
deserialize = registry.deserialize

__all__ = ["SGD", "Adam", "Optimizer", "deserialize", "get", "serialize"]
