"""An archive from elsewhere, unpacked within bounds: ZIP and TAR, as models are published.

Nothing of an archive is trusted: no name leads out of the folder, no links or devices, no more bytes and
files than allowed whatever the archive claims, no permissions from it.
"""

from __future__ import annotations

import errno
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Final

from hotline.core.errors import SetupError

MOST_FILES: Final = 1000  # models have a few dozen
MOST_TIMES: Final = 10  # unpacked against packed; models reach about 2
SPARE_BYTES: Final = 64 * 1024 * 1024  # small archives of text may be packed better than that
_COPY_BYTES: Final = 1024 * 1024
_HINT: Final = "do not use this archive; pull the model from another place: --url"


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    open: Callable[[], IO[bytes] | None]


def unpack(archive: Path, into: Path) -> Path:
    """Unpack into a new folder; return where in it the model lies: archives hold one folder, or its content.

    Raises:
        SetupError: it is no archive, damaged, or one that means harm; ``into`` is then to be thrown away.
    """
    into.mkdir()
    room = MOST_TIMES * archive.stat().st_size + SPARE_BYTES
    try:
        for count, member in enumerate(_members(archive), start=1):
            if count > MOST_FILES:
                raise SetupError(f"the archive holds more than {MOST_FILES} files", hint=_HINT)
            room -= _write(member, into / _safe(member.name), room)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise SetupError(f"no room left in {into.parent}", hint="free some and pull again") from None
        if error.errno is not None:
            raise
        raise _damaged(error) from None  # bz2 tells so of a damaged archive
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError) as error:
        raise _damaged(error) from None
    except (NotImplementedError, RuntimeError) as error:  # a compression or a password that zipfile lacks
        raise _damaged(error) from None
    inside = [entry for entry in into.iterdir() if entry.name != "__MACOSX"]
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else into


def _damaged(error: Exception) -> SetupError:
    return SetupError(f"the archive is damaged ({error})", hint="pull it again")


def _members(archive: Path) -> Iterator[_Member]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            yield from _zip_members(packed)
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as packed_tar:
            yield from _tar_members(packed_tar)
    else:
        raise SetupError(f"{archive.name} is no ZIP and no TAR archive, or not a whole one", hint=_HINT)


def _zip_members(packed: zipfile.ZipFile) -> Iterator[_Member]:
    for info in packed.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)
        if info.is_dir():
            continue
        if kind not in (0, stat.S_IFREG):
            raise SetupError(f"the archive holds a link or a device: {info.filename!r}", hint=_HINT)
        yield _Member(info.filename, lambda info=info: packed.open(info))  # type: ignore[misc]


def _tar_members(packed: tarfile.TarFile) -> Iterator[_Member]:
    for info in packed:
        if info.isdir():
            continue
        if not info.isreg():
            raise SetupError(f"the archive holds a link or a device: {info.name!r}", hint=_HINT)
        yield _Member(info.name, lambda info=info: packed.extractfile(info))  # type: ignore[misc]


def _safe(name: str) -> PurePosixPath:
    """The name as a path within the folder.

    Raises:
        SetupError: it leads elsewhere.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or "\0" in name or ":" in name or not path.parts:
        raise SetupError(f"the archive wants to write outside its folder: {name!r}", hint=_HINT)
    return path


def _write(member: _Member, path: Path, room: int) -> int:
    """Unpack one file; return its bytes, which are at most ``room``."""
    source = member.open()
    if source is None:
        raise SetupError(f"the archive holds a link or a device: {member.name!r}", hint=_HINT)
    written = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with source, path.open("xb") as out:
            while part := source.read(_COPY_BYTES):
                written += len(part)
                if written > room:
                    raise SetupError("the archive unpacks to far more than a model", hint=_HINT)
                out.write(part)
            out.flush()
            os.fsync(out.fileno())  # the rename that follows must not be kept before the bytes
    except (FileExistsError, NotADirectoryError):
        raise SetupError(f"the archive holds {member.name!r} twice", hint=_HINT) from None
    return written
