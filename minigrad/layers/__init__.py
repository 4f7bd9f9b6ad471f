"""Floor 4: layers, one small file a kind."""

from minigrad.layers.activation import Activation
from minigrad.layers.activity_regularization import ActivityRegularization
from minigrad.layers.convolution import (
    Conv1D,
    Conv2D,
    Conv3D,
    Convolution1D,
    Convolution2D,
    Convolution3D,
)
from minigrad.layers.convolution_transpose import (
    Conv1DTranspose,
    Conv2DTranspose,
    Conv3DTranspose,
    Convolution1DTranspose,
    Convolution2DTranspose,
    Convolution3DTranspose,
)
from minigrad.layers.dense import Dense
from minigrad.layers.dense_transpose import DenseTranspose
from minigrad.layers.depthwise_convolution import DepthwiseConv1D, DepthwiseConv2D
from minigrad.layers.embedding import Embedding
from minigrad.layers.flatten import Flatten
from minigrad.layers.kernel_layer import BiasLayer, KernelLayer
from minigrad.layers.lambda_layer import Lambda
from minigrad.layers.layer import Layer
from minigrad.layers.loss_terms import LossTerms
from minigrad.layers.merging import (
    Add,
    Average,
    Concatenate,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
)
from minigrad.layers.noise import (
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from minigrad.layers.normalization import BatchNormalization, LayerNormalization
from minigrad.layers.parameter import Parameter
from minigrad.layers.prelu import PReLU
from minigrad.layers.separable_convolution import (
    SeparableConv1D,
    SeparableConv2D,
    SeparableConvolution1D,
    SeparableConvolution2D,
)
from minigrad.layers.symbol import Input

__all__ = [
    "Activation",
    "ActivityRegularization",
    "Add",
    "Average",
    "BatchNormalization",
    "BiasLayer",
    "Concatenate",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "Convolution1D",
    "Convolution1DTranspose",
    "Convolution2D",
    "Convolution2DTranspose",
    "Convolution3D",
    "Convolution3DTranspose",
    "Dense",
    "DenseTranspose",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Dropout",
    "Embedding",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "Input",
    "KernelLayer",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LossTerms",
    "Maximum",
    "Minimum",
    "Multiply",
    "PReLU",
    "Parameter",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "Subtract",
]
