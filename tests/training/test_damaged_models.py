"""Files that are damaged or malicious: one clear error, no code, little memory, nothing changed."""

import contextlib
import io
import json
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

import minigrad as mg
from minigrad.layers import BatchNormalization, Conv2D, Dense, Flatten, Input

X = np.random.default_rng(0).uniform(0, 1, (8, 6, 6, 1)).astype(np.float32)
# What `load` promises: twice the file, and one trial pass.
BOUND = 80e6


def model():
    made = mg.Sequential(
        Input((6, 6, 1)),
        Conv2D(2, 3, activation="relu", kernel_regularizer="l2"),
        BatchNormalization(),
        Flatten(),
        Dense(3, activity_regularizer="l1"),
        name="m",
    )
    made.compile("adam", "mse")
    made.fit(X, np.zeros((8, 3)), verbose=0)
    return made


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    path = tmp_path_factory.mktemp("good") / "m.npz"
    model().save(path)
    return path.read_bytes()


def refuses(path, contents, also_weights=True):
    """Loading must end in a LoadError, or in a model as good as the saved one."""
    path.write_bytes(contents)
    made = mg.Sequential(Input((6, 6, 1)), Conv2D(2, 3), BatchNormalization(), Flatten(), Dense(3))
    before = made.get_weights()
    tracemalloc.start()
    try:
        with pytest.raises(mg.LoadError):
            mg.load(path)
        if also_weights:
            with pytest.raises(mg.LoadError):
                made.load_weights(path)
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 2 * len(contents) + BOUND
    for old, new in zip(before, made.get_weights(), strict=True):
        assert (old == new).all()


def test_every_truncation_is_refused(tmp_path, good):
    rng = np.random.default_rng(0)
    for length in [0, 1, *rng.integers(2, len(good), 400), len(good) - 1]:
        refuses(tmp_path / "m.npz", good[:length])


def test_flipped_bits_are_refused_or_harmless(tmp_path, good):
    # The zip format keeps checksums of contents; a flip in a date or a comment changes nothing.
    rng = np.random.default_rng(1)
    path = tmp_path / "m.npz"
    expected = None
    for _ in range(2000):
        damaged = bytearray(good)
        for place in rng.integers(0, len(good), rng.integers(1, 4)):
            damaged[place] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            loaded = mg.load(path)
        except mg.LoadError:
            continue
        path.write_bytes(good)
        expected = mg.load(path).predict(X) if expected is None else expected
        assert (loaded.predict(X) == expected).all()


def test_shuffled_and_random_bytes_are_refused(tmp_path, good):
    rng = np.random.default_rng(2)
    for _ in range(200):
        start, stop = sorted(rng.integers(0, len(good), 2))
        middle = bytearray(good[start:stop])
        rng.shuffle(middle)
        if bytes(middle) != good[start:stop]:
            damaged = good[:start] + bytes(middle) + good[stop:]
            path = tmp_path / "m.npz"
            path.write_bytes(damaged)
            with contextlib.suppress(mg.LoadError):
                mg.load(path)
        refuses(tmp_path / "m.npz", rng.bytes(int(rng.integers(1, 5000))))


def rebuilt(good, change=None, arrays=None):
    """The file with a changed config or changed arrays, its checksums in order."""
    with np.load(io.BytesIO(good)) as file:
        contents = {name: file[name] for name in file.files}
    if change is not None:
        config = json.loads(str(contents["config"]))
        change(config)
        contents["config"] = np.array(json.dumps(config))
    for name, array in (arrays or {}).items():
        if array is None:
            del contents[name]
        else:
            contents[name] = array
    output = io.BytesIO()
    np.savez(output, **contents)
    return output.getvalue()


def layer(config, index):
    return config["model"]["config"]["layers"][index]["config"]


