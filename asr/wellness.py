"""Whether an engine is fit for new legs. Pure: moments are given.

WELL      takes legs
RESTING   failed a moment ago; takes legs only when no other engine can
ON_TRIAL  its rest is over: one leg tries it; with it, it is well or rests longer
"""

from __future__ import annotations

from enum import Enum
from typing import Final

FIRST_REST_SECONDS: Final = 5.0
LONGEST_REST_SECONDS: Final = 60.0


class State(Enum):
    """How an engine is."""

    WELL = "well"
    RESTING = "resting"
    ON_TRIAL = "on_trial"


class Sign(Enum):
    """What shows it."""

    FAILED = "failed"  # a stream failed, or fell behind
    RESTED = "rested"  # and somebody wants it now
    HEARD = "heard"  # a stream of it works


TRANSITIONS: Final[dict[State, dict[Sign, State]]] = {
    State.WELL: {Sign.FAILED: State.RESTING, Sign.HEARD: State.WELL},
    # A stream from before it failed may still hear, or fail in its turn: no news.
    State.RESTING: {Sign.RESTED: State.ON_TRIAL, Sign.FAILED: State.RESTING, Sign.HEARD: State.RESTING},
    State.ON_TRIAL: {Sign.FAILED: State.RESTING, Sign.HEARD: State.WELL},
}


class Wellness:
    """One engine's state, and how long it rests: longer after each failure in a row."""

    def __init__(self) -> None:
        self.state = State.WELL
        self._rest_seconds = FIRST_REST_SECONDS
        self._rested_at = 0.0

    def takes_legs(self, now: float) -> bool:
        """Whether a new leg may go to it at this monotonic second; asking after its rest begins the trial."""
        if self.state is State.RESTING and now >= self._rested_at:
            self._go(Sign.RESTED)
            self._rested_at = now + LONGEST_REST_SECONDS  # a trial that shows nothing ends, too
            return True
        if self.state is State.ON_TRIAL and now >= self._rested_at:
            self._rested_at = now + LONGEST_REST_SECONDS
            return True
        return self.state is State.WELL

    def heard(self) -> None:
        """A stream opened since it was last unwell works."""
        if self.state is State.ON_TRIAL:
            self._rest_seconds = FIRST_REST_SECONDS
        self._go(Sign.HEARD)

    def failed(self, now: float) -> None:
        """A stream failed or fell behind."""
        if self.state is not State.RESTING:
            self._rested_at = now + self._rest_seconds
            self._rest_seconds = min(2 * self._rest_seconds, LONGEST_REST_SECONDS)
        self._go(Sign.FAILED)

    def _go(self, sign: Sign) -> None:
        self.state = TRANSITIONS[self.state][sign]
