"""What a worker process and the server say to each other: length-prefixed JSON over a socket pair.

A message is its length (4 bytes, big-endian) and a JSON object: the fields of one of the classes below and
``kind``, the class's name. Legs are named by the UUID that Asterisk gives on the AudioSocket connection.
Moments are monotonic seconds of this machine, the same in every process.

    server -> worker   Expect, Release, Ping, Stop
    worker -> server   Ready, Connected, Hears, Told, Gone, Pong
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

from hotline.core.errors import PeerError

MAX_MESSAGE_BYTES: Final = 256 * 1024
_LENGTH: Final = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Expect:
    """A connection with this UUID will come; its transcript counts from ``answered``."""

    leg: str
    answered: float
    grammar: list[str] | None = None
    hot_words: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Release:
    """The leg is over: tell what is pending, then close its connection. Answered by Gone."""

    leg: str


@dataclass(frozen=True, slots=True)
class Ping:
    """Answer with Pong, from the thread that recognises."""

    number: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Release every leg and end."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The model is loaded and the port is open."""

    engine: str
    load_seconds: float
    memory_megabytes: float


@dataclass(frozen=True, slots=True)
class Connected:
    """Asterisk connected for this leg."""

    leg: str
    at: float


@dataclass(frozen=True, slots=True)
class Hears:
    """Which engine hears a leg from here on, and why not another; see `asr.engine.Engaged`."""

    leg: str
    engine: str
    reason: str


@dataclass(frozen=True, slots=True)
class Told:
    """A text of a leg. Times are seconds since the call was answered.

    Attributes:
        audio_at: when the newest audio that it rests on arrived.
        words: of a final text: [text, start, end, confidence].
    """

    leg: str
    text: str
    final: bool
    start_seconds: float
    end_seconds: float
    confidence: float | None
    audio_at: float
    words: list[list[Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Gone:
    """A leg is no longer heard; nothing of it follows. ``reason`` is one of `asr.reasons`."""

    leg: str
    reason: str


@dataclass(frozen=True, slots=True)
class Pong:
    """A sign of life, with what the worker has counted since it started.

    Attributes:
        counts: by the names of `asr.stats.AsrStats`.
    """

    number: int
    backlog_seconds: float
    busy_seconds: float
    memory_megabytes: float
    counts: dict[str, float]

    @property
    def audio_seconds(self) -> float:
        """Audio recognised, silence that was filled in included."""
        taken_ms = self.counts.get("audio_ms", 0) + self.counts.get("filled_audio_ms", 0)
        return (taken_ms - self.counts.get("dropped_audio_ms", 0)) / 1000 - self.backlog_seconds


Message = Expect | Release | Ping | Stop | Ready | Connected | Hears | Told | Gone | Pong
_KINDS: Final[dict[str, type[Any]]] = {
    kind.__name__: kind for kind in (Expect, Release, Ping, Stop, Ready, Connected, Hears, Told, Gone, Pong)
}


def pack(message: Message) -> bytes:
    """Write one message."""
    body = json.dumps({"kind": type(message).__name__, **asdict(message)}, ensure_ascii=False).encode()
    return _LENGTH.pack(len(body)) + body


class MessageReader:
    """Turns a byte stream into messages, however the bytes are cut."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def receive(self, data: bytes) -> list[Message]:
        """Take what was read; return the messages that are now whole.

        Raises:
            PeerError: this is not one of our processes speaking; give it up.
        """
        self._buffer += data
        messages: list[Message] = []
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > MAX_MESSAGE_BYTES:
                raise PeerError(f"a message of {length} bytes from a recogniser process")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                break
            messages.append(_unpack(bytes(self._buffer[_LENGTH.size : end])))
            del self._buffer[:end]
        return messages


def _unpack(body: bytes) -> Message:
    try:
        values = json.loads(body)
        kind = _KINDS[values.pop("kind")]
        names = {one.name for one in fields(kind)}
        if not names.issuperset(values):
            raise KeyError("unknown field")
        message: Message = kind(**values)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PeerError("a message that is none from a recogniser process") from error
    return message
