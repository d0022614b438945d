"""What may be asked of a live call, in words that the rooms share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CallVerb(StrEnum):
    """What an agent does with a call, where nothing more need be said. The value is the word of the route."""

    ANSWER = "answer"
    HANGUP = "hangup"
    HOLD = "hold"
    UNHOLD = "unhold"
    MUTE = "mute"
    UNMUTE = "unmute"
    CONSULT_COMPLETE = "consult/complete"  # the asked one takes the caller over
    CONSULT_CANCEL = "consult/cancel"  # back to the caller
    THREE_WAY = "three-way"
    THREE_WAY_DROP = "three-way/drop"  # whoever was brought in last leaves the talk


class SuperviseVerb(StrEnum):
    """What a supervisor does with somebody's call."""

    LISTEN = "listen"
    WHISPER = "whisper"  # the agent hears the supervisor, the caller does not
    BARGE = "barge"  # both do
    TAKE_OVER = "take-over"
    RELEASE = "release"  # the call ends


class TargetKind(StrEnum):
    """What a call is handed to."""

    AGENT = "agent"
    QUEUE = "queue"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Target:
    """An agent's id, a queue's name, or digits to dial."""

    kind: TargetKind
    value: str


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: an account, its seat if it has one, and whether it may act on other people's calls."""

    user: str
    agent: str | None
    supervisor: bool
