"""What can go wrong between this server and Asterisk's manager interface.

    HotlineError
    └── AmiError
        ├── AmiUnsafeValue        (also a ValueError) a field that would forge lines; nothing was sent
        ├── AmiRefused            Asterisk answered the action with an error
        │   ├── AmiLoginRefused   the user name or the secret is wrong, or the address is not permitted
        │   └── AmiOriginateFailed  the call was tried and did not come about
        ├── AmiTimeout            no answer in time; the action may or may not have been carried out
        ├── AmiDisconnected       there is no connection, or it went while the answer was awaited
        ├── AmiProtocolError      what came is not the manager protocol, or is beyond a limit
        └── AmiMalformedEvent     one event lacks a field or has nonsense in it

No message holds a caller's name or number: they end up in logs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotline.core.errors import HotlineError

if TYPE_CHECKING:
    from hotline.telephony.ami.events import OriginateResponse


class AmiError(HotlineError):
    """Base of every error of the manager interface."""


class AmiUnsafeValue(AmiError, ValueError):
    """A name or value that Asterisk would read as something else; nothing was sent.

    Attributes:
        action: the action that was to be sent.
        field: the field at fault.
    """

    def __init__(self, action: str, field: str, problem: str) -> None:
        super().__init__(f"action {action!r}: field {field!r} {problem}")
        self.action = action
        self.field = field


class AmiRefused(AmiError):
    """Asterisk refused an action.

    Attributes:
        action: the action that was sent.
        reason: Asterisk's own message.
    """

    def __init__(self, action: str, reason: str, *, hint: str = "") -> None:
        super().__init__(f"Asterisk refused {action}: {reason}", hint=hint)
        self.action = action
        self.reason = reason


class AmiLoginRefused(AmiRefused):
    """Asterisk does not let this user in."""


class AmiOriginateFailed(AmiRefused):
    """A call that was to be made did not come about.

    Attributes:
        response: what Asterisk reported.
    """

    def __init__(self, response: OriginateResponse) -> None:
        super().__init__("Originate", f"the call failed (reason {response.reason})")
        self.response = response


class AmiTimeout(AmiError):
    """No answer in time; whether the action was carried out is not known."""

    def __init__(self, action: str, waited_seconds: float) -> None:
        super().__init__(f"no answer to {action} within {waited_seconds:g} s")
        self.action = action
        self.waited_seconds = waited_seconds


class AmiDisconnected(AmiError):
    """There is no connection to Asterisk, or it went while an answer was awaited."""


class AmiProtocolError(AmiError):
    """The peer does not speak the manager protocol, or went beyond a limit."""


class AmiMalformedEvent(AmiError):
    """One event cannot be understood; the connection is sound.

    Attributes:
        event: the event's name.
        field: the field at fault.
    """

    def __init__(self, event: str, field: str, problem: str) -> None:
        super().__init__(f"event {event}: field {field!r} {problem}")
        self.event = event
        self.field = field
