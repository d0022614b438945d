"""Who hears a leg: the order of engines, handovers without a lost word, and when an engine is well again."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.asr.chain import (
    GRACE_SECONDS,
    HELD_SECONDS,
    PROVEN_SECONDS,
    Chain,
    ChainStream,
    Known,
    Member,
)
from hotline.asr.engine import Capabilities, Engaged, EngineError, Final, Heard, LateAnswer, Partial
from hotline.asr.held import HeldAudio
from hotline.asr.wellness import FIRST_REST_SECONDS, LONGEST_REST_SECONDS, State, Wellness
from tests.fixtures.asr import ScriptedStream

RATE_HZ = 8_000
CAPABILITIES = Capabilities(RATE_HZ, word_times=True, grammar=False)


@dataclass
class Fate:
    """What an engine's streams do: fail after so many pushes, or tell that they are behind."""

    fails_after: int | None = None
    behind_seconds: float = 0.0
    refuses: bool = False
    late: bool = False
    opened: int = 0


class FatedStream(ScriptedStream):
    """Hears as the scripted engine does, until its fate."""

    def __init__(self, rate_hz: int, fate: Fate) -> None:
        super().__init__(rate_hz)
        self._fate, self._pushes = fate, 0

    @property
    def behind_seconds(self) -> float:  # type: ignore[override]
        return self._fate.behind_seconds

    def push(self, pcm: bytes) -> Sequence[Heard]:
        self._pushes += 1
        if self._fate.fails_after is not None and self._pushes > self._fate.fails_after:
            raise EngineError("its fate", retryable=True)
        return super().push(pcm)

    def end(self) -> Sequence[Heard]:
        if self._fate.late:
            raise LateAnswer("its fate", retryable=True)
        return super().end()


@dataclass
class FatedEngine:
    """An engine whose streams share a fate."""

    fate: Fate = field(default_factory=Fate)
    name: str = "fated"
    capabilities: Capabilities = CAPABILITIES

    def open(
        self,
        sample_rate_hz: int,
        grammar: Sequence[str] | None = None,
        *,
        hot_words: Sequence[str] = (),
        wake: Callable[[], None] | None = None,
    ) -> FatedStream:
        if self.fate.refuses:
            raise EngineError("its fate", retryable=True)
        self.fate.opened += 1
        return FatedStream(sample_rate_hz, self.fate)

    def close(self) -> None:
        pass


class World:
    """A chain of engines named a, b, c with these fates, and a clock."""

    def __init__(self, *fates: Fate, legs_max: int | None = None) -> None:
        self.now = 100.0
        members = [
            Member(name, FatedEngine(fate), legs_max if name == "a" else None)
            for name, fate in zip("abc", fates, strict=False)
        ]
        self.chain = Chain(members, lambda: self.now)

    def leg(self) -> ChainStream:
        return self.chain.open(RATE_HZ)


def word(value: int, seconds: float = 0.1) -> bytes:
    return array("h", [value] * round(RATE_HZ * seconds)).tobytes()


def silence(seconds: float) -> bytes:
    return word(0, seconds)


def speak(stream: ChainStream, *values: int, pause: float = 0.3) -> list[Known]:
    """Words of 0.1 s each, and silence after them."""
    known = [one for value in values for one in stream.push(word(value))]
    return [*known, *stream.push(silence(pause))]


def finals(known: Sequence[Known]) -> list[str]:
    return [one.text for one in known if isinstance(one, Final)]


def engaged(known: Sequence[Known]) -> list[tuple[str, str]]:
    return [(one.engine, one.reason) for one in known if isinstance(one, Engaged)]


def test_the_first_engine_hears_as_long_as_it_is_well() -> None:
    """The second one is not even opened."""
    second = Fate()
    leg = World(Fate(), second).leg()
    known = [*speak(leg, 1, 2), *leg.end()]
    assert (engaged(known), finals(known)) == ([("a", "")], ["一二"])
    assert leg.over
    assert second.opened == 0


def test_the_words_of_an_open_utterance_go_along_to_the_next_engine() -> None:
    """What the first heard of it is heard once more; what had its final text is not."""
    leg = World(Fate(fails_after=5), Fate()).leg()
    known = [*speak(leg, 1, 2), *speak(leg, 3, 4, 5)]
    assert engaged(known) == [("a", ""), ("b", "failed")]
    assert finals(known) == ["一二", "三四五"]
    last = next(one for one in known if isinstance(one, Final) and one.text == "三四五")
    assert last.start_seconds == pytest.approx(0.5, abs=0.02)  # times go on counting from the leg's start
    assert last.words[2].start_seconds == pytest.approx(0.7, abs=0.02)


