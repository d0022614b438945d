"""One call in FastAGI, as a handler sees it: typed, in seconds, with three kinds of trouble.

Every method may raise `AgiHangup` (the caller is gone), `AgiTimeout` (Asterisk is not answering) or
`AgiError` (their base: whatever else). After the first two the session is over. A session belongs
to one thread.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import parse_qsl

from asterisk.agi import AGIException

from hotline.telephony.fastagi_errors import AgiCommandFailed, AgiProtocolError, AgiUnsafeValue
from hotline.telephony.fastagi_fence import FencedAgi

logger = logging.getLogger(__name__)

ALL_KEYS: Final = "0123456789*#"

#: The longest prompt that is waited for.
MAX_PROMPT_SECONDS: Final = 300.0

#: Answering takes a message there and back to the caller's phone.
ANSWER_SECONDS: Final = 10.0

_KEY_CODES: Final = frozenset(map(ord, "0123456789*#ABCD"))
_APPLICATION: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")
_NO_VALUE: Final = frozenset({"unknown", "<unknown>"})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AgiEnv:
    """What Asterisk says about the call at the start.

    Attributes:
        uniqueid: of the channel; `AgiSession.linkedid` names the call.
        caller_number: empty if not known; likewise `caller_name`.
        dnid: the number that the caller dialled, if the channel knows it.
        network_script: the path of the address, without its query: `menu` of `agi://host/menu?line=12315`.
        query: the parameters behind it.
        args: the further arguments of the application AGI.
    """

    channel: str
    uniqueid: str
    caller_number: str
    caller_name: str
    dnid: str
    context: str
    extension: str
    priority: str
    language: str
    network_script: str
    query: Mapping[str, str]
    args: tuple[str, ...]

    @classmethod
    def from_header(cls, header: Mapping[str, str]) -> AgiEnv:
        """Read the header.

        Raises:
            AgiProtocolError: a value that every session has is missing.
        """

        def text(name: str) -> str:
            value = _clean(header.get(f"agi_{name}", ""))
            return "" if value in _NO_VALUE else value

        if not header.get("agi_uniqueid") or not header.get("agi_channel"):
            raise AgiProtocolError("the header names no channel")
        script, _, query = text("network_script").partition("?")
        args: list[str] = []
        while (name := f"agi_arg_{len(args) + 1}") in header:
            args.append(_clean(header[name]))
        return cls(
            channel=text("channel"),
            uniqueid=text("uniqueid"),
            caller_number=text("callerid"),
            caller_name=text("calleridname"),
            dnid=text("dnid"),
            context=text("context"),
            extension=text("extension"),
            priority=text("priority"),
            language=text("language"),
            network_script=script.strip("/"),
            query=dict(parse_qsl(query, keep_blank_values=True)),
            args=tuple(args),
        )


class AgiSession:
    """A call that Asterisk has handed to a handler; when the handler returns, the dialplan goes on.

    Attributes:
        env: what was known at the start.
        missing_prompts: files that could not be played; the call went on without them.
    """

    def __init__(self, agi: FencedAgi) -> None:
        self.env = AgiEnv.from_header(agi.env)
        self.missing_prompts: list[str] = []
        self._agi = agi
        self._linkedid = ""

    @property
    def linkedid(self) -> str:
        """The call's id: the same on all its channels, and in every event about it. Asked for once."""
        if not self._linkedid:
            self._linkedid = self.get_full_variable("${CHANNEL(linkedid)}") or self.env.uniqueid
        return self._linkedid

    def answer(self) -> None:
        """Answer the call, if that was not done before."""
        with self._asking(ANSWER_SECONDS):
            self._agi.answer()

    def hangup(self) -> None:
        """End the call."""
        with self._asking():
            self._agi.hangup()

    def verbose(self, message: str, level: int = 3) -> None:
        """Write a line on Asterisk's console. No numbers, no names, no keys."""
        with self._asking():
            self._agi.verbose(message, level)

    def get_variable(self, name: str) -> str:
        """A channel variable; empty if it is not set. Bytes that are no UTF-8 come as U+FFFD."""
        with self._asking():
            return _clean(self._agi.get_variable(name))

    def get_full_variable(self, expression: str) -> str:
        """An expression such as `${CHANNEL(linkedid)}`; empty if it has no value."""
        with self._asking():
            return _clean(self._agi.get_full_variable(expression))

    def set_variable(self, name: str, value: str) -> None:
        """Set a channel variable, to any text that is one line.

        Raises:
            AgiUnsafeValue: it holds a line break, or is longer than Asterisk reads; nothing was sent.
        """
        with self._asking():
            self._agi.set_variable(name, value)

    def set_music(self, on: bool, music_class: str = "") -> None:
        """Start or stop music; a prompt stops it as well."""
        state = "on" if on else "off"
        with self._asking():
            self._agi.execute("SET MUSIC", state, *([self._agi._quote(music_class)] if music_class else []))

    def stream_file(self, file: str, keys: str = ALL_KEYS) -> str:
        """Play a file until its end or until one of `keys` is pressed.

        Args:
            file: its name as Asterisk wants it: no extension, relative to the sounds folder or absolute.
            keys: those that end it; empty for none.

        Returns:
            The key, or an empty string.

        Raises:
            AgiCommandFailed: the file cannot be played; the call goes on.
        """
        with self._asking(MAX_PROMPT_SECONDS):
            return self._key(self._agi.stream_file(self._agi._quote(file), keys))

    def get_option(self, file: str, keys: str, timeout_seconds: float) -> str:
        """Play a file, then wait for one of `keys`; like `stream_file` otherwise."""
        with self._asking(MAX_PROMPT_SECONDS + timeout_seconds):
            milliseconds = max(1, round(timeout_seconds * 1000))
            return self._key(self._agi.get_option(self._agi._quote(file), keys, milliseconds))

    def wait_for_digit(self, timeout_seconds: float) -> str:
        """Wait for any key; an empty string if none came in time."""
        with self._asking(timeout_seconds):
            return self._key(self._agi.wait_for_digit(max(1, round(timeout_seconds * 1000))))

    def play_and_get_digit(self, files: Sequence[str], timeout_seconds: float, keys: str = ALL_KEYS) -> str:
        """Play prompts one after the other, then wait; the first of `keys` pressed ends it at once.

        A caller who knows the menu need not listen: a key ends the prompt that plays, and the next one
        pressed ends the next prompt as it begins. A prompt that cannot be played is left out and noted in
        `missing_prompts`; keys other than `keys` are passed over.

        Returns:
            The key, or an empty string after `timeout_seconds` of silence behind the last prompt.
        """
        for file in files[:-1]:
            if key := self._played(file, lambda name: self.stream_file(name, keys)):
                return key
        deadline = time.monotonic() + timeout_seconds
        if files:
            # One command for the last prompt and the wait: no gap in which a key could be lost.
            before = len(self.missing_prompts)
            key = self._played(files[-1], lambda name: self.get_option(name, keys, timeout_seconds))
            if key or len(self.missing_prompts) == before:
                return key
        while (remaining := deadline - time.monotonic()) > 0:
            key = self.wait_for_digit(remaining)
            if not key or key in keys:
                return key
        return ""

    def exec_app(self, application: str, options: str = "", *, timeout_seconds: float = 60.0) -> str:
        """Run a dialplan application and return what it returns.

        Args:
            application: its name, such as `Playback`.
            options: its arguments, separated by commas; a comma in a value starts the next one.
            timeout_seconds: how long it may take.

        Raises:
            AgiCommandFailed: there is no such application, or it failed.
        """
        if _APPLICATION.fullmatch(application) is None:
            raise AgiUnsafeValue("an application's name is letters, digits and underscores")
        with self._asking(timeout_seconds):
            result = str(self._agi.execute("EXEC", application, self._agi._quote(options))["result"][0])
        if result == "-2":
            raise AgiCommandFailed("EXEC", 200, f"Asterisk has no application {application}")
        return result

    def _played(self, file: str, play: Callable[[str], str]) -> str:
        try:
            return play(file)
        except AgiCommandFailed:
            self.missing_prompts.append(file)
            logger.warning("call %s: prompt %r cannot be played", self.env.uniqueid, file)
            return ""

    @contextmanager
    def _asking(self, extra_seconds: float = 0.0) -> Iterator[None]:
        """Be as patient as the command needs, and let none of the package's own errors out."""
        try:
            with self._agi.patience(extra_seconds):
                yield
        except AGIException as error:
            raise AgiProtocolError(f"a reply that makes no sense: {type(error).__name__}") from None

    def _key(self, key: str) -> str:
        if key and ord(key) not in _KEY_CODES:
            raise AgiProtocolError("a reply with a key that no phone has")
        return key


def _clean(text: str) -> str:
    """Text that can be stored and sent on: without lone surrogates and NULs."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\0", "\ufffd")
