"""pyst2 0.5.1 behind a fence: its AGI commands over one socket, none of its known faults.

The package gives the AGI class and its commands. What this subclass replaces, and why:

- `import asterisk.fastagi` fails on Python 3: only `asterisk.agi` is used, the server is ours.
- its constructor installs a signal handler, which a thread may not: ours takes a stream.
- text was written to byte streams, and bytes that are not UTF-8 raised: `AgiStream` turns one
  into the other and back, unchanged.
- the end of the connection and the line `HANGUP` raised ValueError, codes 511 and 100 an unknown error,
  a one-line 520 was read for ever: each has its meaning here.
- `_quote` escaped nothing, so that a value could hold commands: quotes and backslashes are escaped, and a
  line break anywhere is refused.
- nothing had a time limit: every read and write has one.
- every line went to stderr: here nothing is written.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from asterisk.agi import AGI

from hotline.telephony.fastagi_errors import (
    AgiCommandFailed,
    AgiEnded,
    AgiHangup,
    AgiProtocolError,
    AgiTimeout,
    AgiUnsafeValue,
)

READ_BYTES: Final = 4_096
MAX_LINE_BYTES: Final = 65_536  # a variable's value may be long
MAX_HEADER_LINES: Final = 256  # 22 of Asterisk's own and up to 128 arguments
MAX_HEADER_BYTES: Final = 32_768
MAX_REPLY_LINES: Final = 200  # of a usage text, or of a value with line breaks

#: res_agi.c reads a command into AGI_BUF_LEN bytes.
MAX_COMMAND_BYTES: Final = 2_040

_UNSAFE: Final = re.compile(r"[\r\n\0]")
_REPLY: Final = re.compile(r"([0-9]{3})([ -])(.*)", re.DOTALL)
_RESULT: Final = re.compile(r"result=(\S*)(?: \((.*)\))?(?: endpos=(-?[0-9]+))?", re.DOTALL)
_OPEN_VALUE: Final = re.compile(r"200 result=\S* \([^)]*\Z")

CHANNEL_UP: Final = "6"


class AgiStream:
    """Lines over a socket, as text that holds every byte: what is not UTF-8 becomes lone surrogates.

    Reads end at a deadline, which the owner sets; a line is bounded.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._buffer = bytearray()
        self.deadline = time.monotonic()

    def readline(self) -> str:
        """The next line, without its end.

        Raises:
            AgiHangup: the connection is at its end.
            AgiTimeout: the deadline passed first.
            AgiProtocolError: the line is too long.
        """
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > MAX_LINE_BYTES:
                raise AgiProtocolError(f"a line of more than {MAX_LINE_BYTES} bytes")
            self._buffer += self._receive()
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line.removesuffix(b"\r").decode("utf-8", "surrogateescape")

    def waiting(self) -> bool:
        """Whether there is anything to read without waiting."""
        if self._buffer:
            return True
        self._socket.setblocking(False)
        try:
            self._socket.recv(1, socket.MSG_PEEK)
            return True  # the end, too, is read without waiting
        except BlockingIOError:
            return False
        except OSError as error:
            raise _gone(error) from None

    def write(self, text: str) -> None:
        """Write a whole line."""
        try:
            self._socket.settimeout(self._remaining())
            self._socket.sendall(text.encode("utf-8", "surrogateescape"))
        except TimeoutError:
            raise AgiTimeout("Asterisk does not read its commands") from None
        except OSError as error:
            raise _gone(error) from None

    def flush(self) -> None:
        """Nothing is held back; part of what the package expects."""

    def _receive(self) -> bytes:
        try:
            self._socket.settimeout(self._remaining())
            data = self._socket.recv(READ_BYTES)
        except TimeoutError:
            raise AgiTimeout("Asterisk did not answer in time") from None
        except OSError as error:
            raise _gone(error) from None
        if not data:
            raise AgiHangup("Asterisk closed the session")
        return data

    def _remaining(self) -> float:
        remaining = self.deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        return remaining


class _Silence:
    """Where the package's trace goes: it holds callers' numbers."""

    def write(self, text: str) -> None:
        """Drop it."""


