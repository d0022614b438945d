"""The states of a call as a phone sees it, and what moves it from one to the next.

    DIALLING ──> RINGING ──> UP ──> CLOSING ──> ENDED
        └───────────┴─> CANCELLING ────┴──────────^
    OFFERED ────────────────> UP

A step that the table does not hold changes nothing: ours raises `CallStateError`, the other side's is
answered with an error and counted.
"""

from __future__ import annotations

from enum import Enum

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


class CallStateError(HotlineError):
    """We asked of a call what its state does not allow.

    Args:
        state: where the call stands.
        step: what was asked.
    """

    def __init__(self, state: State, step: Step) -> None:
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


def after(state: State, step: Step) -> State:
    """The state that follows; `CallStateError` when the step is not allowed."""
    following = TABLE[state].get(step)
    if following is None:
        raise CallStateError(state, step)
    return following
