"""A call's text as text, SRT and JSON."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from hotline.core.events import Outcome, Side
from hotline.core.transcript_files import (
    CAPTION_CHARACTERS,
    CallText,
    FileKind,
    as_shown,
    cut,
    file_name,
    write_file,
)
from hotline.core.views import CallSummary, Segment

AT = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
CALL = CallSummary(
    "node1-1.1", "12345", "12345", "138****1234", (), AT, Outcome.ANSWERED, "a1", 3.0, 60.0
)  # fmt: skip
BLOCK = re.compile(
    r"(\d+)\n(\d\d):(\d\d):(\d\d),(\d{3}) --> (\d\d):(\d\d):(\d\d),(\d{3})\n([^\n]+)\n(?:\n|\Z)"
)


def said(side: Side, start: float, end: float, text: str, *, final: bool = True, party: str = "") -> Segment:
    return Segment("node1-1.1", side, 1, 1, text, final, start, end, 0.9, AT, party)


def of(*segments: Segment, language: str = "zh-CN") -> CallText:
    return CallText(CALL, segments, {"a1": "张三"}, ZoneInfo("Asia/Shanghai"), language)


def captions(text: CallText) -> list[tuple[int, int, str]]:
    """What a player makes of the file: from and up to in milliseconds, and the words."""
    srt = write_file(text, FileKind.SRT)
    found = list(BLOCK.finditer(srt))
    assert "".join(one[0] for one in found) == srt, "something in the file is no caption"
    assert [int(one[1]) for one in found] == list(range(1, len(found) + 1))
    times = [[int(part) for part in one.groups()[1:9]] for one in found]
    clocks = [
        (((h * 60 + m) * 60 + s) * 1000 + ms, ((h2 * 60 + m2) * 60 + s2) * 1000 + ms2)
        for h, m, s, ms, h2, m2, s2, ms2 in times
    ]
    return [(*clock, one[10]) for clock, one in zip(clocks, found, strict=True)]


def test_captions_name_both_sides_and_may_overlap() -> None:
    """Two who speak at once have captions at once, in the order of their beginnings."""
    text = of(
        said(Side.AGENT, 3599.5, 3602.25, "您好", party="a1"),
        said(Side.CALLER, 3601.0, 3603.0, "我要投诉"),
    )
    assert captions(text) == [
        (3_599_500, 3_602_250, "坐席 张三：您好"),
        (3_601_000, 3_603_000, "来电人：我要投诉"),
    ]


@given(
    st.lists(
        st.builds(
            said,
            st.sampled_from(Side),
            st.floats(-1, 9000),
            st.floats(-1, 9000),
            st.text("社保，。 卡a1\n\r-->\u2028", min_size=1, max_size=150),
        ),
        max_size=6,
    )
)
def test_captions_are_valid_whatever_was_said(segments: list[Segment]) -> None:
    """Every caption has words of a readable length, and an end after its beginning."""
    found = captions(of(*segments))
    assert all(start < end for start, end, _ in found)
    assert [start for start, _, _ in found] == sorted(start for start, _, _ in found)
    words = [text.partition("：")[2] for _, _, text in found]
    assert all(1 <= len(one) <= CAPTION_CHARACTERS for one in words)


@given(st.text("社保，。！卡", max_size=300))
def test_a_cut_loses_nothing(text: str) -> None:
    """The pieces of an utterance are the utterance."""
    assert "".join(cut(text, 36)) == text


def test_long_utterances_are_cut_after_punctuation_and_take_turns() -> None:
    """Captions of one utterance follow each other without a gap, cut where a sentence ends if one does."""
    sentence = "我上个星期在银行办了社保卡，到现在还没有收到。"
    found = captions(of(said(Side.CALLER, 0, 10, sentence + "请你们帮我查一下是什么原因，谢谢你啊。")))
    assert [text for _, _, text in found] == [
        f"来电人：{sentence}",
        "来电人：请你们帮我查一下是什么原因，谢谢你啊。",
    ]
    assert found[0][1] == found[1][0] and found[1][1] == 10_000


def test_text_and_json_say_who_and_when() -> None:
    """The plain file reads like a play; the JSON has the same with numbers."""
    text = of(said(Side.CALLER, 65.2, 68, "社保卡\n丢了"), said(Side.AGENT, 70, 71, "好的", party="8002"))
    assert write_file(text, FileKind.TEXT) == (
        "node1-1.1  12345  2026-11-02 09:00:00+0800  138****1234\n\n"
        "[01:05] 来电人：社保卡 丢了\n[01:10] 坐席 8002：好的\n"
    )
    whole = json.loads(write_file(text, FileKind.JSON))
    assert [(one["speaker"], one["start"], one["text"]) for one in whole["segments"]] == [
        ("来电人", 65.2, "社保卡\n丢了"),
        ("坐席 8002", 70, "好的"),
    ]
    assert file_name(text, FileKind.SRT) == "通话文字_12345_20261102-090000.srt"
    assert file_name(of(language="en"), FileKind.TEXT) == "transcript_12345_20261102-090000.txt"


def test_unfinished_texts_stay_out_and_long_numbers_can_be_hidden() -> None:
    """What is still being heard is in no file; who may not see numbers gets as many stars."""
    heard = [said(Side.CALLER, 1, 2, "电话13812345678"), said(Side.CALLER, 3, 4, "还", final=False)]
    assert [one.text for one in as_shown(heard, whole=True)] == ["电话13812345678"]
    assert [one.text for one in as_shown(heard, whole=False)] == ["电话138****5678"]