class FencedAgi(AGI):  # type: ignore[misc]  # the package has no types
    """One AGI session over a socket, for one thread.

    Args:
        sock: connected; its owner closes it.
        header_timeout_seconds: for the whole header.
        command_timeout_seconds: for a command that has nothing to wait for; see `patience`.

    Attributes:
        env: the header, by name, with the package's `agi_` prefixes.

    Raises:
        AgiEnded: there was no sound header in time.
    """

    def __init__(
        self, sock: socket.socket, *, header_timeout_seconds: float, command_timeout_seconds: float
    ) -> None:
        # Not the package's own constructor: it installs a signal handler and reads without limit.
        self.stdin = self.stdout = self._stream = AgiStream(sock)
        self.stderr = _Silence()
        self._got_sighup = False
        self._command_timeout_seconds = command_timeout_seconds
        self._extra_seconds = 0.0
        self._command = ""
        self._ended: AgiEnded | None = None
        self.env: dict[str, str] = {}
        self._stream.deadline = time.monotonic() + header_timeout_seconds
        self._get_agi_env()

    @contextmanager
    def patience(self, seconds: float) -> Iterator[None]:
        """Let the commands inside take that much longer: a prompt plays, a key is waited for."""
        self._extra_seconds = seconds
        try:
            yield
        finally:
            self._extra_seconds = 0.0

    def _get_agi_env(self) -> None:
        size = 0
        for _ in range(MAX_HEADER_LINES):
            line = self._stream.readline()
            size += len(line)
            if not line:
                if "agi_request" not in self.env:
                    raise AgiProtocolError("the header has no agi_request: the peer is not Asterisk")
                return
            name, colon, value = line.partition(":")
            if not colon or not name.startswith("agi_"):
                raise AgiProtocolError("a header line that is not `agi_name: value`")
            if name in self.env:
                # Asterisk writes each once: a line break in a caller's name or number forged this one.
                raise AgiProtocolError("a header that comes twice")
            if size > MAX_HEADER_BYTES:
                break
            self.env[name] = value.strip()
        raise AgiProtocolError(f"a header of more than {MAX_HEADER_LINES} lines or {MAX_HEADER_BYTES} bytes")

    def _quote(self, string: object) -> str:
        """A value as one argument, whatever it holds."""
        text = str(string).replace("\\", "\\\\").replace('"', '\\"')
        return f'"{text}"'

    def execute(self, command: str, *args: object) -> dict[str, tuple[str, str]]:
        """Send a command and read its reply.

        Returns:
            As the package: `result` and, if given, `endpos`, each with its value and what stood in brackets.

        Raises:
            AgiUnsafeValue: nothing was sent.
            AgiCommandFailed: Asterisk could not do it; the session goes on.
            AgiEnded: the session is over.
        """
        if self._ended is not None:
            raise self._ended
        line = " ".join([command, *map(str, args)]).rstrip()
        if _UNSAFE.search(line):
            raise AgiUnsafeValue(f"AGI command {command}: a value holds a line break or a NUL")
        if len(line.encode("utf-8", "surrogatepass")) > MAX_COMMAND_BYTES:
            raise AgiUnsafeValue(
                f"AGI command {command}: longer than Asterisk reads ({MAX_COMMAND_BYTES} bytes)"
            )
        self._command = command
        try:
            self._stream.deadline = time.monotonic() + self._command_timeout_seconds
            self._expect_silence()
            self._stream.write(f"{line}\n")
            self._stream.deadline += self._extra_seconds
            return self.get_result()
        except AgiEnded as error:
            self._ended = error
            raise

    def get_result(self, stdin: object = None) -> dict[str, tuple[str, str]]:
        """Read the reply to the command that was sent."""
        code, mark, text = self._reply()
        if code == 200:
            return self._result(text)
        if code == 511:  # "Command Not Permitted on a dead channel or intercept routine"
            raise AgiHangup("the channel is dead")
        if code == 520:
            if mark == "-":
                self._skip_usage()
            raise AgiCommandFailed(self._command, code, "wrong usage")
        if code in (503, 510):
            raise AgiCommandFailed(self._command, code, text)
        raise AgiProtocolError(f"a reply with code {code}")

    def _reply(self) -> tuple[int, str, str]:
        """The next reply that is not provisional."""
        for _ in range(MAX_REPLY_LINES):
            line = self._line()
            match = _REPLY.fullmatch(line)
            if match is None:
                raise AgiProtocolError("a line that is no reply")
            code = int(match[1])
            if code >= 200:
                while _OPEN_VALUE.match(line):  # a value with a line break in it
                    line += "\n" + self._line()
                    if len(line) > MAX_LINE_BYTES:
                        raise AgiProtocolError(f"a reply of more than {MAX_LINE_BYTES} characters")
                return code, match[2], line[4:]
        raise AgiProtocolError("provisional replies without end")

    def _result(self, text: str) -> dict[str, tuple[str, str]]:
        match = _RESULT.fullmatch(text)
        if match is None:
            raise AgiProtocolError("a reply without a result")
        value, data, position = match[1], match[2] or "", match[3]
        if value == "-1":
            self._explain_failure(data)
        result = {"result": (value, data)}
        if position is not None:
            result["endpos"] = (position, "")
        return result

    def _explain_failure(self, data: str) -> None:
        """`-1` is both a failed command and a caller who is gone: ask which. Always raises."""
        if data == "hangup" or self._command == "CHANNEL STATUS":
            raise AgiHangup("the caller hung up")
        command = self._command
        self._stream.deadline = time.monotonic() + self._command_timeout_seconds
        self._command = "CHANNEL STATUS"
        self._stream.write("CHANNEL STATUS\n")
        status, _ = self.get_result()["result"]
        if status == "0":
            raise AgiHangup("the caller hung up")
        raise AgiCommandFailed(command, 200, "the result is -1")

    def _skip_usage(self) -> None:
        for _ in range(MAX_REPLY_LINES):
            if self._line().startswith("520 "):
                return
        raise AgiProtocolError("a usage text without end")

    def _line(self) -> str:
        line = self._stream.readline()
        if line == "HANGUP":
            raise AgiHangup("the caller hung up")
        return line

    def _expect_silence(self) -> None:
        """Before a command there is nothing to read, unless the caller is gone.

        Anything else, such as the rest of a value with a line break in it, would be taken for the
        reply to this command, and every later reply for that of the one before.
        """
        if self._stream.waiting():
            self._line()
            raise AgiProtocolError("a line that no command asked for")


def _gone(error: OSError) -> AgiHangup:
    return AgiHangup(f"the session's connection failed: {error.strerror or error}")
