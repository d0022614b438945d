"""How well the rules understand calls, and what they must never take for something else."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest

from hotline.asr.understanding.ear import Ear
from hotline.asr.understanding.matching import digitised
from hotline.asr.understanding.rules import MOST_UTTERANCES, CallReading
from hotline.asr.understanding.summary import proposals_of
from hotline.config.catalogue import catalogue
from hotline.config.understanding import TopicRule, UnderstandingSection, rules_of, shipped_rules
from hotline.core.events import Side
from hotline.core.understanding import Cite, PointKind, Utterance
from tests.fixtures.understanding_calls import LabelledCall, labelled, measure, understood

EAR = Ear(shipped_rules())


def reading(*said: str, lines: tuple[str, ...] = ("12345",), ear: Ear = EAR) -> CallReading:
    """What the caller said, utterance by utterance."""
    call = CallReading(ear, frozenset(lines))
    for number, text in enumerate(said, 1):
        call.take(Utterance(Side.CALLER, number, text))
    return call


def value(kind: PointKind, *said: str, lines: tuple[str, ...] = ("12345",), ended: bool = True) -> str | None:
    points = reading(*said, lines=lines).understood(ended=ended).points
    return next((point.value for point in points if point.kind is kind), None)


LEAST = {"tuned": (0.97, 0.95), "held_out": (0.88, 0.82)}  # of types, of things


@pytest.mark.parametrize("half", LEAST)
def test_labelled_calls_are_understood(half: str) -> None:
    """Types, topics, things and alarms, of calls the rules were mended by and of those they were not."""
    type_least, things_least = LEAST[half]
    calls = labelled(half)
    hits = measure(EAR, calls)
    assert len(calls) >= 48
    assert min(hits["type"].precision, hits["type"].recall) >= type_least, hits["type"].wrong
    assert min(hits["topic"].precision, hits["topic"].recall) >= 0.95, hits["topic"].wrong
    assert min(hits["things"].precision, hits["things"].recall) >= things_least, hits["things"].wrong
    for alarm in ("urgent", "abusive"):
        assert hits[alarm].there and not hits[alarm].wrong


@pytest.mark.parametrize("half", ["tuned", "held_out"])
def test_every_point_rests_on_what_was_said(half: str) -> None:
    """Each point cites utterances that exist, names its rules, and its things are words of the call."""
    for call in labelled(half):
        said = {one.cite for one in call.utterances}
        for point in understood(EAR, call).points:
            assert point.cites and said.issuperset(point.cites), point
            assert point.rules and 0 < point.score <= 1, point


@pytest.mark.parametrize("half", LEAST)
def test_written_texts_say_the_same_as_heard_ones(half: str) -> None:
    """Punctuated, numbers in digits: type, topic, alarms and telephone numbers are those of plain text."""
    kinds = {PointKind.REQUEST_TYPE, PointKind.TOPIC, PointKind.URGENT, PointKind.ABUSIVE, PointKind.PHONE}

    def told(call: LabelledCall) -> set[tuple[PointKind, str]]:
        return {(one.kind, one.value) for one in understood(EAR, call).points if one.kind in kinds}

    for call in labelled(half):
        utterances = tuple(replace(one, text=written(one.text)) for one in call.utterances)
        assert told(replace(call, utterances=utterances)) == told(call), utterances


def written(text: str) -> str:
    """As people write it, roughly."""
    return re.sub("[零一幺二三四五六七八九]{4,}", lambda run: digitised(run.group()), text) + "。"


@pytest.mark.parametrize(
    ("words", "alarm"),
    [
        ("着火了快来", True),
        ("没有着火就是有点烟", False),
        ("没有人受伤", False),
        ("怕以后漏气了怎么办", False),
        ("要是着火了谁负责", False),
        ("昨天就漏气了现在还在漏", True),
        ("我想拨打人工服务", False),
        ("一起火锅店开业", False),
        ("煤气泄漏了", True),
        ("他要自杀", True),
        ("有人在打人", True),
    ],
)
def test_danger_is_told_only_when_it_is_there_now(words: str, alarm: bool) -> None:
    """Denied, feared, past and everyday words alarm nobody."""
    assert (value(PointKind.URGENT, words) is not None) is alarm


@pytest.mark.parametrize(
    ("said", "alarm"),
    [
        (["你们都是白痴"], True),
        (["他骂我白痴"], False),
        (["邻居天天骂我", "王八蛋什么的"], False),
        (["老公他妈的社保卡怎么办"], False),
        (["废物回收站在哪"], False),
    ],
)
def test_abuse_that_is_quoted_is_nobodys(said: list[str], alarm: bool) -> None:
    """A caller who tells what others said, also in the sentence before, abuses no agent."""
    assert (value(PointKind.ABUSIVE, *said) is not None) is alarm


def test_agents_words_are_no_callers() -> None:
    """An agent who asks whether it burns, or offers to take a complaint, decides nothing."""
    call = CallReading(EAR)
    call.take(Utterance(Side.AGENT, 1, "请问是着火了吗您要投诉吗"))
    assert {point.kind for point in call.understood(ended=False).points}.isdisjoint(
        {PointKind.URGENT, PointKind.REQUEST_TYPE}
    )


def test_the_callers_words_weigh_as_much_when_the_agent_said_them_first() -> None:
    """What the agent brings up weighs less; once the caller says it too, it weighs in full, and once."""
    call = CallReading(EAR)
    call.take(Utterance(Side.AGENT, 1, "是公积金的事吗"))
    (topic,) = call.understood(ended=False).points
    call.take(Utterance(Side.CALLER, 1, "对公积金"))
    (surer,) = call.understood(ended=False).points
    call.take(Utterance(Side.CALLER, 2, "公积金公积金"))
    (same,) = call.understood(ended=False).points
    assert topic.score < surer.score == same.score and len(same.cites) == 3


def test_a_denied_type_is_taken_back() -> None:
    """不是投诉 is none, however often the word falls."""
    assert value(PointKind.REQUEST_TYPE, "我不是投诉我不是来投诉的我就想问一下几点上班") == "enquiry"
    assert value(PointKind.REQUEST_TYPE, "我要投诉") == "complaint"


def test_a_call_is_invalid_only_once_it_is_over() -> None:
    """Good day alone is how every call begins."""
    assert value(PointKind.REQUEST_TYPE, "喂你好", ended=False) is None
    assert value(PointKind.REQUEST_TYPE, "喂你好") == "invalid"
    assert CallReading(EAR).understood(ended=True).points == ()


def test_the_line_tips_the_scales_but_decides_nothing() -> None:
    """The same words lean to the topic of the line they were said on; without words a line says nothing."""
    assert value(PointKind.TOPIC, "过期了怎么办", lines=("12345", "12315")) == "食品药品"
    assert value(PointKind.TOPIC, "我想问一下", lines=("12329",)) is None


def test_a_text_that_is_replaced_or_taken_back_leaves_nothing() -> None:
    """Utterance 1 was heard wrongly: what it spoke for goes with it."""
    call = reading("着火了")
    assert call.take(Utterance(Side.CALLER, 1, "找货了")) == ()
    assert PointKind.URGENT not in {point.kind for point in call.understood(ended=True).points}
    call.take(Utterance(Side.CALLER, 1, ""))
    assert call.understood(ended=True).points == ()


def test_a_site_adds_and_takes_away() -> None:
    """A topic of its own, a phrase and a line for a known one, an alarm more, another less."""
    section = UnderstandingSection(
        topics=(TopicRule(name="轨道建设", strong=("盾构",)), TopicRule(name="供水", phrases=("水龙头",))),
        urgent=("龙舟翻了",),
        without=("爆炸", "心理援助"),
    )
    ear = Ear(rules_of(section))
    points = reading("盾构把水龙头震坏了", "龙舟翻了", "爆炸", ear=ear).understood(ended=True).points
    assert [one.value for one in points if one.kind is PointKind.URGENT] == ["龙舟翻了"]
    assert next(one.value for one in points if one.kind is PointKind.TOPIC) == "轨道建设"
    assert "心理援助" not in {topic.name for topic in ear.rules.topics}


def test_topics_weigh_lines_that_exist() -> None:
    """Every line that a shipped topic names is in the catalogue of special lines."""
    known = {line.label for line in catalogue()}
    assert {line for topic in shipped_rules().topics for line in topic.lines} <= known


def test_the_summary_and_what_is_offered_to_the_draft() -> None:
    """Type, topic, telling sentences, place, no telephone's number; each with what it rests on."""
    call = reading(
        "我要投诉人民路二百六十号的阳光健身房",
        "充了三千元的卡现在关门了不给退钱我电话是一三八零零零零一二三四",
        "我叫张伟",
        lines=("12315",),
    )
    points = call.understood(ended=True).points
    summary = next(point for point in points if point.kind is PointKind.SUMMARY)
    assert summary.value.startswith("投诉·消费维权：我要投诉人民路二百六十号的阳光健身房")
    assert "一三八" not in summary.value and "138" not in summary.value
    assert Cite(Side.CALLER, 1) in summary.cites
    offered = {one.field: one.value for one in proposals_of(points, EAR.things.is_platform)}
    assert offered == {
        "name": "张伟",
        "phone": "13800001234",
        "request_type": "complaint",
        "address": "人民路二百六十号",
        "title": "人民路二百六十号消费维权",
        "content": summary.value,
        "price": "三千元",
    }


def test_no_text_takes_long_whatever_is_said() -> None:
    """Long texts, texts made to be slow, and very long calls: nothing grows with the square of what is said.

    A hundred times what they take: only a rule that runs away is found here, and never a busy machine.
    """
    hostile = [
        one * 3_000 for one in ("拖欠", "一", "我叫", "路", "1", "不", "a-", "…", "二百", "一号", "电话")
    ]
    call = CallReading(EAR, frozenset({"12345"}))
    for text in hostile:
        began = time.process_time()
        call.take(Utterance(Side.CALLER, 1, text))
        assert time.process_time() - began < 1.5, text[:4]
    began = time.process_time()
    for number in range(1, MOST_UTTERANCES + 200):
        call.take(Utterance(Side.CALLER, number, "我要投诉人民路二百六十号健身房关门了不给退钱"))
    assert time.process_time() - began < 15
    began = time.process_time()
    assert len(call.heard("c1").utterances) == MOST_UTTERANCES
    call.understood(ended=True)
    assert time.process_time() - began < 1.5
