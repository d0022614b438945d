"""Admission by measure, against a recogniser whose true costs are known."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hotline.asr.admission import FULL_SHARE, LEAST_PRICE, USUAL_PRICE, Load, Price

PONG_SECONDS = 0.2


class Recogniser:
    """Spends ``price`` of its thread on each leg and falls behind when that is more than there is."""

    def __init__(self, price: float, load: Load) -> None:
        self.price, self.load = price, load
        self.legs = 0
        self.now = self.busy_seconds = self.backlog_seconds = self.audio_seconds = 0.0

    def pass_time(self, seconds: float) -> None:
        """Hear, and tell of it as often as a process does."""
        for _ in range(round(seconds / PONG_SECONDS)):
            self.now += PONG_SECONDS
            work = self.legs * self.price * PONG_SECONDS + self.backlog_seconds * self.price
            done = min(work, PONG_SECONDS)
            self.busy_seconds += done
            self.backlog_seconds = (work - done) / self.price
            self.audio_seconds += done / self.price
            self.load.seen(self.now, self.busy_seconds, self.backlog_seconds, self.legs, self.audio_seconds)

    def admit(self, wanted: int) -> int:
        """As many of the legs wanted as it takes."""
        admitted = 0
        while admitted < wanted and self.load.room() > 0:
            self.load.admitted(self.now)
            self.legs += 1
            admitted += 1
        return admitted


@given(st.floats(LEAST_PRICE, 0.4), st.lists(st.integers(0, 40), min_size=10, max_size=30))
def test_it_fills_up_and_never_falls_behind_for_long(price: float, arrivals: list[int]) -> None:
    """Whatever a leg costs and however legs arrive: no more than it bears once that is known."""
    recogniser = Recogniser(price, Load(Price()))
    waiting = 0
    for arriving in [*arrivals, 300]:
        waiting += arriving
        waiting -= recogniser.admit(waiting)
        recogniser.pass_time(0.8)
    for _ in range(40):
        waiting -= recogniser.admit(waiting)
        recogniser.pass_time(1)
    blind = FULL_SHARE / USUAL_PRICE  # what may come before anything was measured
    assert recogniser.legs <= max(blind, FULL_SHARE / price) + 1
    if waiting:
        assert recogniser.legs + 1 >= int(0.9 * FULL_SHARE / price)


def test_what_one_process_has_learnt_the_next_one_knows() -> None:
    """After a crash the legs come back at once, but only as many as one process was seen to bear."""
    price = Price()
    first = Recogniser(0.2, Load(price))
    first.admit(3)
    first.pass_time(10)
    second = Recogniser(0.2, Load(price))
    assert second.admit(100) == 4


def test_legs_that_are_silent_for_now_keep_their_places() -> None:
    """Nothing of them is recognised: no more come in than there is room for once they speak."""
    recogniser = Recogniser(0.1, Load(Price(0.1)))
    assert recogniser.admit(100) == 8
    recogniser.pass_time(5)
    recogniser.price = 1e-9  # no audio comes
    for _ in range(300):
        recogniser.now += PONG_SECONDS
        told = recogniser.busy_seconds, 0.0, recogniser.legs, recogniser.audio_seconds
        recogniser.load.seen(recogniser.now, *told)
    assert recogniser.admit(100) == 0


def test_audio_that_waits_closes_the_door() -> None:
    """However idle it seemed a moment ago."""
    load = Load(Price())
    load.seen(0, 0, 0, 1, 0)
    load.seen(0.2, 0.0, 3.0, 2, 0)
    assert load.room() == 0
    assert not load.overloaded
    load.seen(0.4, 0.0, 6.0, 2, 0)
    assert load.overloaded


def test_room_that_is_kept_is_not_given_away() -> None:
    """What is kept for others comes off what there is."""
    load = Load(Price(0.1))
    assert (load.room(), load.room(kept=2), load.room(kept=20)) == (8, 6, 0)
