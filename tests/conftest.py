"""What all tests share."""

import os
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pytest
from hypothesis import settings

import minigrad as mg

settings.register_profile("suite", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("suite")


@pytest.fixture
def float64():
    """Make float64 the default dtype for a test."""
    before = mg.get_default_dtype()
    mg.set_default_dtype("float64")
    yield
    mg.set_default_dtype(before)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def pytest_report_header(config):
    """With which versions of what minigrad needs do the tests run?"""

    def found(name):
        try:
            return f"{name} {version(name)}"
        except PackageNotFoundError:
            return f"no {name}"

    needed = ("numpy", "matplotlib", "tqdm", "threadpoolctl", "joblib", "cloudpickle")
    return f"minigrad {mg.__version__} with {', '.join(map(found, needed))}"


def pytest_terminal_summary(terminalreporter, exitstatus, config):
    """Where every peer is installed, a skipped test is a test that was lost."""
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped and os.environ.get("MINIGRAD_NO_SKIPS"):
        terminalreporter.section("skipped, although MINIGRAD_NO_SKIPS is set", red=True)
        for report in skipped:
            terminalreporter.line(f"{report.nodeid}: {report.longrepr}")


def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("MINIGRAD_NO_SKIPS") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
