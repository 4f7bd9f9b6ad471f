"""Tracing: loss terms → contributions → steps → table, text and explorer."""

from minigrad.tracing.attribution import Step
from minigrad.tracing.layer_pass import LayerPass
from minigrad.tracing.table import Row, Table
from minigrad.tracing.trace import Trace, trace

__all__ = ["LayerPass", "Row", "Step", "Table", "Trace", "trace"]
