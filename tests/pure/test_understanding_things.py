"""What a call names: how it is said, how it is written, and what only looks like it."""

from __future__ import annotations

import pytest

from hotline.asr.understanding.matching import PhraseBook, plain
from hotline.asr.understanding.things import Things
from hotline.config.understanding import shipped_rules

THINGS = Things(shipped_rules().things)


def found(text: str, asked: str = "") -> list[tuple[str, str]]:
    return sorted((one.kind.value, one.value) for one in THINGS.find(plain(text), asked))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我电话一三八零零零零一二三四", [("phone", "13800001234")]),
        ("我的电话是13800001234。", [("phone", "13800001234")]),
        ("手机幺三九 五五五零 幺二三四", [("phone", "13955501234")]),
        ("座机是0757-82345678", [("phone", "0757-82345678")]),
        ("我打的一二三四五", []),
        ("身份证号四四零一零六一九八零零一零一一二三四", []),
        ("办件编号是2026-1100-12345", [("case_number", "2026-1100-12345")]),
        ("工单号零零二三八八七六一", [("case_number", "002388761")]),
        ("订单号jd二零二六零三八八九九", [("order_number", "JD2026038899")]),
        ("一共花了三千二百块钱", [("amount", "三千二百块钱")]),
        ("退我1,280.50元", [("amount", "1,280.50元")]),
        ("十八万元的工程款", [("amount", "十八万元")]),
        ("我们一块去的", []),
        ("住在朝阳区人民路二百六十号三栋五零二室", [("place", "朝阳区人民路二百六十号三栋五零二室")]),
        ("在东风大道15号楼旁边", [("place", "东风大道15号楼")]),
        ("阳光花园小区没水", [("place", "阳光花园小区")]),
        ("小区门口那条马路", []),
        ("我在路上走路", []),
        ("这个医院", []),
        ("海天酒店的饭", [("company", "海天酒店")]),
        ("恒大物业有限公司", [("company", "恒大物业有限公司")]),
        ("我们公司不发工资", []),
        ("拼多多上买的", [("company", "拼多多")]),
        ("我叫王建国住在这", [("name", "王建国")]),
        ("我叫欧阳雪", [("name", "欧阳雪")]),
        ("好的李女士", [("name", "李女士")]),
        ("我姓陈", [("name", "陈")]),
        ("我很高兴", []),
        ("昨天晚上八点半停的", [("date", "昨天晚上八点半")]),
        ("二零二六年三月五号买的", [("date", "二零二六年三月五号")]),
        ("2026年3月5日签的", [("date", "2026年3月5日")]),
        ("干了三个月", []),
        ("坐一号线", []),
    ],
)
def test_things_are_named(text: str, expected: list[tuple[str, str]]) -> None:
    """As it was said, whole, and nothing that is a common word."""
    assert found(text) == expected


def test_a_number_alone_is_what_was_asked_for() -> None:
    """The agent asks for a number, the caller says but that; card and identity numbers are never kept."""
    assert found("八八六六二零二六零九一五", "请报一下订单号") == [("order_number", "886620260915")]
    assert found("二零二六一零零一二三", "办件编号是多少") == [("case_number", "2026100123")]
    assert found("四四零一零六一九八零零一零一一二三四", "您的身份证号码是") == []
    assert found("八八六六二零二六零九一五") == []


def test_phrases_with_a_gap_stay_within_a_clause() -> None:
    """At most six characters between, none of them the end of a sentence; the longer of two nested ones."""
    book = PhraseBook(["拖欠…工资", "社保", "社保卡"])
    assert [one.phrase for one in book.find("拖欠我们半年工资")] == ["拖欠…工资"]
    assert book.find("拖欠。工资") == [] and book.find("拖欠我们这些人大半年的工资") == []
    assert [one.phrase for one in book.find("社保卡和社保")] == ["社保卡", "社保"]
