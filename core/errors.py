"""The tree of errors.

    HotlineError
    ├── UsageError            the person at the keyboard asked for something impossible (exit code 2)
    ├── SetupError            the machine lacks something: a port, a package, a program (exit code 1)
    ├── ConfigError           the site file is wrong (carries every problem found)
    ├── PeerError             another program broke its protocol or went away
    │   └── ExchangeUnreachable   Asterisk cannot be asked now
    ├── IllegalState          not possible in the present state
    ├── UnknownName           no agent, line, queue or call of that name
    ├── TookTooLong           an answer was given up, because others wait too
    └── SlowConsumer          a subscriber fell behind and was cut off

Errors carry their data as attributes and build their text in ``__str__``; ``hint`` says what to do.
"""

from __future__ import annotations


class HotlineError(Exception):
    """Base of every error this product raises on purpose."""

    def __init__(self, message: str = "", *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} — {self.hint}" if self.hint else self.message


class UsageError(HotlineError):
    """The command or call cannot mean anything; exit code 2."""


class SetupError(HotlineError):
    """Something the machine must provide is missing or taken; the hint says how to get it."""


class PeerError(HotlineError):
    """A program on the other side of a socket broke its protocol or went away."""


class ExchangeUnreachable(PeerError):
    """Asterisk cannot be asked now; calls go on, but what was wanted did not happen."""


class IllegalState(HotlineError):
    """The thing asked for is not possible in the present state.

    ``code``: why, in a word for programs; the words are in ``docs/console-api.md``.
    """

    def __init__(self, message: str = "", *, hint: str = "", code: str = "illegal_now") -> None:
        super().__init__(message, hint=hint)
        self.code = code


class UnknownName(HotlineError):
    """No agent, line, queue or call of that name."""


class TookTooLong(HotlineError):
    """An answer would have taken longer than anybody should wait, and was given up.

    ``code``: why, in a word for programs; the words are in ``docs/console-api.md``.
    """

    def __init__(self, message: str, *, hint: str, code: str) -> None:
        super().__init__(message, hint=hint)
        self.code = code


class SlowConsumer(HotlineError):
    """A subscriber did not keep up, its queue filled, and it was cut off.

    Args:
        name: who was cut off.
        last_seq: the last sequence number it was handed; it may replay from there.
    """

    def __init__(self, name: str, last_seq: int) -> None:
        super().__init__(name)
        self.name = name
        self.last_seq = last_seq

    def __str__(self) -> str:
        return f"subscriber {self.name} fell behind after event {self.last_seq} and was cut off"
