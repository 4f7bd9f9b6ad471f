"""What the tests of datasets share."""

import pytest


@pytest.fixture(scope="module")
def put(tmp_path_factory):
    """Write bytes or text into a file of a given name and return its path."""
    folder = tmp_path_factory.mktemp("tables")

    def write(name, contents):
        file = folder / name
        file.write_bytes(contents.encode() if isinstance(contents, str) else contents)
        return file

    return write
