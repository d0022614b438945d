"""What the benchmarks count: a caller who was not served must show as a failure, a word late as late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bench.common import percentile
from bench.latency import shown_first
from bench.menus import Caller, Run
from hotline.server.demo.conversation import SaidWord
from hotline.server.demo.watching import ShownText
from hotline.speech.segment import Segmenter
from hotline.telephony.ami.events import UserEvent

START = datetime(2026, 11, 2, tzinfo=UTC)


def step(name: str, caller: str, milliseconds: int = 0) -> UserEvent:
    """One event of a caller's channel."""
    return UserEvent(
        at=START + timedelta(milliseconds=milliseconds), channel="Local/s@in-1;2", uniqueid=f"{caller};2",
        linkedid=caller, caller_number="", caller_name="", context="", exten="", name=name, fields={},
    )  # fmt: skip


def test_percentiles_are_values_that_were_measured() -> None:
    """The median and the 95th of a hundred, in any order; nothing of nothing."""
    values = [float(number) for number in reversed(range(101))]
    assert (percentile(values, 0.5), percentile(values, 0.95)) == (50, 95)
    assert percentile([], 0.5) != percentile([], 0.5)


def test_callers_without_a_queue_or_by_the_fallback_are_failures() -> None:
    """Of four calls one was served by the menu, one fell back, one was lost, one never came about."""
    run = Run(4)
    for caller in ("served", "fallen", "lost"):
        run.take(step("HotlineCall", caller))
    run.take(step("HotlineFallback", "fallen", 5_000))
    for caller in ("served", "fallen"):
        run.take(step("HotlineQueue", caller, 900))
    assert run.failures == 3
    assert "no call came about 1" in run.why and "fell back 1" in run.why


def test_set_up_counts_to_the_first_time_in_the_queue() -> None:
    """A caller whom the queue gives back and takes again was set up the first time."""
    run = Run(1)
    for name, at in (
        ("HotlineCall", 0),
        ("BenchHeard", 700),
        ("HotlineQueue", 900),
        ("HotlineQueue", 60_000),
    ):
        run.take(step(name, "one", at))
    assert run.between_ms("began", "queued") == [pytest.approx(900)]
    assert run.between_ms("heard", "queued") == [pytest.approx(200)]
    assert run.between_ms("pressed", "queued") == []
    assert isinstance(run.callers["one"], Caller)


def test_a_word_is_shown_when_it_stays_for_good() -> None:
    """A word that a later text takes back counts from its return; a wrong one does not count."""
    said = [SaidWord("您好", 0.0), SaidWord("投诉", 1.0), SaidWord("物业", 2.0)]
    texts = [
        ShownText(0.2, 1, 1, "您好", False),
        ShownText(1.1, 1, 2, "您好投诉", False),
        ShownText(1.2, 1, 3, "您好热线", False),
        ShownText(1.4, 1, 4, "您好投诉", False),
        ShownText(2.5, 1, 5, "您好投诉小区", True),
    ]
    first = shown_first(said, texts, Segmenter(["您好", "投诉", "物业", "热线", "小区"]))
    assert first == {0: 0.2, 1: 1.4}
