"""A few of the random trials of `make fuzz`, in each run of the suite."""

import pytest

from minigrad.training.unchanged import Snapshot
from tests.fuzz import random_changes, random_models
from tests.fuzz.__main__ import kinds, main


@pytest.mark.parametrize("kind", kinds())
def test_a_few_cases_of_each_kind_hold(kind):
    assert kinds()[kind](12, 20_000) == []


def test_the_models_are_replayed(monkeypatch):
    runs = []
    usual = Snapshot.still_holds
    monkeypatch.setattr(Snapshot, "still_holds", lambda self: runs.append(1) or usual(self))
    assert random_models.run(12, 0) == []
    assert len(runs) > 12


def test_a_difference_is_found_and_told_with_its_seed(monkeypatch, capsys):
    by_kind = lambda model, act, batch: type(model._replays).__name__  # noqa: E731
    monkeypatch.setattr(random_models, "outcome", by_kind)
    assert main(["models", "--cases", "2", "--seed", "5"]) == 1
    shown = capsys.readouterr().out
    assert "models: seed 5: step 0" in shown
    assert "models: 2 cases from seed 5, 2 failures" in shown


def test_a_change_that_nobody_sees_is_found(monkeypatch):
    """The trial itself can fail: a program that looks at nothing goes on with old settings."""
    monkeypatch.setattr("minigrad.training.unchanged.Snapshot.still_holds", lambda self: True)
    assert random_changes.run(80, 0)


def test_an_unknown_kind_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["model"])
    assert "unknown kind 'model'" in capsys.readouterr().err
