"""Callbacks: what is called while a model trains."""

from minigrad.training.callbacks.backup import BackupAndRestore
from minigrad.training.callbacks.callback import Callback, CallbackList
from minigrad.training.callbacks.csv_logger import CSVLogger
from minigrad.training.callbacks.early_stopping import EarlyStopping
from minigrad.training.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
from minigrad.training.callbacks.model_checkpoint import ModelCheckpoint
from minigrad.training.callbacks.monitor import Monitor
from minigrad.training.callbacks.small import LambdaCallback, TerminateOnNaN
from minigrad.training.callbacks.trace_callback import TraceCallback

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "Monitor",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
    "TraceCallback",
]
