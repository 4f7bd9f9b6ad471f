"""Tracing: loss terms → contributions → steps → table and text."""

from minigrad.tracing.attribution import Step
from minigrad.tracing.table import Row, Table
from minigrad.tracing.trace import Trace, trace

__all__ = ["Row", "Step", "Table", "Trace", "trace"]
