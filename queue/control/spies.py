"""Which supervisors' phones are on whose calls, as the exchange tells it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from hotline.telephony.ami import events as ami
from hotline.telephony.asterisk_config import supervision
from hotline.telephony.asterisk_config.supervision import SpyState

PURPOSE: Final = "spy"
"""In the unique ids of the channels that ring supervisors' phones for this."""


def is_spy(uniqueid: str) -> bool:
    """Whether a channel is a supervisor's phone that was rung for somebody's call."""
    return f"-{PURPOSE}-" in uniqueid


@dataclass(frozen=True, slots=True)
class Spy:
    """One supervisor's phone. ``up``: it was picked up."""

    uniqueid: str
    seat: str
    state: SpyState
    up: bool


@dataclass(slots=True)
class SpyBook:
    """The phones. ``agent_of``: the seat behind a channel's name, or None."""

    agent_of: Callable[[str], str | None]
    _spies: dict[str, Spy] = field(default_factory=dict)  # by unique id

    def of(self, seat: str) -> Spy | None:
        """A supervisor's phone, if it rings for somebody's call or is on it."""
        return next((spy for spy in self._spies.values() if spy.seat == seat), None)

    def seats(self) -> set[str]:
        """Every supervisor whose phone is on somebody's call."""
        return {spy.seat for spy in self._spies.values()}

    def rings(self, uniqueid: str, seat: str, state: SpyState) -> None:
        """We had a phone rung; it may have been picked up before we knew that it rings."""
        self._spies.setdefault(uniqueid, Spy(uniqueid, seat, state, up=False))

    def apply(self, event: ami.AmiEvent) -> str | None:
        """Take one event in; the seat whose phone does something else now."""
        match event:
            case ami.UserEvent(name=supervision.EVENT):
                return self._note(event.uniqueid, event.channel, event.fields.get("State", ""), up=True)
            case ami.Hangup(uniqueid=uniqueid) if uniqueid in self._spies:
                return self._spies.pop(uniqueid).seat
            case _:
                return None

    def adopt(self, found: Mapping[ami.CoreShowChannel, str]) -> None:
        """Believe the exchange after a break: its channels of this kind, and what stands on each."""
        self._spies.clear()
        for channel, state in found.items():
            self._note(channel.uniqueid, channel.channel, state, up=channel.state == "Up")

    def _note(self, uniqueid: str, channel: str, text: str, *, up: bool) -> str | None:
        seat, state = self.agent_of(channel), SpyState.parse(text)
        if seat is None or state is None:
            return None
        self._spies[uniqueid] = Spy(uniqueid, seat, state, up)
        return seat
