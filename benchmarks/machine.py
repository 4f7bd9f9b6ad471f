"""What the numbers were measured on and with."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np  # loads the BLAS that is asked about
from threadpoolctl import threadpool_info

PEERS = {
    "PyTorch": "torch",
    "JAX": "jax",
    "Keras": "keras",
    "MyGrad": "mygrad",
    "HIPS autograd": "autograd",
}


def description():
    """Return processor, libraries and their versions as a sentence."""
    peers = ", ".join(f"{name} {version(package)}" for name, package in PEERS.items())
    return (
        f"{processor()}, {len(os.sched_getaffinity(0))} cores, {platform.system()}; "
        f"Python {platform.python_version()}, NumPy {np.__version__} with {blas()}, {peers}."
    )


def processor():
    """Return the processor's name."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def blas():
    """Return the name of NumPy's BLAS, its threads, and the kernels that it has chosen."""
    for library in threadpool_info():
        if library["user_api"] == "blas":
            name, release = library["internal_api"], library["version"]
            kernels, threads = library.get("architecture", "unknown"), library["num_threads"]
            return f"{name} {release} ({kernels} kernels, {threads} threads)"
    return "an unknown BLAS"
