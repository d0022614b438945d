"""The demo's reckoning: dialogues within the vocabulary, words right, latency, what is a failure."""

from __future__ import annotations

import asyncio
import itertools
import random
from typing import Any

import pytest

from hotline.config.loading import load_site
from hotline.config.samples import path as sample
from hotline.core.events import Side
from hotline.server.demo.conversation import Conversation, SaidWord
from hotline.server.demo.dialogues import load_dialogues, load_segmenter, programme
from hotline.server.demo.judging import judge
from hotline.server.demo.report import Summary, percentile
from hotline.server.demo.scoring import align, score_side
from hotline.server.demo.watching import ShownText, Watch

DIALOGUES = load_dialogues()
SEGMENTER = load_segmenter()
CALL = "demo-1.1"


@pytest.mark.parametrize("dialogue", DIALOGUES, ids=lambda dialogue: dialogue.name)
def test_every_word_of_a_dialogue_is_known_to_the_model(dialogue: Any) -> None:
    """A word that the model cannot know would be counted wrong for ever."""
    assert [word for turn in dialogue.turns for word in SEGMENTER.unknown(turn.text)] == []


def test_dialogues_are_many_and_cover_every_way_in() -> None:
    """At least twelve plays, over three numbers, straight through and by menus of one and two levels."""
    assert len(DIALOGUES) >= 12
    assert len({dialogue.name for dialogue in DIALOGUES}) == len(DIALOGUES)
    assert {dialogue.dial for dialogue in DIALOGUES} == {"12345", "12315", "12333"}
    assert {len(dialogue.keys) for dialogue in DIALOGUES} == {0, 1, 2}
    for dialogue in DIALOGUES:
        assert {turn.side for turn in dialogue.turns} == set(Side)
        assert dialogue.turns[0].side is Side.AGENT


def test_keys_of_each_dialogue_lead_to_its_line_on_the_demo_site() -> None:
    """Pressing the keys in the demo site's menus, from the dialled line, ends on the line expected."""
    site = load_site(sample("demo"), {})
    for dialogue in DIALOGUES:
        line = site.line_of_did(dialogue.dial)
        assert line is not None
        menu, reached = line.menu, line.id
        for key in dialogue.keys:
            assert menu is not None
            choice = next(choice for choice in site.menu(menu).choices if choice.key == key)
            menu, reached = choice.menu, choice.line or reached
        assert (menu, reached) == (None, dialogue.line), dialogue.name


def test_any_few_calls_in_a_row_show_every_kind() -> None:
    """Four calls hold a straight line, 12345's menu and 12315's menu; one seed gives one order."""
    first = list(itertools.islice(programme(DIALOGUES, random.Random(5)), 60))
    assert first == list(itertools.islice(programme(DIALOGUES, random.Random(5)), 60))
    assert first != list(itertools.islice(programme(DIALOGUES, random.Random(6)), 60))
    for start in range(50):
        assert {dialogue.dial for dialogue in first[start : start + 4]} == {"12345", "12315", "12333"}
    assert set(first) == set(DIALOGUES)


@pytest.mark.parametrize(
    ("spoken", "heard", "pairs"),
    [
        ("abc", "abc", [(0, 0), (1, 1), (2, 2)]),
        ("abc", "axc", [(0, 0), (2, 2)]),
        ("abc", "xabc", [(0, 1), (1, 2), (2, 3)]),
        ("abc", "bc", [(1, 0), (2, 1)]),
        ("abc", "", []),
        ("", "abc", []),
    ],
)
def test_words_are_aligned_by_the_cheapest_edit(
    spoken: str, heard: str, pairs: list[tuple[int, int]]
) -> None:
    """Substituted, missing and added words leave the others right."""
    assert align(list(spoken), list(heard)) == pairs


def said(text: str, start: float = 100.0) -> list[SaidWord]:
    """Words that end one second after another."""
    return [SaidWord(word, start + place) for place, word in enumerate(SEGMENTER.cut(text))]


def test_latency_counts_from_the_words_end_to_the_first_text_that_kept_it() -> None:
    """A word shown, taken back and shown again counts from its return; wrong words have no latency."""
    shown = [
        ShownText(100.2, 1, 1, "您好", final=False),
        ShownText(101.1, 1, 2, "您好路灯", final=False),
        ShownText(101.4, 1, 3, "您好电梯", final=False),
        ShownText(101.7, 1, 4, "您好路灯", final=False),
        ShownText(102.3, 1, 5, "您好路灯不亮", final=False),
        ShownText(103.0, 1, 6, "您好路灯不亮", final=True),
    ]
    score = score_side(said("您好路灯坏了"), shown, SEGMENTER)
    assert (score.spoken, score.right, score.added) == (3, 2, 1)
    assert score.latencies_seconds == pytest.approx((0.2, 0.7))


