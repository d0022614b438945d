"""How much processor time a recogniser may take over an answer before it counts as running in circles. Pure.

Time on the clock tells little: a process that is short of processors, or works off a flood, is late and well.
It answers between two pieces of audio, though, so the processor time that an answer takes is that of one
piece or one final text, whatever else the machine does. How much that is with this model is learnt from the
answers; until enough texts were told the limit is that of any process at work (`Watch.working_seconds`).
"""

from __future__ import annotations

from typing import Final

TEXTS_SEEN: Final = 20  # final texts, the costliest pieces of work, before anything is concluded
TIMES_LONGEST: Final = 5.0  # an utterance may be so much longer than any of those
LEAST_SECONDS: Final = 0.5  # of processor time: with 0.3 s until the next question, noticed within a second


class Circles:
    """What a pool's processes were seen to need; one for all of them, since they have the same models."""

    def __init__(self) -> None:
        self._texts = 0
        self._longest_seconds = 0.0
        self._least_seconds = LEAST_SECONDS

    def told(self) -> None:
        """A final text came."""
        self._texts += 1

    def answered(self, busy_seconds: float) -> None:
        """An answer came and had taken so much processor time."""
        self._longest_seconds = max(self._longest_seconds, busy_seconds)

    def gave_up(self) -> None:
        """A process was ended for this. Twice as much next time: if it was well, that is not repeated."""
        self._least_seconds *= 2

    def limit(self, working_seconds: float) -> float:
        """Processor time over one answer beyond which a process is given up; at most ``working_seconds``."""
        if self._texts < TEXTS_SEEN:
            return working_seconds
        return min(working_seconds, max(self._least_seconds, TIMES_LONGEST * self._longest_seconds))
