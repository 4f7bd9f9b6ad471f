"""Writing files so that a crash leaves the old one or the new one, never half of one."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file to write bytes into; it takes the place of `path` once all is on the disk.

    A process that is killed meanwhile leaves a hidden file ``.<name>.<process>.….partial``, which
    the next write to the same path removes.

    Where `path` is a link, the file that it leads to is replaced. At any OSError, whatever stood
    there before is untouched.
    """
    target = Path(os.path.realpath(path))
    _require_place(target, path)
    _remove_partial_files(target)
    with errors_name(path, "It was not written; what stood there before is unchanged."):
        handle, temporary = tempfile.mkstemp(
            prefix=f".{target.name}.{os.getpid()}.", suffix=".partial", dir=target.parent
        )
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o666 & ~_umask())  # mkstemp's file is for its owner only
            os.replace(temporary, target)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
            raise


@contextmanager
def errors_name(path: str | os.PathLike[str], note: str) -> Iterator[None]:
    """Let an OSError from inside name `path`, where it names none or a temporary file.

    What the system says of a full disk does not tell which file was being written.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None or str(error.filename).endswith(".partial"):
            error.filename = os.fspath(path)
            error.add_note(note)
        raise


def _require_place(target: Path, path: str | os.PathLike[str]) -> None:
    """Raise unless a file could stand at `target`; a device must not be replaced by one."""
    if target.is_dir():
        number, reason = errno.EISDIR, "a folder stands there; name a file in it"
    elif not target.parent.exists():
        number, reason = errno.ENOENT, "there is no such folder to write into; make it first"
    elif not target.parent.is_dir():
        number, reason = errno.ENOTDIR, "what should be its folder is a file"
    elif target.exists() and not target.is_file():
        number, reason = errno.EINVAL, "what stands there is no ordinary file"
    else:
        return
    raise OSError(number, reason, os.fspath(path))


def _remove_partial_files(target: Path) -> None:
    """Remove what processes that no longer run have left of this file."""
    pattern = re.compile(rf"\.{re.escape(target.name)}\.(\d+)\..*\.partial")
    with suppress(OSError):  # a folder that cannot be listed is reported when it is written to
        for name in os.listdir(target.parent):
            match = pattern.fullmatch(name)
            if match and not _is_running(int(match[1])):
                with suppress(OSError):
                    (target.parent / name).unlink()


def _is_running(process: int) -> bool:
    if os.name != "posix":
        return True  # elsewhere there is no harmless way to ask
    try:
        os.kill(process, 0)  # signal 0 only asks
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _umask() -> int:
    current = os.umask(0o022)
    os.umask(current)
    return current