def test_words_are_counted_over_utterances_and_numbers_in_digits_are_read_out() -> None:
    """Two utterances make one text; 260号 in digits is the same words as in characters."""
    shown = [
        ShownText(101.0, 1, 1, "人民路260号", final=True),
        ShownText(107.0, 2, 1, "谢谢", final=True),
    ]
    score = score_side(said("人民路二百六十号谢谢"), shown, SEGMENTER)
    assert (score.spoken, score.right, score.added) == (7, 7, 0)


def test_what_the_recogniser_could_not_make_out_is_no_word() -> None:
    """The mark for unclear speech is written with words of the vocabulary, but nobody said them."""
    score = score_side(
        said("您好谢谢"), [ShownText(101.0, 1, 1, "您好〈听不清〉谢谢", final=True)], SEGMENTER
    )
    assert (score.right, score.added) == (2, 0)


def test_text_that_never_became_final_still_counts() -> None:
    """The last partial text of an utterance stands for it."""
    score = score_side(said("您好"), [ShownText(100.5, 1, 1, "您好", final=False)], SEGMENTER)
    assert score.right == 1


def test_percentiles_are_by_nearest_rank() -> None:
    """The median of a few and the 95th of many; None of nothing."""
    assert percentile([], 0.5) is None
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([float(value) for value in range(100)], 0.95) == 95.0


# -- a whole call as the page shows it ------------------------------------------------------------


def event(name: str, **data: Any) -> dict[str, Any]:
    return {"type": "event", "seq": 1, "name": name, "data": {"call_id": CALL, **data}}


def text(side: str, words: str) -> dict[str, Any]:
    return event("transcript_segment", side=side, utterance=1, revision=1, text=words, final=True)


def answered_call(line: str = "12333", outcome: str = "answered") -> list[dict[str, Any]]:
    return [
        event("call_started", caller_number="138****2567", line=line),
        event("caller_queued", line=line),
        event("call_answered", agent="1005", wait_seconds=2.5),
        text("agent", "您好"),
        text("caller", "谢谢"),
        event("entry_closed", outcome=outcome, wait_seconds=2.5, talk_seconds=30.0),
        event("call_ended"),
    ]


def conversation(*, gives_up: bool = False) -> Conversation:
    dialogue = next(dialogue for dialogue in DIALOGUES if dialogue.line == "12333")
    play = Conversation("13800132567", dialogue, gives_up=gives_up, hangs_up=Side.CALLER)
    if not gives_up:
        play.answered.set()
        play.said = {Side.AGENT: said("您好", 0.0), Side.CALLER: said("谢谢", 1.0)}
    return play


async def judged(play: Conversation, frames: list[dict[str, Any]]) -> Any:
    watch = Watch()
    for frame in frames:
        for take in (watch.take, watch.take_text, watch.take_text):  # two agents' pages may show the text
            take(frame, asyncio.get_running_loop().time() - 5.0)
    return await judge(play, watch, SEGMENTER)


async def test_good_call_is_reported_with_the_servers_own_figures() -> None:
    """Line, wait, talk and outcome are what the page showed; nothing failed."""
    report = await judged(conversation(), answered_call())
    assert (report.failure, report.line, report.wait_seconds, report.talk_seconds, report.outcome) == (
        "",
        "12333",
        2.5,
        30.0,
        "answered",
    )
    summary = Summary()
    summary.add(report)
    assert not summary.failed
    figures = summary.as_json()
    assert figures["words"] == {"caller": {"spoken": 1, "right": 1}, "agent": {"spoken": 1, "right": 1}}
    assert (figures["calls"], figures["answered"], figures["median_wait_seconds"]) == (1, 1, 2.5)


@pytest.mark.parametrize(
    ("frames", "says"),
    [
        (answered_call(line="12345"), "arrived on line 12345 instead of 12333"),
        (answered_call(outcome="timeout"), "closed as timeout"),
        (
            [frame for frame in answered_call() if frame["data"].get("side") != "agent"],
            "no right word of the agent",
        ),
    ],
)
async def test_calls_that_went_wrong_fail_with_the_reason(frames: list[dict[str, Any]], says: str) -> None:
    """The wrong line, an entry not closed as answered and a leg without text are failures."""
    report = await judged(conversation(), frames)
    assert says in report.failure
    summary = Summary()
    summary.add(report)
    assert summary.failed


async def test_giving_up_on_purpose_is_no_failure() -> None:
    """A citizen who meant to hang up while it rang counts as such, not as failed."""
    frames = answered_call(outcome="abandoned")
    report = await judged(
        conversation(gives_up=True), [frame for frame in frames if "text" not in frame["data"]]
    )
    summary = Summary()
    summary.add(report)
    assert not summary.failed
    assert summary.as_json()["gave_up_on_purpose"] == 1
