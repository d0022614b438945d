"""queue_log, the exchange's durable record: one line to one fact, and a reader that follows the file.

A line is ``epoch|uniqueid|queue|agent|EVENT|data1|data2|…`` with whole seconds (Asterisk, main/logger.c and
apps/app_queue.c). Our dialplan adds ``HOTLINE|line|did|linkedid|path|language`` before each wait
(its earlier versions said no language), ``HOTLINEEXIT|status`` after one that no agent ended, and
``HOTLINEMOVED`` where a caller is handed on: so the file alone can rebuild the ledger.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from hotline.config.section import MAX_LANGUAGE_CHARACTERS
from hotline.core.errors import PeerError
from hotline.core.events import Outcome
from hotline.queue.facts import (
    EXIT_STATUS,
    Abandoned,
    Completed,
    Connected,
    Joined,
    Left,
    Moved,
    Restarted,
    RingEnded,
    Routed,
)
from hotline.store.ledger import TailRecord

CHUNK_BYTES = 1 << 20
BEGINNING_BYTES = 1024  # by which a file is known again
OVERLAP = timedelta(minutes=1)  # how much of what is known is read again in a file that is not known


class MalformedLine(PeerError):
    """A line that is not a queue_log line; ``number`` is set by whoever counts lines."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"not a queue_log line: {reason}")


LogFact = Routed | Joined | RingEnded | Connected | Completed | Abandoned | Left
NewsOfTheExchange = Moved | Restarted
"""Facts of no queue's."""


def parse_line(line: str) -> LogFact | NewsOfTheExchange | None:
    """The fact of one line, or None for an event that says nothing about a call (ADDMEMBER, PAUSE, …).

    Raises:
        MalformedLine: too few fields, or a number that is none.
    """
    parts = line.rstrip("\r\n").split("|")
    if len(parts) < 5:
        raise MalformedLine("fewer than five fields")
    epoch, uniqueid, queue, agent, event, *data = parts
    try:
        at = datetime.fromtimestamp(float(epoch), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise MalformedLine("the time is no number") from error
    try:
        return _fact(event, at, uniqueid, queue, agent, data)
    except (IndexError, ValueError) as error:
        raise MalformedLine(f"{event} with wrong data") from error


def _fact(
    event: str, at: datetime, uniqueid: str, queue: str, agent: str, data: list[str]
) -> LogFact | NewsOfTheExchange | None:
    match event:
        case "HOTLINE":
            language = data[4][:MAX_LANGUAGE_CHARACTERS] if len(data) > 4 else ""
            return Routed(uniqueid, at, data[2] or uniqueid, data[0], data[1], queue, data[3], language)
        case "HOTLINEEXIT":
            outcome = EXIT_STATUS.get(data[0])
            return Left(uniqueid, at, queue, outcome) if outcome else None
        case "ENTERQUEUE":
            position = int(data[2]) if len(data) > 2 and data[2] else 0
            return Joined(uniqueid, at, queue, position, data[1] if data[1] != "unknown" else "")
        case "CONNECT":
            ring_ms = int(data[2]) * 1000 if len(data) > 2 and data[2] else 0
            agent_uniqueid = data[1] if len(data) > 1 else ""  # Asterisk 1.2 does not say
            return Connected(uniqueid, at, queue, agent, agent_uniqueid, int(data[0]) * 1000, ring_ms)
        case "RINGNOANSWER":
            return RingEnded(uniqueid, at, queue, agent, int(data[0]))  # the one event in milliseconds
        case "COMPLETEAGENT" | "COMPLETECALLER":
            ended_by = "agent" if event == "COMPLETEAGENT" else "caller"
            return Completed(uniqueid, at, queue, agent, int(data[1]) * 1000, ended_by)
        case "BLINDTRANSFER" | "ATTENDEDTRANSFER":
            return Completed(uniqueid, at, queue, agent, int(data[-2]) * 1000, "transfer")
        case "TRANSFER":  # as Asterisk up to 11 says it, up to 1.4 without the position at the end
            return Completed(uniqueid, at, queue, agent, int(data[3]) * 1000, "transfer")
        case "ABANDON":
            return Abandoned(uniqueid, at, queue, int(data[2]) * 1000)
        case "EXITWITHTIMEOUT":
            return Left(uniqueid, at, queue, Outcome.TIMEOUT)
        case "EXITEMPTY":
            return Left(uniqueid, at, queue, Outcome.EMPTY)
        case "EXITWITHKEY":
            return Left(uniqueid, at, queue, Outcome.KEY_EXIT)
        case "HOTLINEMOVED":
            return Moved(uniqueid, at)
        case "QUEUESTART":  # written once by each start of Asterisk, never by a reload
            return Restarted(at)
        case _:
            return None


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines read in one go.

    Attributes:
        lines: each with the position in the file just after it.
        tail: where reading stands after all of them.
        more: there is more to read at once.
    """

    lines: list[tuple[int, str]]
    tail: TailRecord
    more: bool


class QueueLogFollower:
    """Reads on from where it was, across rotation, truncation and another place. It blocks: use a thread.

    A file is known again by how it begins, so a copy, a rotated or a restored one is read on where it was.
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
            with path.open("rb") as file:
                offset = _known_up_to(file, tail)
                since = heard_at - OVERLAP if heard_at is not None and offset is None else None
                if offset is None:
                    offset = _first_since(file, since)
                file.seek(offset)
                data = file.read(CHUNK_BYTES)
                end = data.rfind(b"\n") + 1
                if end == 0 and len(data) == CHUNK_BYTES and (begin := _next_line(file)):
                    # a megabyte without a newline is no line: skip it, as one malformed line
                    lines = [(begin, data[:80].decode("utf-8", "replace"))]
                    return Batch(lines, self._tail(file, begin, heard_at), more=True)
                if end > 0 or path == self.path:
                    more = end > 0 and (len(data) == CHUNK_BYTES or path != self.path)
                    lines = [one for one in _lines(data[:end], offset) if not _is_before(one[1], since)]
                    return Batch(lines, self._tail(file, offset + end, heard_at), more)
            # the rotated file is read out: go on with the next, from its start
        return None

    def _tail(self, file: BinaryIO, offset: int, heard_at: datetime | None = None) -> TailRecord:
        beginning = _beginning(file, min(offset, BEGINNING_BYTES))
        return TailRecord(self.name, os.fstat(file.fileno()).st_ino, offset, beginning, heard_at)

    def _files(self, tail: TailRecord) -> Iterator[Path]:
        """The rotated file that ``tail`` was in, if it is still there, those after it, then the file."""
        if not self.path.exists():
            return
        if not _is_of(tail, self.path):
            rotated = sorted(
                self.path.parent.glob(f"{self.path.name}.*"), key=lambda path: path.stat().st_mtime_ns
            )
            found = [number for number, path in enumerate(rotated) if _is_of(tail, path)]
            if not found:
                found = [n for n, path in enumerate(rotated) if path.stat().st_ino == tail.inode]  # truncated
            yield from rotated[found[-1] :] if found else ()
        yield self.path


def _is_of(tail: TailRecord, path: Path) -> bool:
    """Whether ``path`` is the file that ``tail`` is a position in."""
    with path.open("rb") as file:
        return _begins_as(file, tail)


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
    offset = min(tail.offset, os.fstat(file.fileno()).st_size)  # of an older copy all is known
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