def test_a_last_text_that_does_not_come_is_heard_by_the_next_engine() -> None:
    """Words said just before the end of the call are kept, and the lateness is counted."""
    world = World(Fate(late=True), Fate())
    leg = world.leg()
    leg.push(word(7))
    known = leg.end()
    assert finals(known) == ["七"]
    assert (leg.over, world.chain.counts["answers_late"], world.chain.counts["handovers"]) == (True, 1, 1)


def test_an_engine_that_is_full_leaves_the_next_leg_to_another() -> None:
    """And takes one again as soon as it has room."""
    world = World(Fate(), Fate(), legs_max=1)
    first, second, third = world.leg(), world.leg(), world.leg()
    assert engaged(first.push(word(1))) == [("a", "")]
    assert engaged(second.push(word(1))) == [("b", "full")]
    first.end()
    assert engaged(third.push(word(1))) == [("a", "")]


def test_an_engine_behind_real_time_hands_over_legs_and_rests() -> None:
    """Not at once after a change, not all legs in one moment, and new legs go elsewhere for a while."""
    fate = Fate()
    world = World(fate, Fate())
    one, other = world.leg(), world.leg()
    for leg in (one, other):
        for _ in range(round(GRACE_SECONDS) + 1):
            leg.push(silence(1.0))
    fate.behind_seconds = 9.0
    assert engaged(one.push(word(3))) == [("b", "slow")]
    assert engaged(other.push(word(3))) == []
    world.now += 1.0
    assert engaged(other.push(word(3))) == [("b", "slow")]
    assert [finals(leg.end()) for leg in (one, other)] == [["三"], ["三"]]
    assert engaged(world.leg().push(word(1))) == [("b", "resting")]


def test_audio_that_waits_before_an_engine_counts_as_its_being_behind() -> None:
    """An engine on this machine answers within push: it is late by what could not be pushed yet."""
    leg = World(Fate(), Fate()).leg()
    leg.push(silence(GRACE_SECONDS + 1))
    leg.push(silence(GRACE_SECONDS + 1))
    assert engaged(leg.push(word(1), waiting_seconds=3.9)) == []
    assert engaged(leg.push(word(1), waiting_seconds=4.1)) == [("b", "slow")]


def test_a_slow_engine_keeps_its_legs_when_no_other_is_well() -> None:
    """Late text is better than none."""
    slow = Fate(behind_seconds=9.0)
    world = World(slow, Fate(refuses=True))
    world.chain.members[1].wellness.failed(world.now)
    leg = world.leg()
    for _ in range(10):
        leg.push(silence(1.0))
    assert engaged(leg.push(word(1))) == []
    assert leg.engine == "a"


def test_new_legs_go_back_to_an_engine_that_is_well_again() -> None:
    """After its rest one leg tries it; only when that one is heard do the others follow."""
    fate = Fate(refuses=True)
    world = World(fate, Fate())
    assert engaged(world.leg().push(word(1))) == [("b", "failed")]
    fate.refuses = False
    assert engaged(world.leg().push(word(1))) == [("b", "resting")]
    world.now += FIRST_REST_SECONDS
    trial = world.leg()
    assert engaged(trial.push(silence(0.1))) == [("a", "")]
    assert engaged(world.leg().push(word(1))) == [("b", "resting")]
    assert trial.push(word(5))
    assert engaged(world.leg().push(word(1))) == [("a", "")]


@pytest.mark.parametrize(("behind_seconds", "next_one"), [(0.0, "a"), (0.5, "b")])
def test_a_trial_without_a_word_proves_an_engine_unless_it_owes_some(
    behind_seconds: float, next_one: str
) -> None:
    """Nobody may have spoken; but one that took a voice and said nothing is no better than before."""
    fate = Fate(refuses=True)
    world = World(fate, Fate())
    world.leg().push(word(1))
    world.now += FIRST_REST_SECONDS
    fate.refuses, fate.behind_seconds = False, behind_seconds
    trial = world.leg()
    for _ in range(round(PROVEN_SECONDS) + 1):
        trial.push(silence(1.0))
    (change,) = engaged(world.leg().push(word(1)))
    assert change[0] == next_one


