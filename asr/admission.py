"""Whether a recogniser process can take one more leg, from what it was seen to manage. Pure.

A process recognises in one thread. Its load is the share of wall time that this thread is busy: where
processors are short, the same audio takes more of it and less fits, without anybody telling us why. What a
leg costs is that share by the voices whose audio was recognised meanwhile, known to all processes of a pool.
A leg without audio for now, or admitted a moment ago, does not show in the share; each leg counts at the
price of one.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

FULL_SHARE: Final = 0.85  # of a thread; above it a burst of speech would wait noticeably
FULL_BACKLOG_SECONDS: Final = 0.5  # of audio a leg: recognition is behind already
OVERLOAD_BACKLOG_SECONDS: Final = 2.0  # likewise: it does not catch up
USUAL_PRICE: Final = 0.05  # share of a thread for a leg, before any was seen
LEAST_PRICE: Final = 0.005  # legs that are silent for now will speak
LEAST_VOICES: Final = 0.5  # recognised at a time, below which nothing is learnt
SMOOTHING_SECONDS: Final = 1.0
SETTLING_SECONDS: Final = 3.0  # until a leg shows in the smoothed share


@dataclass(slots=True)
class Price:
    """What a leg costs: share of a recogniser's thread. One for all processes with the same model."""

    share: float = USUAL_PRICE

    def learn(self, share: float, weight: float) -> None:
        """A voice was seen to cost ``share``; ``weight``: 0 to 1, how much that counts."""
        self.share += weight * (max(LEAST_PRICE, share) - self.share)


class Load:
    """What one process bears. Times are monotonic seconds."""

    def __init__(self, price: Price) -> None:
        self.share = 0.0
        self.backlog_seconds = 0.0
        self._price = price
        self._seen: tuple[float, float, float] | None = None  # when; busy and audio seconds until then
        self._voices = 0.0  # seconds of audio recognised in a second
        self._legs = 0
        self._young: deque[float] = deque()  # when the legs were admitted that do not show yet

    def admitted(self, now: float) -> None:
        """One more leg was given to it."""
        self._young.append(now)
        self._legs += 1

    def seen(
        self, now: float, busy_seconds: float, backlog_seconds: float, legs: int, audio_seconds: float
    ) -> None:
        """It told how long it has been busy in all, how much audio waits and how much was recognised.

        ``legs``: how many it has.
        """
        while self._young and now - self._young[0] >= SETTLING_SECONDS:
            self._young.popleft()
        self.backlog_seconds = backlog_seconds / max(1, legs)
        if self._seen is not None and now > self._seen[0]:
            passed = now - self._seen[0]
            share = min(1.0, max(0.0, busy_seconds - self._seen[1]) / passed)
            voices = max(0.0, audio_seconds - self._seen[2]) / passed
            weight = 1 - math.exp(-passed / SMOOTHING_SECONDS)
            self.share += weight * (share - self.share)
            self._voices += weight * (voices - self._voices)
            if self._voices >= LEAST_VOICES:
                self._price.learn(self.share / self._voices, weight)
        self._legs = legs
        self._seen = (now, busy_seconds, audio_seconds)

    @property
    def expected(self) -> float:
        """The share once every leg shows in it and is spoken on."""
        return max(self.share + len(self._young) * self._price.share, self._legs * self._price.share)

    @property
    def overloaded(self) -> bool:
        """Legs wait for their words, and more and more."""
        return self.backlog_seconds > OVERLOAD_BACKLOG_SECONDS

    def room(self, kept: int = 0) -> int:
        """How many more legs it can take and have room for ``kept`` others after that."""
        if self.backlog_seconds > FULL_BACKLOG_SECONDS:
            return 0
        spare = FULL_SHARE - self.expected
        return max(0, int(spare / self._price.share + 1e-9) - kept)
