"""Reads queue_log on from where it was: across rotation, compression, truncation and another place."""

from __future__ import annotations

import gzip
import hashlib
import logging
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from hotline.core.errors import PeerError
from hotline.queue.queue_log.files import BEGINNING_BYTES, opened
from hotline.store.ledger import TailRecord

log = logging.getLogger(__name__)

CHUNK_BYTES = 1 << 20
OVERLAP = timedelta(minutes=5)  # how much of what is known is read again in a file that is not known


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines read in one go.

    Attributes:
        lines: each with the position in the (uncompressed) file just after it.
        tail: where reading stands after all of them.
        more: there is more to read at once.
    """

    lines: list[tuple[int, str]]
    tail: TailRecord
    more: bool


class QueueLogFollower:
    """Reads on from where it was. It blocks: use a thread.

    A file is known again by how it begins, so a copy, a rotated, compressed (gzip) or restored one is read on
    where it was. Until a new file has a first line, the position is the end of the one before.
    Of a file that is not known only what may be news is read: lines not much older than ``heard_at``.

    Args:
        path: the file.
        name: what its positions are called in the database.
    """

    def __init__(self, path: Path, name: str = "queue_log") -> None:
        self.path, self.name = path, name

    def at_its_end(self) -> TailRecord:
        """Where to begin with a file of which nothing was ever read: its past is for the import."""
        try:
            with self.path.open("rb") as file:
                status = os.fstat(file.fileno())
                start = file.seek(max(0, status.st_size - CHUNK_BYTES))
                end = file.read(CHUNK_BYTES).rfind(b"\n") + 1
                return self._tail(file, start + end if end else 0)
        except FileNotFoundError:
            return TailRecord(self.name, 0, 0)

    def read(self, tail: TailRecord) -> Batch | None:
        """Whole lines after ``tail``, at most a megabyte; None if no such file.

        A last line without its newline is left for the next time. Bytes that are not UTF-8 become U+FFFD.
        """
        heard_at = tail.heard_at
        for path in self._files(tail):
            with opened(path) as (_, file):
                offset = _known_up_to(file, tail)
                since = heard_at - OVERLAP if heard_at is not None and offset is None else None
                if offset is None:
                    offset = _first_since(file, since)
                file.seek(offset)
                data = _read_chunk(path, file)
                end = data.rfind(b"\n") + 1
                if end == 0 and len(data) == CHUNK_BYTES and (begin := _next_line(file)):
                    # a megabyte without a newline is no line: skip it, as one malformed line
                    lines = [(begin, data[:80].decode("utf-8", "replace"))]
                    return Batch(lines, self._tail(file, begin, heard_at), more=True)
                if end == 0 and offset == 0 and path == self.path and tail.offset:
                    return Batch([], tail, more=False)  # just rotated
                if end > 0 or path == self.path:
                    more = end > 0 and (len(data) == CHUNK_BYTES or path != self.path)
                    lines = [one for one in _lines(data[:end], offset) if not _is_before(one[1], since)]
                    return Batch(lines, self._tail(file, offset + end, heard_at), more)
                if offset:  # the rotated file is read out: go on with the next, from its start
                    tail = self._tail(file, offset, heard_at)
        return None

    def _tail(self, file: BinaryIO, offset: int, heard_at: datetime | None = None) -> TailRecord:
        beginning = _beginning(file, min(offset, BEGINNING_BYTES))
        return TailRecord(self.name, os.fstat(file.fileno()).st_ino, offset, beginning, heard_at)

    def _files(self, tail: TailRecord) -> Iterator[Path]:
        """The rotated file that ``tail`` was in, if it is still there, those after it, then the file."""
        if not self.path.exists():
            return
        if not _is_of(tail, self.path):
            rotated = sorted(self._rotated(), key=lambda path: path.stat().st_mtime_ns)
            found = [number for number, path in enumerate(rotated) if _is_of(tail, path)]
            if not found:
                found = [n for n, path in enumerate(rotated) if path.stat().st_ino == tail.inode]  # truncated
            yield from rotated[found[-1] :] if found else ()
        yield self.path

    def _rotated(self) -> list[Path]:
        """Rotated files; a compressed one that stands beside its original is not whole yet."""
        found = set(self.path.parent.glob(f"{self.path.name}[.-]*"))
        return [path for path in found if path.suffix != ".gz" or path.with_suffix("") not in found]


def _read_chunk(path: Path, file: BinaryIO) -> bytes:
    """At most a megabyte; of a compressed file that is broken, what can be read."""
    chunk = bytearray()
    try:
        while len(chunk) < CHUNK_BYTES and (piece := file.read(min(1 << 16, CHUNK_BYTES - len(chunk)))):
            chunk += piece
    except (EOFError, zlib.error, gzip.BadGzipFile):
        log.warning("%s is broken or cut off; what follows in it is lost", path)
    return bytes(chunk)


def _is_of(tail: TailRecord, path: Path) -> bool:
    """Whether ``path`` is the file that ``tail`` is a position in."""
    try:
        with opened(path) as (_, file):
            return _begins_as(file, tail)
    except PeerError:  # broken within its first kilobyte
        return False


def _begins_as(file: BinaryIO, tail: TailRecord) -> bool:
    if tail.offset == 0:  # nothing of it has been seen
        return tail.inode == os.fstat(file.fileno()).st_ino
    length = tail.beginning.partition(":")[0]
    return bool(length) and _beginning(file, int(length)) == tail.beginning


def _beginning(file: BinaryIO, length: int) -> str:
    """How a file begins: the number of bytes looked at, and their hash."""
    file.seek(0)
    head = file.read(length)
    return f"{len(head)}:{hashlib.sha256(head).hexdigest()[:32]}"


def _known_up_to(file: BinaryIO, tail: TailRecord) -> int | None:
    """How far ``file`` has been read; None if ``tail`` was in another, or in this before it was emptied."""
    if not _begins_as(file, tail):
        return None
    offset = tail.offset
    if not isinstance(file, gzip.GzipFile):
        offset = min(offset, os.fstat(file.fileno()).st_size)  # of an older copy all is known
    return offset if _follows_a_line(file, offset) else None


def _first_since(file: BinaryIO, since: datetime | None) -> int:
    """Where the first megabyte of whole lines begins whose last line is not older than ``since``."""
    offset = 0
    while since is not None:
        file.seek(offset)
        data = file.read(CHUNK_BYTES)
        end = data.rfind(b"\n") + 1
        last = data[data.rfind(b"\n", 0, max(0, end - 1)) + 1 : end]
        if len(data) < CHUNK_BYTES or not _is_before(last.decode("utf-8", "replace"), since):
            break
        offset += end
    return offset


def _is_before(line: str, since: datetime | None) -> bool:
    """Whether a line is older; one that has no time is not."""
    epoch = line.partition("|")[0]
    return since is not None and epoch.isdigit() and int(epoch) < since.timestamp()


def _follows_a_line(file: BinaryIO, offset: int) -> bool:
    """Whether a line may begin at ``offset``: at the start, or after a newline."""
    if offset == 0:
        return True
    file.seek(offset - 1)
    return file.read(1) == b"\n"


def _next_line(file: BinaryIO) -> int | None:
    """Where the next line begins, after the one that ``file`` stands in; None if that one has no end yet."""
    while chunk := file.read(CHUNK_BYTES):
        if (newline := chunk.find(b"\n")) >= 0:
            return file.tell() - len(chunk) + newline + 1
    return None


def _lines(data: bytes, offset: int) -> list[tuple[int, str]]:
    lines = []
    for raw in data.splitlines(keepends=True):  # bytes split at CR and LF only, never inside a character
        offset += len(raw)
        lines.append((offset, raw.decode("utf-8", "replace")))
    return lines