def test_a_leg_that_no_engine_can_hear_is_given_up() -> None:
    """Once each of them failed it; resting alone is no reason."""
    world = World(Fate(fails_after=0), Fate(refuses=True), Fate(fails_after=0))
    with pytest.raises(EngineError):
        world.leg().push(word(1))
    alone = World(Fate())
    alone.chain.members[0].wellness.failed(alone.now)
    assert engaged(alone.leg().push(word(1))) == [("a", "")]


def test_a_single_engine_holds_no_audio() -> None:
    """The usual site pays nothing for what it does not use."""
    leg = World(Fate()).leg()
    leg.push(silence(5.0))
    assert len(leg._audio._pieces) == 0


@given(
    st.lists(st.lists(st.integers(1, 10), min_size=1, max_size=4, unique=True), min_size=1, max_size=5),
    st.lists(st.integers(0, 14), min_size=1, max_size=2),
)
def test_no_word_is_lost_or_said_twice_whenever_engines_fail(
    utterances: list[list[int]], fails_after: list[int]
) -> None:
    """Two engines that fail at any moment before a third that does not: the text is that of one alone."""
    alone, many = World(Fate()).leg(), World(*(Fate(count) for count in fails_after), Fate()).leg()
    told: list[list[Known]] = []
    for leg in (alone, many):
        known = [one for values in utterances for one in speak(leg, *values)]
        told.append([*known, *leg.end()])
    assert finals(told[1]) == finals(told[0])
    assert many.over
    open_text = ""
    for one in told[1]:  # a page that shows them all never goes back before a final text
        if isinstance(one, Partial | Final):
            assert one.start_seconds >= 0.0
            open_text = one.text if isinstance(one, Partial) else ""
    assert open_text == ""


@given(
    st.lists(st.tuples(st.sampled_from(["add", "take", "settle", "rewind"]), st.integers(1, 40)), max_size=60)
)
def test_held_audio_is_bounded_and_in_order(steps: list[tuple[str, int]]) -> None:
    """What is handed out is what came, from where it says; never more than the limit is held for replay."""
    held, came, at = HeldAudio(bytes_per_second=20, held_seconds=2.0), b"", 0
    for what, size in steps:
        if what == "add":
            piece = bytes((len(came) + step) % 251 for step in range(size))
            came += piece
            held.add(piece)
        elif what == "take":
            taken = held.take(size / 20)
            assert came[at : at + len(taken)] == taken
            at += len(taken)
            assert held.taken_seconds == at / 20
        elif what == "settle":
            held.settled_until(size / 20)
        else:
            at = round(held.rewind() * 20)
        assert at <= len(came)
    at = round(held.rewind() * 20)
    rest = b""
    while piece := held.take(100.0):
        rest += piece
    assert came[at:] == rest


def test_more_than_the_limit_is_not_held() -> None:
    """A leg that is silent for a minute costs no more memory than one of fifteen seconds."""
    leg = World(Fate(), Fate()).leg()
    for _ in range(60):
        leg.push(silence(1.0))
    assert sum(map(len, leg._audio._pieces)) <= HELD_SECONDS * RATE_HZ * 2


def test_rests_get_longer_while_an_engine_goes_on_failing() -> None:
    """From five seconds to a minute; one success and they are short again."""
    wellness, now = Wellness(), 0.0
    rests = []
    for _ in range(6):
        wellness.failed(now)
        began = now
        while not wellness.takes_legs(now):
            now += 1.0
        rests.append(now - began)
        assert wellness.state is State.ON_TRIAL
        assert not wellness.takes_legs(now)
    assert rests == [5, 10, 20, 40, 60, 60]
    wellness.heard()
    wellness.failed(now)
    assert not wellness.takes_legs(now + FIRST_REST_SECONDS - 1)
    assert wellness.takes_legs(now + FIRST_REST_SECONDS)
    assert wellness.takes_legs(now + FIRST_REST_SECONDS + LONGEST_REST_SECONDS)  # a trial that showed nothing


def test_audio_heard_once_more_at_the_end_leaves_time_for_other_questions() -> None:
    """The process is asked whether it is well, and answers between two pieces."""
    fate = Fate(late=True)
    world = World(fate, Fate())
    breaths: list[float] = []
    leg = world.leg()
    world.chain.breathe = lambda: breaths.append(leg._audio.taken_seconds)
    for _ in range(40):
        leg.push(word(1, 0.2))
    assert breaths == []
    leg.end()
    assert len(breaths) == 9  # eight seconds in pieces of 0.8 s
    assert breaths == sorted(breaths)
