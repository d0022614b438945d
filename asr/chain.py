"""Engines in the order of preference: who hears a leg, and who takes over.

A leg is heard by the first engine that is well and has room. When that engine fails or falls behind, the next
one takes the leg with the audio that has no final text yet, at most `HELD_SECONDS` of it: what was said is
heard once more from there, and no word is lost. Nobody is moved back; new legs go to the first engine as soon
as it is well again (`asr/wellness.py`). When no other engine can take a leg, it stays where it is; when its
engine failed, too, the stream fails, and the tap begins anew.

Reasons of a change: ``failed``, ``slow``, ``full`` and ``resting`` (it failed or was slow a moment ago). With
one engine none of this costs anything: no audio is held.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from hotline.asr.engine import Engaged, Engine, EngineError, Heard, LateAnswer, Stream, Word
from hotline.asr.engine import Final as FinalText
from hotline.asr.held import HeldAudio
from hotline.asr.pcm import SAMPLE_BYTES
from hotline.asr.wellness import Wellness

log = logging.getLogger(__name__)

HELD_SECONDS: Final = 15.0
REPLAY_SECONDS: Final = 0.8  # of held audio at a time, so that other legs get their turn
PAUSE_SECONDS: Final = 0.25  # of silence, at least, come after the words of a final text
GRACE_SECONDS: Final = 5.0  # of audio after a change, before an engine can be found slow
PROVEN_SECONDS: Final = 15.0  # of audio without a word and not behind: nobody speaks, the engine is well
SLOW_PAUSE_SECONDS: Final = 0.5  # between legs taken from a slow engine: fewer may be all it needs

FAILED: Final = "failed"
SLOW: Final = "slow"
FULL: Final = "full"
RESTING: Final = "resting"

Known = Heard | Engaged


@dataclass(slots=True, eq=False)
class Member:
    """An engine of the chain.

    Attributes:
        name: for people and metrics.
        legs_max: as many at once in this process; None for no limit.
        slow_seconds: behind by more, it is slow.
    """

    name: str
    engine: Engine
    legs_max: int | None = None
    slow_seconds: float = 4.0
    legs: int = 0
    wellness: Wellness = field(default_factory=Wellness)
    moved_at: float = 0.0

    @property
    def full(self) -> bool:
        """It has as many legs as it may."""
        return self.legs_max is not None and self.legs >= self.legs_max


class Chain:
    """The engines of one worker process, used by its decoder's thread.

    Args:
        members: in the order of preference.
        monotonic: the clock.

    Attributes:
        breathe: called between two pieces of work that is long: the process is asked whether it is well.
        counts: handovers, and answers_late: last texts of a leg that did not come in time.
    """

    def __init__(self, members: Sequence[Member], monotonic: Callable[[], float]) -> None:
        self.members = tuple(members)
        self.monotonic = monotonic
        self.breathe: Callable[[], None] = _nothing
        self.counts: Counter[str] = Counter()

    @property
    def name(self) -> str:
        """Of the first engine."""
        return self.members[0].name

    def open(
        self,
        sample_rate_hz: int,
        grammar: Sequence[str] | None = None,
        *,
        hot_words: Sequence[str] = (),
        wake: Callable[[], None] | None = None,
    ) -> ChainStream:
        """Begin a stream; an engine is chosen with its first audio."""
        return ChainStream(self, sample_rate_hz, grammar, hot_words, wake)

    def choose(self, without: Sequence[Member], *, well_only: bool = False) -> Member | None:
        """The engine for a leg: the first that is well; failing that, any with room."""
        open_ones = [one for one in self.members if one not in without and not one.full]
        now = self.monotonic()
        for one in open_ones:
            if one.wellness.takes_legs(now):
                return one
        return None if well_only or not open_ones else open_ones[0]


class ChainStream:
    """One leg, whichever engine hears it. Times count from its first sample."""

    def __init__(
        self,
        chain: Chain,
        sample_rate_hz: int,
        grammar: Sequence[str] | None,
        hot_words: Sequence[str],
        wake: Callable[[], None] | None,
    ) -> None:
        self._chain = chain
        self._rate_hz = sample_rate_hz
        self._grammar, self._hot_words = grammar, hot_words
        self._wake = wake or _nothing
        self._audio = HeldAudio(
            sample_rate_hz * SAMPLE_BYTES, HELD_SECONDS if len(chain.members) > 1 else 0.0
        )
        self._member: Member | None = None
        self._stream: Stream | None = None
        self._begun = 0.0  # where the present engine's audio begins
        self._reason = ""  # why the next engine is not the one before
        self._heir: Member | None = None  # chosen already to be the next
        self._ending = False
        self._over = False

    @property
    def over(self) -> bool:
        """Nothing more comes."""
        return self._over

    @property
    def engine(self) -> str:
        """Who hears it now."""
        return self._member.name if self._member else ""

    def push(self, pcm: bytes, waiting_seconds: float = 0.0) -> list[Known]:
        """Hear audio; see `Stream`.

        Args:
            pcm: may be empty, to fetch what became known.
            waiting_seconds: audio of this leg that waits to be pushed.

        Raises:
            EngineError: no engine can hear it.
        """
        if self._over:
            return []
        self._audio.add(pcm)
        known = self._go_on(everything=self._ending)
        if not self._over and self._is_slow(waiting_seconds):
            known += self._go_on(everything=False)
        return known

    def end(self) -> list[Known]:
        """Have the rest heard; the last texts may come later, see ``over``."""
        if self._over or self._ending:
            return []
        self._ending = True
        if self._stream is None and not self._audio.waiting:
            self._over = True
            return []
        return self._go_on(everything=True)

    def release(self) -> None:
        """Nobody listens any more; idempotent."""
        self._leave()
        self._over = True

    def _go_on(self, *, everything: bool) -> list[Known]:
        """Feed the engine; when it fails, the next one."""
        known: list[Known] = []
        failed: list[Member] = []
        while True:
            if self._stream is None:
                known.append(self._engage(failed))
            try:
                self._feed(known, everything=everything)
            except EngineError as error:
                failed.append(self._give_up(error))
                continue
            return known

    def _engage(self, failed: Sequence[Member]) -> Engaged:
        """Open a stream of the best engine that did not just fail."""
        without = list(failed)
        heir, self._heir = self._heir, None
        while (member := heir or self._chain.choose(without)) is not None:
            heir = None
            try:
                stream = member.engine.open(
                    self._rate_hz, self._grammar, hot_words=self._hot_words, wake=self._wake
                )
            except EngineError as error:
                log.error("an engine took no stream: %s", error)
                member.wellness.failed(self._chain.monotonic())
                without.append(member)
                self._reason = self._reason or FAILED
                continue
            self._member, self._stream = member, stream
            member.legs += 1
            self._begun = self._audio.rewind()
            reason, self._reason = self._reason or self._why_not_first(member), ""
            return Engaged(member.name, reason)
        self._over = True
        raise EngineError("no engine can hear this leg", retryable=True)

    def _why_not_first(self, member: Member) -> str:
        first = self._chain.members[0]
        if member is first:
            return ""
        return FULL if first.full else RESTING

    def _feed(self, known: list[Known], *, everything: bool) -> None:
        assert self._stream is not None and self._member is not None  # noqa: S101 - for the type checker
        fed = False
        while not fed or (everything and self._audio.waiting):
            if fed:
                self._chain.breathe()
            fed = True
            self._note(known, self._stream.push(self._audio.take(REPLAY_SECONDS)))
        if self._ending:
            self._note(known, self._stream.end())
            if self._stream.over:
                self.release()
        elif self._audio.waiting:
            self._wake()

    def _note(self, known: list[Known], heard: Sequence[Heard]) -> None:
        for one in heard:
            moved = _moved(one, self._begun)
            known.append(moved)
            if isinstance(moved, FinalText):
                self._audio.settled_until(moved.end_seconds + PAUSE_SECONDS)
        assert self._stream is not None and self._member is not None  # noqa: S101 - for the type checker
        proven = self._audio.taken_seconds - self._begun > PROVEN_SECONDS
        if heard or (proven and self._stream.behind_seconds <= 0):
            self._member.wellness.heard()

    def _is_slow(self, waiting_seconds: float) -> bool:
        """Whether the leg was taken from its engine because that one is behind and another is not."""
        member, stream = self._member, self._stream
        if member is None or stream is None or self._ending or len(self._chain.members) == 1:
            return False
        if self._audio.taken_seconds - self._begun < GRACE_SECONDS:
            return False
        if max(stream.behind_seconds, waiting_seconds) <= member.slow_seconds:
            return False
        now = self._chain.monotonic()
        if now - member.moved_at < SLOW_PAUSE_SECONDS:
            return False
        self._heir = self._chain.choose([member], well_only=True)
        if self._heir is None:
            return False
        member.moved_at = now
        log.warning("engine %s is behind: a leg goes to the next one", member.name)
        member.wellness.failed(now)
        self._change(SLOW)
        return True

    def _give_up(self, error: EngineError) -> Member:
        assert self._member is not None  # noqa: S101 - for the type checker
        member = self._member
        log.error("engine %s gave up a stream: %s", member.name, error)
        member.wellness.failed(self._chain.monotonic())
        self._chain.counts["answers_late"] += isinstance(error, LateAnswer)
        self._change(FAILED)
        return member

    def _change(self, reason: str) -> None:
        self._leave()
        self._reason = reason
        self._chain.counts["handovers"] += len(self._chain.members) > 1

    def _leave(self) -> None:
        """Let the present engine's stream go."""
        if self._member is not None and self._stream is not None:
            self._member.legs -= 1
            if not self._stream.over:
                self._stream.release()
        self._member = self._stream = None


def _moved(heard: Heard, by_seconds: float) -> Heard:
    """The same at the leg's own times."""
    if not by_seconds:
        return heard
    start = heard.start_seconds + by_seconds
    if not isinstance(heard, FinalText):
        return replace(heard, start_seconds=start)
    words = tuple(
        Word(one.text, one.start_seconds + by_seconds, one.end_seconds + by_seconds, one.confidence)
        for one in heard.words
    )
    return replace(heard, start_seconds=start, end_seconds=heard.end_seconds + by_seconds, words=words)


def _nothing() -> None:
    """Nobody waits."""
