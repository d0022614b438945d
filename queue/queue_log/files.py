"""queue_log files of another system as they lie about: rotated, compressed, in any order."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hotline.core.errors import PeerError, UsageError

BLOCK_BYTES = 1 << 18  # about 4,000 lines: what one short transaction saves
LONGEST_LINE_BYTES = 1 << 20  # what goes on longer without a newline is no log
BEGINNING_BYTES = 1024  # by which a file is known again, whatever it is called now


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file to import.

    Attributes:
        first_epoch: the time of its first line that has one; 0 where none has.
        beginning: a hash of how it begins: the same after it grew, was renamed or compressed.
        size_bytes: on disk, for the progress bar.
    """

    path: Path
    first_epoch: float
    beginning: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Block:
    """Lines read in one go: each with its newline, except a last one that has none.

    Attributes:
        offset: of the first line, in the uncompressed bytes.
        number: of the first line, counted from 1.
        read_bytes: how far the file on disk is read.
    """

    lines: list[bytes]
    offset: int
    number: int
    read_bytes: int


def in_order(paths: list[Path]) -> list[LogFile]:
    """The files by the time of their first line; of copies of one that of which most has been kept.

    Raises:
        UsageError: a file cannot be read.
    """
    files: dict[str, LogFile] = {}
    for path in paths:
        file = _look_at(path)
        other = files.get(file.beginning)
        if other is None or _length(file) > _length(other):
            files[file.beginning] = file
    return sorted(files.values(), key=lambda file: file.first_epoch)


def read_blocks(file: LogFile, offset: int) -> Iterator[Block]:
    """The lines from ``offset`` on (0 if no line begins there: then it is another file).

    Raises:
        PeerError: a compressed file is broken or cut off; the blocks before were right.
    """
    with opened(file.path) as (raw, data):
        number = 1
        if offset:
            number += _newlines_before(data, offset)
            if number == 1:
                data.seek(0)
                offset = 0
        rest = b""
        while chunk := data.read(BLOCK_BYTES):
            whole, newline, rest = (rest + chunk).rpartition(b"\n")
            if not newline and len(rest) > LONGEST_LINE_BYTES:
                whole, newline, rest = rest, b"", b""
            lines = io.BytesIO(whole + newline).readlines()
            yield Block(lines, offset, number, raw.tell())
            offset += len(whole) + len(newline)
            number += len(lines)
        if rest:
            yield Block([rest], offset, number, raw.tell())


def _newlines_before(data: BinaryIO, offset: int) -> int:
    """Read up to ``offset`` and count the lines; 0 where no line ends there."""
    count, last = 0, b""
    while offset > 0 and (chunk := data.read(min(offset, BLOCK_BYTES))):
        count += chunk.count(b"\n")
        offset -= len(chunk)
        last = chunk[-1:]
    return count if last == b"\n" and offset == 0 else 0


def _look_at(path: Path) -> LogFile:
    try:
        with opened(path) as (_, data):
            beginning = data.read(BEGINNING_BYTES)
            start = beginning + data.read(BLOCK_BYTES)
        size = path.stat().st_size
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror or error}", hint="name a queue_log"
        ) from error
    epoch = re.search(rb"^(\d{9,11}(?:\.\d+)?)\|", start, re.MULTILINE)
    return LogFile(path, float(epoch[1]) if epoch else 0.0, hashlib.sha256(beginning).hexdigest()[:32], size)


def _length(file: LogFile) -> int:
    """Bytes of lines, as far as they can be read."""
    try:
        return sum(len(line) for block in read_blocks(file, 0) for line in block.lines)
    except PeerError:
        return 0


@contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """The file on disk, and its bytes without their compression."""
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if not packed:
            yield raw, raw
            return
        try:
            with gzip.GzipFile(fileobj=raw) as data:
                yield raw, data  # type: ignore[misc]  # a GzipFile reads as a BinaryIO does
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise PeerError(f"{path}: the compressed file is broken or cut off", hint=str(error)) from error
