import ast
import hashlib
import subprocess
import sys
import zipfile
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad import datasets
from minigrad.datasets import load_digits, train_test_split

PACKAGE = Path(datasets.__file__).parent


def test_the_digits_are_the_uci_test_set():
    digits = load_digits()
    assert digits.images.shape == (1797, 64)
    assert digits.images.dtype == np.float32
    assert (digits.images.min(), digits.images.max()) == (0, 1)
    # The numbers of each class, as the repository's description gives them.
    assert np.bincount(digits.labels).tolist() == [
        178, 182, 177, 183, 181, 182, 181, 179, 174, 180,
    ]  # fmt: skip


def test_there_is_a_whole_number_as_label_for_each_image():
    images, labels = load_digits()
    assert (labels.shape, labels.dtype) == ((1797,), np.int64)
    assert images.flags.c_contiguous


def test_pixels_are_sixteenths_from_0_to_1():
    pixels = load_digits().images
    assert (pixels.min(), pixels.max()) == (0, 1)
    np.testing.assert_array_equal(pixels * 16, np.round(pixels * 16))


def test_a_zero_is_hollow_and_a_one_is_not():
    images, labels = load_digits()
    middle = images.reshape(-1, 8, 8)[:, 3:5, 3:5].mean(axis=(1, 2))
    assert middle[labels == 0].mean() < 0.2
    assert middle[labels == 1].mean() > 0.7


def test_changing_the_digits_does_not_change_what_is_loaded_next():
    first = load_digits()
    first.images[:] = 7
    first.labels[:] = 7
    assert load_digits().images.max() == 1
    assert load_digits().labels[0] == 0


def test_the_file_is_the_one_whose_digest_is_written_beside_it():
    digest = hashlib.sha256((PACKAGE / "digits.csv.gz").read_bytes()).hexdigest()
    assert digest in (PACKAGE / "DIGITS.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "words",
    ["E. Alpaydin", "C. Kaynak", "10.24432/C50P49", "CC BY 4.0", "The scikit-learn developers"],
)
def test_source_and_licences_stand_beside_the_file(words):
    assert words in files("minigrad.datasets").joinpath("DIGITS.md").read_text(encoding="utf-8")


def test_the_digits_can_be_read_out_of_a_zip_where_there_is_no_folder(tmp_path):
    archive = tmp_path / "packed.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("minigrad/__init__.py", "")
        for file in PACKAGE.iterdir():
            if file.is_file():
                packed.write(file, f"minigrad/datasets/{file.name}")
    script = (
        "from minigrad import datasets; assert '.zip' in datasets.__file__;"
        "print(datasets.load_digits().images.sum())"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env={"PYTHONPATH": str(archive)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(done.stdout) == pytest.approx(load_digits().images.sum())


def test_datasets_stand_on_numpy_and_the_standard_library_alone():
    allowed = sys.stdlib_module_names | {"numpy", "minigrad.datasets"}
    for file in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{file.name} imports relatively"
                names = [str(node.module)]
            for name in names:
                root = ".".join(name.split(".")[:2]) if name.startswith("minigrad") else name
                assert root in allowed or root.split(".")[0] in allowed, f"{file.name}: {name}"


def test_importing_the_datasets_does_not_load_matplotlib():
    script = "import sys, minigrad.datasets; print('matplotlib' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_a_split_keeps_every_sample_once_and_depends_on_the_seed_only():
    samples = np.arange(11)
    train, held_out = train_test_split(samples, 0.3, seed=4)
    assert (len(train), len(held_out)) == (8, 3)
    assert sorted([*train, *held_out]) == samples.tolist()
    again = train_test_split(samples, 0.3, seed=4)
    assert (again[0] == train).all()
    assert (train_test_split(samples, 0.3, seed=5)[0] != train).any()


def test_each_side_of_a_split_keeps_a_sample():
    for fraction in (0.001, 0.999):
        train, held_out = train_test_split(np.arange(2), fraction)
        assert len(train) == len(held_out) == 1
    with pytest.raises(ValueError, match="at least 2"):
        train_test_split(np.arange(1))
    with pytest.raises(ValueError, match="between 0 and 1"):
        train_test_split(np.arange(5), 1.0)


@given(
    n=st.integers(2, 60),
    held_out=st.floats(0, 1, exclude_min=True, exclude_max=True),
    seed=st.integers(0, 2**32),
)
def test_a_split_keeps_each_sample_once_and_some_on_each_side(n, held_out, seed):
    train, test = train_test_split(np.arange(n), held_out=held_out, seed=seed)
    assert sorted([*train, *test]) == list(range(n))
    assert len(train) >= 1
    assert len(test) >= 1
    assert abs(len(test) - held_out * n) <= 1


def test_labels_go_with_their_samples_as_without_labels():
    images, labels = load_digits()
    train_x, test_x, train_y, test_y = train_test_split(images, 0.1, seed=3, labels=labels)
    assert (len(train_x), len(train_y), len(test_x), len(test_y)) == (1617, 1617, 180, 180)
    label_of = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    for image, label in zip([*train_x, *test_x], [*train_y, *test_y], strict=True):
        assert label_of[image.tobytes()] == label
    np.testing.assert_array_equal(train_test_split(images, 0.1, seed=3)[1], test_x)


def test_a_split_is_shuffled_and_copied():
    samples = np.arange(50)
    train, test = train_test_split(samples)
    assert train.tolist() != sorted(train)
    train[:] = test[:] = -1
    assert samples.min() == 0


@pytest.mark.parametrize("held_out", [0, 1, -0.1, 1.5, float("nan")])
def test_a_fraction_out_of_range_is_refused(held_out):
    with pytest.raises(ValueError, match=rf"held_out must be between 0 and 1.*{held_out}"):
        train_test_split(np.arange(10), held_out=held_out)


@pytest.mark.parametrize("samples", [np.zeros((1, 3)), np.zeros((0, 3)), np.float32(3)])
def test_too_few_samples_to_split_are_refused(samples):
    with pytest.raises(ValueError, match=r"at least 2 samples\. Received: an array of shape \("):
        train_test_split(samples)


@pytest.mark.parametrize("labels", [np.arange(9), np.arange(11), 0.2])
def test_labels_that_do_not_match_are_refused(labels):
    with pytest.raises(ValueError, match=r"one label for each of the 10 samples\. Received: lab"):
        train_test_split(np.arange(10), labels=labels)


def test_labels_in_the_place_of_the_fraction_are_told_where_to_go():
    with pytest.raises(ValueError, match=r"shape \(10,\)\. Give labels by name: labels="):
        train_test_split(np.arange(10), np.arange(10))
