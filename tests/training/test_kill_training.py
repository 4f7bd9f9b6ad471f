"""A short run of the script that kills a training process; `make kill` is a long one."""

import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).with_name("kill_training.py")
spec = importlib.util.spec_from_file_location("kill_training", PATH)
kill_training = importlib.util.module_from_spec(spec)
spec.loader.exec_module(kill_training)


def test_killed_processes_leave_good_files_and_go_on_to_the_same_bits():
    found = kill_training.run(kills=3, steps=60, seed=1)
    assert found["killed"] == 3
    assert found["loaded"] >= 3


def test_the_comparison_notices_a_single_bit(tmp_path):
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()
        kill_training.train(folder, 8)
    kill_training.assert_same_bits(*folders)
    history = folders[0] / "history.json"
    history.write_text(history.read_text().replace("1", "2", 1))
    with pytest.raises(AssertionError, match=r"history\.json"):
        kill_training.assert_same_bits(*folders)
