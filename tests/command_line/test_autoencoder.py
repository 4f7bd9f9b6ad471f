import json
import os

import numpy as np
import pytest

import minigrad as mg
from minigrad.command_line import experiment
from minigrad.command_line.experiment import Settings
from minigrad.command_line.main import main

QUICK = ["autoencoder", "--epochs", "2", "--units", "12", "--quiet"]


@pytest.fixture
def samples(tmp_path):
    path = tmp_path / "samples.npz"
    np.savez(path, x=np.random.default_rng(0).uniform(0, 1, (30, 9)))
    return str(path)


def test_it_writes_a_model_a_history_and_a_report(tmp_path, samples, capsys):
    out = tmp_path / "deep" / "out"
    assert main([*QUICK, "--data", samples, "--out", str(out)]) == 0
    assert sorted(file.name for file in out.iterdir()) == [
        "history.json",
        "model.npz",
        "report.html",
    ]
    model = mg.load(out / "model.npz")
    assert model.layers[0].units == 12
    record = json.loads((out / "history.json").read_text())
    assert len(record["history"]["codings/activity"]) == 2
    assert [row["name"] for row in record["comparison"]] == [
        "sparse autoencoder (L1)", "sparse autoencoder (KL)", "unpenalised twin",
        "bottleneck of 9", "PCA, 9 components",
    ]  # fmt: skip
    page = (out / "report.html").read_text()
    assert page.count("<img") == 6
    assert "codings/activity" in page
    shown = capsys.readouterr().out
    assert "codings/kernel" in shown
    assert "residual" in shown


def test_samples_that_are_no_images_are_reported_without_pictures_of_them(tmp_path):
    path = tmp_path / "samples.csv"
    np.savetxt(path, np.random.default_rng(0).uniform(0, 1, (20, 5)), delimiter=",")
    assert main([*QUICK, "--data", str(path), "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "report.html").read_text().count("<img") == 4


def test_the_same_seed_writes_the_same_bytes(tmp_path):
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        assert main([*QUICK, "--seed", seed, "--out", str(tmp_path / name)]) == 0
    first, second, other = (
        {name: values.tobytes() for name, values in np.load(tmp_path / run / "model.npz").items()}
        for run in "abc"
    )
    assert first == second != other
    assert (tmp_path / "a/report.html").read_bytes() == (tmp_path / "b/report.html").read_bytes()


def test_the_defaults_beat_a_hard_bottleneck_and_pca_at_the_same_budget():
    settings = Settings()
    images = mg.datasets.load_digits().images
    train, held_out = mg.datasets.train_test_split(images, seed=settings.seed)
    sparse = experiment.train(
        "sparse", experiment.sparse_l1(64, settings), train, held_out, settings, 0
    )
    bottleneck = experiment.train(
        "hard", experiment.build(64, 10, settings, "relu"), train, held_out, settings, 0
    )
    pca = experiment.principal_components(train, held_out, 10)
    assert settings.units == 100
    assert sparse.active.mean() <= 12
    assert sparse.error < bottleneck.error
    assert sparse.error < pca.error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "no.csv"], "there is no file no.csv"),
        (["--l1", "-1"], "l1 must be a finite number"),
        (["--l2", "nan"], "l2 must be a finite number"),
        (["--kl", "inf"], "strength must be a finite number"),
        (["--target", "1"], "target must be strictly between"),
        (["--units", "0"], "--units must be 1 or larger"),
        (["--epochs", "0"], "--epochs must be 1 or larger"),
        (["--batch-size", "-3"], "--batch-size must be 1"),
        (["--seed", "-3"], "--seed must be 0"),
        (["--learning-rate", "-1"], "learning_rate must be a finite number ≥ 0"),
        (["--epochs", "many"], "invalid int value: 'many'"),
        (["--unitz", "3"], "unrecognized arguments: --unitz"),
    ],
)
def test_bad_arguments_give_one_line_and_exit_code_2(arguments, message, tmp_path, capsys):
    out = tmp_path / "out"
    assert main([*QUICK, "--out", str(out), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert not out.exists()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.full((5, 3), np.nan), "15 values are nan"),
        (np.full((5, 3), 7.5), "between 0 and 1"),
        (np.ones((1, 3)), "at least 2 samples"),
    ],
)
def test_bad_data_leave_nothing_behind(values, message, tmp_path, capsys):
    np.save(tmp_path / "bad.npy", values)
    out = tmp_path / "a" / "b"
    assert main([*QUICK, "--data", str(tmp_path / "bad.npy"), "--out", str(out)]) == 2
    assert message in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["bad.npy"]


def test_an_output_folder_that_is_a_file_is_refused_before_training(tmp_path, capsys):
    (tmp_path / "out").write_text("a file")
    assert main([*QUICK, "--out", str(tmp_path / "out")]) == 2
    captured = capsys.readouterr()
    assert "file exists" in captured.err
    assert "Training" not in captured.out
    assert main([*QUICK, "--out", str(tmp_path / "out" / "deeper")]) == 2
    assert "not a directory" in capsys.readouterr().err


def test_an_output_folder_that_cannot_be_written_is_refused(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anywhere
    assert main([*QUICK, "--out", str(tmp_path / "new")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_an_interruption_is_said_and_leaves_nothing_behind(tmp_path, capsys, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(experiment, "train", interrupt)
    assert main([*QUICK, "--out", str(tmp_path / "new")]) == 130
    assert "interrupted" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_help_and_version(capsys):
    assert main(["--version"]) == 0
    assert mg.__version__ in capsys.readouterr().out
    assert main(["autoencoder", "--help"]) == 0
    assert "--l1" in capsys.readouterr().out
    assert main([]) == 2
