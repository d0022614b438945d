"""Who waits for which answer: one waiter for each action that was sent, found by its ActionID."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from hotline.telephony.ami.errors import AmiError, AmiOriginateFailed, AmiProtocolError, AmiRefused
from hotline.telephony.ami.events import AmiEvent, OriginateResponse, UnknownEvent


@dataclass(frozen=True, slots=True)
class AmiResponse:
    """Asterisk's direct answer to an action.

    Attributes:
        status: `Success`, `Error`, `Goodbye` ...
        message: in words.
        headers: everything it said, by name.
        output: the lines of a command's output.
    """

    status: str
    message: str
    headers: Mapping[str, str]
    output: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether Asterisk did not do it."""
        return self.status.lower() == "error"


class Waiter(Protocol):
    """Waits for all that belongs to one action."""

    @property
    def future(self) -> asyncio.Future[Any]:
        """Done when the action is answered in full, or cannot be any more."""
        ...

    def response(self, response: AmiResponse) -> None:
        """The direct answer came."""
        ...

    def event(self, event: AmiEvent, list_mark: str) -> bool:
        """An event with the action's id came; False if it is not for this waiter."""
        ...


class _Waiter:
    def __init__(self, action: str) -> None:
        self.action = action
        self.future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def finish(self, result: object) -> None:
        if not self.future.done():
            self.future.set_result(result)

    def fail(self, error: AmiError) -> None:
        if not self.future.done():
            self.future.set_exception(error)

    def response(self, response: AmiResponse) -> None:
        if response.refused:
            self.fail(AmiRefused(self.action, response.message))

    def event(self, event: AmiEvent, list_mark: str) -> bool:
        return False


class OneResponse(_Waiter):
    """An action whose response says everything."""

    def response(self, response: AmiResponse) -> None:
        """Finish with it, or fail if it is a refusal."""
        super().response(response)
        self.finish(response)


class Listing(_Waiter):
    """An action answered by a list of events, whose last one is marked complete.

    Args:
        action: its name.
        limit: more events than this are refused instead of being held.
    """

    def __init__(self, action: str, limit: int) -> None:
        super().__init__(action)
        self._limit = limit
        self._events: list[AmiEvent] = []

    def event(self, event: AmiEvent, list_mark: str) -> bool:
        """Keep it, or finish with what was kept."""
        mark = list_mark.lower()
        if mark == "complete":
            self.finish(self._events)
        elif mark == "cancelled":
            self.fail(AmiRefused(self.action, "the list was cancelled"))
        elif len(self._events) >= self._limit:
            self.fail(AmiProtocolError(f"the answer to {self.action} has more than {self._limit} entries"))
        elif not isinstance(event, UnknownEvent):
            self._events.append(event)
        return True


class Originated(_Waiter):
    """An asynchronous Originate: the response says that it was begun, an event how it ended."""

    def event(self, event: AmiEvent, list_mark: str) -> bool:
        """Finish with how the call ended."""
        if not isinstance(event, OriginateResponse):
            return False
        if event.succeeded:
            self.finish(event)
        else:
            self.fail(AmiOriginateFailed(event))
        return True