CONFIGS = {
    "a huge layer": lambda c: layer(c, 3).update(units=2**40),
    "a large layer": lambda c: layer(c, 3).update(units=10**8),
    "a huge kernel": lambda c: layer(c, 0).update(kernel_size=[10**6, 10**6], padding="same"),
    "a huge input": lambda c: (
        layer(c, 0).update(input_shape=[10**9, 10**9, 1]),
        c["model"]["config"].update(input_shape=[10**9, 10**9, 1]),
    ),
    "a negative input": lambda c: layer(c, 0).update(input_shape=[-1, 6, 1]),
    "no layers": lambda c: c["model"]["config"].update(layers=[]),
    "layers of numbers": lambda c: c["model"]["config"].update(layers=[1, 2]),
    "an unknown layer": lambda c: c["model"].update(class_name="os.system"),
    "a layer as model": lambda c: c.update(model=c["model"]["config"]["layers"][0]),
    "an unknown argument": lambda c: layer(c, 0).update(shell="rm"),
    "a path as class": lambda c: c["optimizer"].update(class_name="subprocess.Popen"),
    "an unknown loss": lambda c: c.update(loss={"class_name": "eval", "config": "1"}),
    "a bad rate": lambda c: c["optimizer"]["config"].update(learning_rate=-1),
    "a bad generator": lambda c: c["generators"].update({"": {"bit_generator": "PCG64"}}),
    "a generator of text": lambda c: c["generators"].update({"": "x"}),
    "generators of numbers": lambda c: c.update(generators=3),
    "no model": lambda c: c.pop("model"),
    "no optimizer": lambda c: c.pop("optimizer"),
    "another format": lambda c: c.update(format=99),
    "a name with a slash": lambda c: layer(c, 0).update(name="../../x"),
    "two layers of a name": lambda c: layer(c, 3).update(name=layer(c, 0)["name"]),
    "a dtype of objects": lambda c: layer(c, 3).update(dtype="O"),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_configs_that_lie_are_refused_without_much_memory(tmp_path, good, name):
    refuses(tmp_path / "m.npz", rebuilt(good, CONFIGS[name]), also_weights=False)


def test_a_deeply_nested_config_is_refused(tmp_path, good):
    text = '{"format": 1, "model": ' + "[" * 100_000 + "]" * 100_000 + "}"
    refuses(tmp_path / "m.npz", rebuilt(good, arrays={"config": np.array(text)}))

    def nest(config):
        for _ in range(300):
            config["model"] = {
                "class_name": "Sequential",
                "config": {**config["model"]["config"], "layers": [config["model"]]},
            }

    path = tmp_path / "m.npz"
    path.write_bytes(rebuilt(good, nest))
    with pytest.raises(mg.LoadError):
        mg.load(path)


@pytest.mark.parametrize(
    "arrays",
    [
        {"conv2d/kernel": None},
        {"conv2d/kernel": np.ones((3, 3, 1, 1))},
        {"conv2d/kernel": np.ones((3, 3, 1, 2), complex)},
        {"conv2d/kernel": np.ones((3, 3, 1, 2), int)},
        {"conv2d/kernel": np.array("text")},
        {"surplus": np.ones(1)},
        {"config": None},
        {"config": np.ones(3)},
        {"config": np.array("[]")},
        {"config": np.array("{")},
        {"config": np.array([], "U1")},
    ],
    ids=str,
)
def test_arrays_that_do_not_fit_are_refused(tmp_path, good, arrays):
    refuses(tmp_path / "m.npz", rebuilt(good, arrays=arrays))


@pytest.mark.parametrize(
    "arrays",
    [
        {"optimizer:momentum/conv2d/kernel": None},
        {"optimizer:momentum/conv2d/kernel": np.ones(3)},
        {"optimizer:iterations": np.array(-1)},
        {"optimizer:iterations": np.array([1, 2])},
        {"optimizer:other": np.ones(3)},
    ],
    ids=str,
)
def test_running_averages_that_do_not_fit_are_refused(tmp_path, good, arrays):
    refuses(tmp_path / "m.npz", rebuilt(good, arrays=arrays), also_weights=False)


def archive(members, compression=zipfile.ZIP_STORED):
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", compression) as file:
        for name, contents in members:
            file.writestr(name, contents)
    return output.getvalue()


def npy(array=None, header=None, contents=b""):
    """An array file, or one whose header says something else."""
    if header is None:
        output = io.BytesIO()
        np.lib.format.write_array(output, array)
        return output.getvalue()
    text = header.ljust(118 - 1).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + contents


CONFIG = npy(np.array('{"format": 1}'))


class Evil:
    def __reduce__(self):
        return (pytest.fail, ("code was run",))


@pytest.mark.parametrize(
    "contents",
    [
        archive([("config.npy", CONFIG), ("../../evil.npy", b"x")]),
        archive([("config.npy", CONFIG), ("/etc/passwd", b"x")]),
        archive([("config.npy", CONFIG), ("w.npy", npy(np.zeros(10**7)))], zipfile.ZIP_DEFLATED),
        archive([("config.npy", CONFIG), ("w.pkl", pickle.dumps(Evil()))]),
        archive([("config.npy", pickle.dumps(Evil()))]),
        archive(
            [
                ("config.npy", CONFIG),
                (
                    "w.npy",
                    npy(
                        header="{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
                        contents=pickle.dumps(Evil()),
                    ),
                ),
            ]
        ),
        archive(
            [
                ("config.npy", CONFIG),
                (
                    "w.npy",
                    npy(header="{'descr': '<f8', 'fortran_order': False, 'shape': (10**15,)}"),
                ),
            ]
        ),
        archive(
            [
                ("config.npy", CONFIG),
                (
                    "w.npy",
                    npy(
                        header="{'descr': '<f8', 'fortran_order': False, 'shape': "
                        "(1000000000000000,)}"
                    ),
                ),
            ]
        ),
        archive([("config.npy", CONFIG), ("w.npy", npy(header="__import__('os')"))]),
        archive([("config.npy", CONFIG), ("w.npy", npy(header="(" * 90))]),
        archive([("config.npy", CONFIG), ("w.npy", b"\x93NUMPY\x09\x00")]),
        archive([("config.npy", CONFIG), ("w.npy", b"")]),
        pickle.dumps(Evil()),
    ],
    ids=[
        "path out of the folder",
        "no array",
        "bomb",
        "pickle as member",
        "pickle as config",
        "pickled objects",
        "expression as shape",
        "huge declared shape",
        "code as header",
        "unparsable header",
        "unknown version",
        "empty array",
        "pickle",
    ],
)
def test_tricks_with_the_archive_are_refused(tmp_path, contents):
    refuses(tmp_path / "m.npz", contents)


def test_overlapping_members_are_refused(tmp_path, good):
    # Directory entries that all point at the same bytes: small on disk, huge when unpacked.
    one = archive([("config.npy", CONFIG), ("w.npy", npy(np.zeros(1000)))])
    with zipfile.ZipFile(io.BytesIO(one)) as file:
        start = file.start_dir
    directory = one[start:-22]
    entry = directory[directory.index(b"PK\x01\x02", 4) :]
    copies = b"".join(entry.replace(b"w.npy", b"%c.npy" % (97 + i)) for i in range(20))
    end = bytearray(one[-22:])
    size = len(directory) + len(copies)
    struct.pack_into("<HHII", end, 8, 22, 22, size, start)
    refuses(tmp_path / "m.npz", one[:start] + directory + copies + bytes(end))


def test_a_folder_or_a_missing_file_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "nothing.npz"):
        with pytest.raises(mg.LoadError):
            mg.load(path)
