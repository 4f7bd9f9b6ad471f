"""Floor 4: layers, one small file a kind."""

from minigrad.layers.activation import Activation
from minigrad.layers.activity_regularization import ActivityRegularization
from minigrad.layers.dense import Dense
from minigrad.layers.flatten import Flatten
from minigrad.layers.layer import Layer
from minigrad.layers.loss_terms import LossTerms
from minigrad.layers.parameter import Parameter

__all__ = [
    "Activation",
    "ActivityRegularization",
    "Dense",
    "Flatten",
    "Layer",
    "LossTerms",
    "Parameter",
]
