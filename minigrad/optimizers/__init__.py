"""Optimizers: rules that turn gradients into steps."""

from minigrad.optimizers import schedules
from minigrad.optimizers.adadelta import Adadelta
from minigrad.optimizers.adagrad import Adagrad
from minigrad.optimizers.adam import Adam, AdamW
from minigrad.optimizers.adamax import Adamax
from minigrad.optimizers.ftrl import Ftrl
from minigrad.optimizers.lion import Lion
from minigrad.optimizers.nadam import Nadam
from minigrad.optimizers.optimizer import Optimizer
from minigrad.optimizers.rmsprop import RMSprop
from minigrad.optimizers.settings import registry
from minigrad.optimizers.sgd import SGD
from minigrad.suggestions import speak_up

get = registry.get
serialize = registry.serialize
deserialize = registry.deserialize

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lion",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]

speak_up(__name__)
