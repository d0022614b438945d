"""The audio of a leg that has no final text yet, for the engine that may have to take over. Pure.

Bounded: beyond the limit the oldest goes. With a limit of 0 nothing is kept that was handed out.
"""

from __future__ import annotations

from collections import deque

from hotline.asr.pcm import SAMPLE_BYTES


class HeldAudio:
    """Audio in the order of coming; positions are seconds from the first sample.

    Args:
        bytes_per_second: of 16-bit mono samples.
        held_seconds: how much to keep of what was handed out.
    """

    def __init__(self, bytes_per_second: int, held_seconds: float) -> None:
        self._bytes_per_second = bytes_per_second
        self._held_bytes = round(held_seconds * bytes_per_second)
        self._pieces: deque[bytes] = deque()  # from _first on
        self._next = 0  # of them, how many were handed out
        self._first = 0  # byte position of the first piece
        self._taken = 0  # byte position up to which audio was handed out
        self._added = 0

    @property
    def waiting(self) -> bool:
        """There is audio to hand out."""
        return self._next < len(self._pieces)

    @property
    def taken_seconds(self) -> float:
        """Where the audio handed out so far ends."""
        return self._taken / self._bytes_per_second

    def add(self, pcm: bytes) -> None:
        """Take audio that came."""
        if pcm:
            self._pieces.append(pcm)
            self._added += len(pcm)
            self._trim(self._added - self._held_bytes)

    def take(self, max_seconds: float) -> bytes:
        """Hand out what waits, at most about so much; nothing when nothing does."""
        taken: list[bytes] = []
        limit = max_seconds * self._bytes_per_second
        size = 0
        while self.waiting and (not taken or size + len(self._pieces[self._next]) <= limit):
            taken.append(self._pieces[self._next])
            size += len(taken[-1])
            self._next += 1
        self._taken += size
        self._trim(self._added - self._held_bytes)
        return taken[0] if len(taken) == 1 else b"".join(taken)

    def settled_until(self, seconds: float) -> None:
        """What was said up to there has its final text: it is let go, to the sample."""
        until = min(round(seconds * self._bytes_per_second) // SAMPLE_BYTES * SAMPLE_BYTES, self._taken)
        self._trim(until)
        if self._next and self._first < until:
            self._pieces[0] = self._pieces[0][until - self._first :]
            self._first = until

    def rewind(self) -> float:
        """Hand out again from the oldest that is held; return where that begins."""
        self._next, self._taken = 0, self._first
        return self._first / self._bytes_per_second

    def _trim(self, until: int) -> None:
        """Let go what was handed out and ends at or before byte position ``until``."""
        while self._next and self._first + len(self._pieces[0]) <= until:
            self._first += len(self._pieces.popleft())
            self._next -= 1
