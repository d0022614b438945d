"""The manager protocol's lines, sans I/O: bytes in, packets out, and actions written safely.

The peer greets with one line; after that everything is packets: lines of `Key: value`, each ended
by CR LF, and an empty line behind the last. CR LF is the only line end there is: a caller's name may
hold U+2028, U+0085 or a lone LF and stays one value. Text is decoded when a packet is whole, so
a character cut in two by the network arrives sound.

Source: Asterisk's main/manager.c (22).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from asterisk.ami import Action

from hotline.telephony.ami.errors import AmiProtocolError, AmiUnsafeValue

MAX_GREETING_BYTES: Final = 256
MAX_PACKET_BYTES: Final = 262_144  # a channel event has about 1,500 bytes; a long command's output is larger
MAX_HEADERS: Final = 2_000

#: manager.c drops a longer line, and with it the meaning of the action that it was part of.
MAX_SENT_LINE_BYTES: Final = 1_023
MAX_SENT_HEADERS: Final = 128  # AST_MAX_MANHEADERS

_GREETING: Final = re.compile(rb"Asterisk Call Manager/([0-9]+(?:\.[0-9]+)*)", re.IGNORECASE)
_LINE_END: Final = b"\r\n"
_PACKET_END: Final = b"\r\n\r\n"
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
_UNSAFE: Final = re.compile(r"[\r\n\0]")

FieldValue = str | Sequence[str]


@dataclass(frozen=True, slots=True)
class Packet:
    """One event or response.

    Attributes:
        headers: by name, in order. The first value of a name counts: nothing that follows in
            a packet can replace what Asterisk itself put at its head.
        output: every `Output` line, for the action Command.
    """

    headers: Mapping[str, str]
    output: tuple[str, ...] = ()


class AmiParser:
    """Turns what the peer sends into packets, however it is cut.

    Attributes:
        version: the protocol's version, once the greeting was read.
        odd_lines: lines without a colon; they are ignored.
    """

    def __init__(self, *, max_packet_bytes: int = MAX_PACKET_BYTES) -> None:
        self.version = ""
        self.odd_lines = 0
        self._max_packet_bytes = max_packet_bytes
        self._buffer = bytearray()
        self._searched = 0  # no packet ends before this place: a slow peer costs no second search

    @property
    def pending_bytes(self) -> int:
        """Bytes held of a packet that is not whole yet."""
        return len(self._buffer)

    def receive(self, data: bytes) -> list[Packet]:
        """Take what was read; return the packets that are now whole.

        Raises:
            AmiProtocolError: close the connection; nothing sensible can follow.
        """
        self._buffer += data
        if not self.version and not self._greeted():
            return []
        packets = []
        start = 0
        while (end := self._buffer.find(_PACKET_END, max(start, self._searched))) >= 0:
            if end - start > self._max_packet_bytes:
                raise AmiProtocolError(f"a packet of more than {self._max_packet_bytes} bytes")
            if end > start:
                packets.append(self._packet(bytes(self._buffer[start:end])))
            start = end + len(_PACKET_END)
        del self._buffer[:start]
        if len(self._buffer) > self._max_packet_bytes:
            raise AmiProtocolError(f"a packet of more than {self._max_packet_bytes} bytes")
        self._searched = max(0, len(self._buffer) - len(_PACKET_END) + 1)
        return packets

    def _greeted(self) -> bool:
        end = self._buffer.find(_LINE_END)
        if end < 0 and len(self._buffer) <= MAX_GREETING_BYTES:
            return False
        match = _GREETING.match(self._buffer[:MAX_GREETING_BYTES])
        if end < 0 or end > MAX_GREETING_BYTES or match is None:
            raise AmiProtocolError(
                "the peer does not greet as a manager interface does",
                hint="check the manager's address and port (manager.conf, bindaddr and port)",
            )
        self.version = match[1].decode("ascii")
        del self._buffer[: end + len(_LINE_END)]
        return True

    def _packet(self, raw: bytes) -> Packet:
        # A NUL has no meaning in a name and cannot be stored in PostgreSQL.
        lines = raw.decode("utf-8", "replace").replace("\0", "\ufffd").split("\r\n")
        if len(lines) > MAX_HEADERS:
            raise AmiProtocolError(f"a packet of more than {MAX_HEADERS} lines")
        headers: dict[str, str] = {}
        output = []
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon:
                self.odd_lines += 1
                continue
            value = value.removeprefix(" ")
            if name == "Output":
                output.append(value)
            else:
                headers.setdefault(name, value)
        return Packet(headers, tuple(output))


class SafeAction(Action):  # type: ignore[misc]  # the package has no types
    """An action that cannot say more than it was meant to.

    The package writes values as they are, so that a line break in a name starts a header of its
    own; and it knows one value a name. This one refuses what is unsafe before anything is sent,
    and writes a sequence as one line for each value.

    Args:
        name: the action's name, such as `QueuePause`.
        fields: its headers; a sequence of strings is written as that many headers.

    Raises:
        AmiUnsafeValue: a name or value would be read as something else.
    """

    def __init__(self, name: str, fields: Mapping[str, FieldValue]) -> None:
        super().__init__(name, keys=dict(fields))
        _check_name(name, "Action", name)
        for key, value in self.keys.items():
            _check_name(name, key, key)
            for one in _values(value):
                self._check_value(key, one)
        if sum(len(_values(value)) for value in self.keys.values()) > MAX_SENT_HEADERS - 2:
            raise AmiUnsafeValue(name, "Action", f"has more headers than Asterisk reads ({MAX_SENT_HEADERS})")

    def _check_value(self, key: str, value: str) -> None:
        if not isinstance(value, str):
            raise AmiUnsafeValue(self.name, key, f"is no text but {type(value).__name__}")
        if _UNSAFE.search(value):
            raise AmiUnsafeValue(self.name, key, "holds a line break or a NUL")
        try:
            size = len(f"{key}: {value}\r\n".encode())
        except UnicodeEncodeError:
            raise AmiUnsafeValue(self.name, key, "holds half a character") from None
        if size > MAX_SENT_LINE_BYTES:
            raise AmiUnsafeValue(
                self.name, key, f"is longer than a line may be ({MAX_SENT_LINE_BYTES} bytes)"
            )

    def __str__(self) -> str:
        """The action's lines, without the empty one that ends it."""
        lines = [f"Action: {self.name}"]
        for key, value in self.keys.items():
            lines += [f"{key}: {one}" for one in _values(value)]
        return "\r\n".join(lines) + "\r\n"


def _values(value: FieldValue) -> Sequence[str]:
    return (value,) if isinstance(value, str) or not isinstance(value, Sequence) else value


def _check_name(action: str, field: str, name: str) -> None:
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        raise AmiUnsafeValue(action, field, "is no name that a header may have")


def escape_variable(value: str) -> str:
    """Write a channel variable's value for the header `Variable`, where a comma starts the next one."""
    return re.sub(r'([\\,"()\[\]{}])', r"\\\1", value)
