"""The live text and the second one beside each other."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.core.events import Side
from hotline.core.text_diff import Piece, compare
from hotline.core.views import Segment

AT = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)


def said(start: float, end: float, text: str, side: Side = Side.CALLER, written: str = "") -> Segment:
    return Segment("c1", side, 1, 1, text, True, start, end, 0.9, AT, "", written)


SEGMENTS = st.lists(
    st.builds(
        lambda start, length, text, side: said(start, start + length, text, side),
        st.integers(0, 30), st.integers(1, 5), st.text("社保卡公积金", max_size=8), st.sampled_from(Side),
    ),
    max_size=8,
)  # fmt: skip


def test_what_differs_is_marked_and_counted() -> None:
    """A changed character is marked on both sides, one that is missing on the side that has it."""
    found = compare([said(0, 2, "我要办设保卡")], [said(0, 2.1, "我要补办社保卡")])
    [row] = found.rows
    assert [piece.text for piece in row.live if not piece.same] == ["设"]
    assert [piece.text for piece in row.second if not piece.same] == ["补", "社"]
    assert found.differed == pytest.approx(2 / 7)


def test_utterances_cut_elsewhere_are_compared_together() -> None:
    """Two utterances that the other version has as one make one row; the sides stay apart."""
    live = [said(0, 2, "您好"), said(2.5, 5, "我要投诉"), said(1, 3, "请讲", Side.AGENT)]
    second = [said(0, 5, "您好我要投诉"), said(1, 3, "请讲", Side.AGENT)]
    found = compare(live, second)
    assert found.differed == 0
    assert [(row.side, row.live, row.second) for row in found.rows] == [
        (Side.CALLER, (Piece("您好我要投诉", True),), (Piece("您好我要投诉", True),)),
        (Side.AGENT, (Piece("请讲", True),), (Piece("请讲", True),)),
    ]


def test_what_people_read_is_compared() -> None:
    """Corrected words and numbers in digits, where both have them; other pauses do not count."""
    live = [said(0, 5, "社宝卡三十元", written="社保卡30元。")]
    second = [said(0, 2, "社保卡", written="社保卡，"), said(2, 5, "三十元", written="30元。")]
    found = compare(live, second)
    assert found.differed == 0
    assert "".join(piece.text for piece in found.rows[0].second) == "社保卡，30元。"
    assert [piece.text for piece in found.rows[0].second if not piece.same] == ["，"]


def test_a_version_that_is_known_as_heard_is_compared_with_what_was_heard() -> None:
    """Of a recording decoded by an earlier version of this program the written form is not known."""
    found = compare([said(0, 5, "三十元", written="30元。")], [said(0, 5, "三十元")])
    assert found.differed == 0
    assert "".join(piece.text for piece in found.rows[0].live) == "三十元"


def test_clocks_that_went_apart_are_no_difference() -> None:
    """The same words some seconds later stand in rows of their own, and the figure is that of the words."""
    found = compare([said(4, 5, "您好")], [said(0, 1, "您好")])
    assert (len(found.rows), found.differed) == (2, 0)


def test_what_only_one_version_heard_stands_alone() -> None:
    """Speech that was not heard live differs wholly; no text at all has no figure."""
    found = compare([], [said(3, 5, "喂")])
    assert (found.rows[0].live, found.rows[0].second, found.differed) == ((), (Piece("喂", False),), 1.0)
    assert compare([], []).differed is None


@given(SEGMENTS, SEGMENTS)
def test_no_word_of_either_version_is_lost(live: list[Segment], second: list[Segment]) -> None:
    """The rows hold every character of both versions once; the figure is a share and zero only if equal."""
    found = compare(live, second)
    for side in Side:
        rows = [row for row in found.rows if row.side is side]
        for segments, texts in ((live, [row.live for row in rows]), (second, [row.second for row in rows])):
            shown = "".join(piece.text for pieces in texts for piece in pieces)
            assert sorted(shown) == sorted("".join(one.text for one in segments if one.side is side))
    assert found.differed is None or 0 <= found.differed <= 1
    assert compare(live, live).differed in (None, 0)


def test_a_long_talk_without_a_pause_is_compared_in_parts() -> None:
    """A row does not grow without end: comparing would take the square of it."""
    live = [said(n, n + 1.5, "社保卡公积金" * 5) for n in range(100)]
    found = compare(live, live)
    assert found.differed == 0
    assert max(sum(len(piece.text) for piece in row.live) for row in found.rows) < 1_000
