"""Numbers of persons in texts, masked."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.core.events import Side
from hotline.core.sensitive import (
    mask_alone,
    mask_growing,
    mask_live,
    mask_numbers,
    mask_segments,
    numbers_put_back,
)
from hotline.core.views import Segment

AT = datetime(2026, 11, 2, tzinfo=UTC)


def said(utterance: int, text: str, written: str, side: Side = Side.CALLER) -> Segment:
    return Segment("c1", side, utterance, 1, text, True, utterance, utterance + 1, 0.9, AT, "", written)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("我的电话是幺三八零零幺三八零零零", "我的电话是幺三八****八零零零"),
        ("电话13800138000，谢谢。", "电话138****8000，谢谢。"),
        ("138 0013 8000", "138 **** 8000"),
        ("身份证44060219850315231X。", "身份证440***********231X。"),
        ("卡号6222021234567890123", "卡号622************0123"),
        ("座机83821234", "座机8*****34"),
        ("请拨打12345或者95588", "请拨打12345或者95588"),
        ("二零二六年三月五号", "二零二六年三月五号"),
        ("一共130000000元", "一共130000000元"),
        ("人民路260号3栋602室", "人民路260号3栋602室"),
        ("", ""),
    ],
)
def test_numbers_of_persons_are_masked_and_others_stay(text: str, masked: str) -> None:
    """Telephone, identity and bank card numbers, as heard and as written."""
    assert mask_numbers(text) == masked
    assert mask_numbers(masked) == masked


def test_an_edit_of_a_masked_text_loses_no_number() -> None:
    """What stands there still is whole again, each number in its place; what was taken out stays out."""
    whole = "电话13800138000或13811118000，座机83821234，身份证44060219850315231X。"
    shown = mask_numbers(whole)
    assert numbers_put_back(shown, whole) == whole
    assert numbers_put_back(f"已核实：{shown}请回电", whole) == f"已核实：{whole}请回电"
    assert numbers_put_back("座机8*****34，另13922223333", whole) == "座机83821234，另13922223333"
    assert numbers_put_back("138****8000", "8001280。13800138000") == "13800138000"


def test_a_number_said_in_pieces_is_hidden() -> None:
    """Over the other side's 嗯, and over a piece that is nothing else; a door's number stays."""
    shown = mask_segments(
        [
            said(1, "我电话幺三八零零", "我电话13800。"),
            said(1, "嗯", "嗯。", Side.AGENT),
            said(2, "幺三八", "138。"),
            said(3, "零零零谢谢", "000，谢谢。"),
            said(4, "五零二室", "502室。"),
            said(5, "五楼", "5楼。"),
        ]
    )
    assert [one.text for one in shown] == ["我电话*****", "嗯", "***", "***谢谢", "五零二室", "五楼"]
    assert [one.written for one in shown] == [
        "我电话*****。",
        "嗯。",
        "***。",
        "***，谢谢。",
        "502室。",
        "5楼。",
    ]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("我的电话是一三八", "我的电话是***"),
        ("二五六七。", "****。"),
        ("0013，谢谢", "****，谢谢"),
        ("我的电话是13800138000。", "我的电话是138****8000。"),
        ("您好，一二三四五热线", "您好，一二三四五热线"),
        ("幺二三三三热线", "幺二三三三热线"),
        ("请拨打110。", "请拨打110。"),
        ("12345。", "*****。"),
        ("502室", "502室"),
        ("他住在502室这边", "他住在502室这边"),
        ("138号码", "***号码"),
        ("欠了500元", "欠了500元"),
    ],
)
def test_a_text_by_itself_hides_pieces_of_numbers(text: str, masked: str) -> None:
    """What begins or ends it may go on in another text; services, doors and amounts stay."""
    assert mask_alone(text) == masked


@pytest.mark.parametrize(
    "number", ["13812341234", "幺三八一二三四一二三四", "440602198503152311", "83821234"]
)
def test_a_number_does_not_leak_while_it_is_said(number: str) -> None:
    """Of all partial texts together no more is seen than of the final one."""
    before = "我的电话是"
    final = mask_numbers(before + number)
    for size in range(len(number) + 1):
        for rest in ("", "对", "，谢谢"):
            partial = mask_growing(before + number[:size] + rest)
            assert len(partial) == len(before) + size + len(rest)
            seen = {at for at, one in enumerate(partial) if one != "*"} & set(
                range(len(before), len(before) + size)
            )
            assert all(final[at] != "*" for at in seen)


def test_a_service_is_shown_in_a_partial_text_once_it_is_whole() -> None:
    """While it grows it may become anything."""
    assert [mask_growing(one) for one in ("您好一二三四五", "您好一二三四五热")] == [
        "您好*****",
        "您好一二三四五热",
    ]


def test_masking_a_live_text_takes_microseconds() -> None:
    """Both forms of a usual text."""
    one = said(1, "我的电话是幺三八零零幺三八零零零麻烦您记一下", "我的电话是13800138000，麻烦您记一下。")
    began = time.thread_time()
    for _ in range(1_000):
        mask_live(one)
    assert time.thread_time() - began < 0.1  # a tenth of a millisecond each, on a slow machine


@given(st.lists(st.text("0一2幺三X,，。 元a", max_size=12), max_size=6))
def test_masking_changes_digits_alone(texts: list[str]) -> None:
    """Lengths and all other characters stay; seven digits in a row that are no amount never remain."""
    segments = [said(number, text, text) for number, text in enumerate(texts)]
    for before, after in zip(segments, mask_segments(segments), strict=True):
        assert len(before.text) == len(after.text)
        for one, other in zip(before.text, after.text, strict=True):
            assert one == other or (other == "*" and one in "0一2幺三X")


def test_a_long_text_is_masked_soon() -> None:
    """No text makes the search go over it again and again."""
    began = time.thread_time()
    for text in ("1" * 20_000 + "元", "1," * 10_000 + "元", "11元" * 7_000):
        mask_segments([said(1, text, text), said(2, text, text)])
    assert time.thread_time() - began < 0.5
