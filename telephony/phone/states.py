"""The states of a call as a phone sees it, and what moves it from one to the next.

    DIALLING ──> RINGING ──> UP ──> CLOSING ──> ENDED
        └───────────┴─> CANCELLING ────┴──────────^
    OFFERED ────────────────> UP

A call that is up may besides be put on hold by us and be handed over to somebody else:

    TALKING ──> HOLDING ──> HELD ──> RESUMING ──> TALKING
    IDLE ──> ASKED ──> UNDER_WAY ──> DONE            (and back to IDLE when it failed)

A step that the table does not hold changes nothing: ours raises `CallStateError`, the other side's is
answered with an error and counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from hotline.core.errors import HotlineError


class State(Enum):
    """Where a call stands."""

    DIALLING = "dialling"  # our INVITE is out
    RINGING = "ringing"  # the other side rings
    CANCELLING = "cancelling"  # we gave up before an answer; its end is not confirmed yet
    OFFERED = "offered"  # their INVITE is here, unanswered
    UP = "up"  # answered: both may speak
    CLOSING = "closing"  # our BYE is out
    ENDED = "ended"


class Step(Enum):
    """What happens to a call."""

    PROGRESS = "progress"  # 101-199 to our INVITE
    ACCEPTED = "accepted"  # 2xx to our INVITE
    REFUSED = "refused"  # a final refusal, or no answer at all, to our INVITE
    GIVE_UP = "give up"  # we hang up before the answer
    RING = "ring"  # we tell them that we ring
    ANSWER = "answer"  # we answer theirs
    DECLINE = "decline"  # we refuse theirs
    WITHDRAWN = "withdrawn"  # their CANCEL
    SPEAK = "speak"  # sound in either direction
    HANG_UP = "hang up"  # we say BYE
    CONFIRMED = "confirmed"  # our BYE was answered, or nobody is there to answer it
    THEY_HANG_UP = "they hang up"  # their BYE


TABLE: dict[State, dict[Step, State]] = {
    State.DIALLING: {
        Step.PROGRESS: State.RINGING,
        Step.ACCEPTED: State.UP,
        Step.REFUSED: State.ENDED,
        Step.GIVE_UP: State.CANCELLING,
    },
    State.RINGING: {
        Step.PROGRESS: State.RINGING,
        Step.ACCEPTED: State.UP,
        Step.REFUSED: State.ENDED,
        Step.GIVE_UP: State.CANCELLING,
        Step.THEY_HANG_UP: State.ENDED,
    },
    State.CANCELLING: {
        Step.PROGRESS: State.CANCELLING,
        Step.ACCEPTED: State.CLOSING,  # the answer crossed our CANCEL: say BYE
        Step.REFUSED: State.ENDED,
        Step.THEY_HANG_UP: State.ENDED,
    },
    State.OFFERED: {
        Step.RING: State.OFFERED,
        Step.ANSWER: State.UP,
        Step.DECLINE: State.ENDED,
        Step.WITHDRAWN: State.ENDED,
    },
    State.UP: {
        Step.SPEAK: State.UP,
        Step.HANG_UP: State.CLOSING,
        Step.THEY_HANG_UP: State.ENDED,
    },
    State.CLOSING: {
        Step.CONFIRMED: State.ENDED,
        Step.THEY_HANG_UP: State.ENDED,
    },
    State.ENDED: {},
}


class Hold(Enum):
    """Whether we have put the call on hold (RFC 3264 section 8.4)."""

    TALKING = "talking"
    HOLDING = "being put on hold"  # our re-INVITE is out
    HELD = "on hold"
    RESUMING = "being resumed"  # likewise


class HoldStep(Enum):
    """What happens to a hold."""

    HOLD = "be put on hold"
    RESUME = "be resumed"
    AGREED = "agree to the change"  # 2xx to our re-INVITE
    REFUSED = "refuse the change"


HOLD_TABLE: dict[Hold, dict[HoldStep, Hold]] = {
    Hold.TALKING: {HoldStep.HOLD: Hold.HOLDING},
    Hold.HOLDING: {HoldStep.AGREED: Hold.HELD, HoldStep.REFUSED: Hold.TALKING},
    Hold.HELD: {HoldStep.RESUME: Hold.RESUMING},
    Hold.RESUMING: {HoldStep.AGREED: Hold.TALKING, HoldStep.REFUSED: Hold.HELD},
}


class Transfer(Enum):
    """Whether we have asked the other side to call somebody else instead of us (RFC 3515)."""

    IDLE = "not being transferred"
    ASKED = "asked to transfer"  # our REFER is out
    UNDER_WAY = "being transferred"  # it was taken on; how it goes comes by NOTIFY
    DONE = "transferred"


class TransferStep(Enum):
    """What happens to a transfer."""

    ASK = "be transferred"
    TAKEN_ON = "take the transfer on"  # 2xx to our REFER
    PROGRESS = "report progress"  # a NOTIFY with 1xx, which may overtake the 2xx
    SUCCEEDED = "report success"
    FAILED = "report failure"  # a refusal, a NOTIFY with 3xx-6xx, or no word any more
    RELEASED = "release us"  # the other side said BYE: it needs us no more


TRANSFER_TABLE: dict[Transfer, dict[TransferStep, Transfer]] = {
    Transfer.IDLE: {TransferStep.ASK: Transfer.ASKED},
    Transfer.ASKED: {
        TransferStep.TAKEN_ON: Transfer.UNDER_WAY,
        TransferStep.PROGRESS: Transfer.UNDER_WAY,
        TransferStep.SUCCEEDED: Transfer.DONE,
        TransferStep.FAILED: Transfer.IDLE,
    },
    Transfer.UNDER_WAY: {
        TransferStep.TAKEN_ON: Transfer.UNDER_WAY,
        TransferStep.PROGRESS: Transfer.UNDER_WAY,
        TransferStep.SUCCEEDED: Transfer.DONE,
        TransferStep.FAILED: Transfer.IDLE,
        TransferStep.RELEASED: Transfer.DONE,
    },
    Transfer.DONE: {},
}


class Direction(Enum):
    """Who calls."""

    OUT = "out"
    IN = "in"


class EndedBy(Enum):
    """Who ended a call."""

    US = "us"
    THEM = "them"
    FAULT = "fault"  # the other side fell silent or broke the protocol


@dataclass(frozen=True, slots=True)
class End:
    """How a call ended: by whom, and the SIP status if it was never answered (0 otherwise)."""

    by: EndedBy
    status: int = 0
    reason: str = ""


class CallStateError(HotlineError):
    """We asked of a call what its state does not allow.

    Args:
        state: where the call stands.
        step: what was asked.
    """

    def __init__(self, state: Enum, step: Enum) -> None:
        super().__init__()
        self.state = state
        self.step = step

    def __str__(self) -> str:
        return f"a call that is {self.state.value} cannot {self.step.value}"


class CallRefused(HotlineError):
    """The call ended without an answer.

    Args:
        status: the SIP status that ended it; 487 when it was cancelled, 408 when nobody replied.
        reason: the phrase that came with it.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__()
        self.status = status
        self.reason = reason

    def __str__(self) -> str:
        return f"the call was not answered: {self.status} {self.reason}"


class ChangeRefused(HotlineError):
    """The other side did not agree to a change of a call that is up; the call goes on as it was.

    Args:
        change: what was asked for: hold, transfer.
        status: the SIP status of the refusal; 408 when no word came, 487 when the call ended meanwhile.
        reason: the phrase that came with it.
    """

    def __init__(self, change: str, status: int, reason: str) -> None:
        super().__init__()
        self.change = change
        self.status = status
        self.reason = reason

    def __str__(self) -> str:
        return f"the {self.change} was refused: {self.status} {self.reason}"


_State = TypeVar("_State", bound=Enum)
_Step = TypeVar("_Step", bound=Enum)


def follow(table: Mapping[_State, Mapping[_Step, _State]], state: _State, step: _Step) -> _State:
    """The state that a table has follow; `CallStateError` when the step is not allowed."""
    following = table[state].get(step)
    if following is None:
        raise CallStateError(state, step)
    return following


def after(state: State, step: Step) -> State:
    """The state of a call that follows; `CallStateError` when the step is not allowed."""
    return follow(TABLE, state, step)
