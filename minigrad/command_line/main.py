"""The command line: arguments in, one clear line on standard error and exit code 2 if they fail."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import minigrad
from minigrad.command_line import autoencoder


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code.

    0 if all went well, 2 for bad arguments, data or folders, 130 if it was interrupted.
    """
    parser = argparse.ArgumentParser(
        prog="minigrad",
        description="An autograd framework that shows where every gradient comes from.",
    )
    parser.add_argument("--version", action="version", version=f"minigrad {minigrad.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    autoencoder.add_arguments(
        commands.add_parser(
            "autoencoder",
            help="train a sparse autoencoder and report where its gradients come from",
            description=autoencoder.__doc__,
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
    )
    try:
        options = parser.parse_args(arguments)
    except SystemExit as stop:  # argparse has printed its message, or the help, already
        return int(stop.code or 0)
    try:
        autoencoder.run(options)
    except (ValueError, OSError) as error:
        print(f"minigrad {options.command}: {_one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\nminigrad {options.command}: interrupted; nothing was written", file=sys.stderr)
        return 130
    return 0


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror.lower()}: {error.filename}"
    return " ".join(str(error).split())
