"""What can go wrong in a FastAGI session.

    HotlineError
    └── AgiError
        ├── AgiUnsafeValue      (also a ValueError) a value that would be more than a value; nothing was sent
        ├── AgiCommandFailed    Asterisk understood the command and could not do it; the call goes on
        └── AgiEnded            the session is over; every further command raises the same error
            ├── AgiHangup         the caller is gone
            ├── AgiTimeout        Asterisk did not answer a command, or sent no header, in time
            └── AgiProtocolError  what came is not AGI

A handler that lets any of them through does no harm: the connection is closed and the dialplan goes on.
No message holds what a caller pressed or is called: they end up in logs.
"""

from __future__ import annotations

from hotline.core.errors import HotlineError


class AgiError(HotlineError):
    """Base of every error of a FastAGI session."""


class AgiUnsafeValue(AgiError, ValueError):
    """A value that Asterisk would read as something else; nothing was sent."""


class AgiCommandFailed(AgiError):
    """Asterisk could not do what it was asked; the call goes on.

    Attributes:
        command: the command's name.
        code: AGI's status code: 200 for a result that means failure, 510, 520 ...
    """

    def __init__(self, command: str, code: int, reason: str) -> None:
        super().__init__(f"AGI command {command} failed ({code}): {reason}")
        self.command = command
        self.code = code


class AgiEnded(AgiError):
    """The session is over."""


class AgiHangup(AgiEnded):
    """The caller is gone, or Asterisk closed the session."""


class AgiTimeout(AgiEnded):
    """Asterisk did not answer in time; nothing sensible can follow."""


class AgiProtocolError(AgiEnded):
    """The peer does not speak AGI, or went beyond a limit."""
