"""Texts as people write them: numbers, marks, corrections."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.asr.engine import Word
from hotline.asr.text import UNCLEAR, join_words
from hotline.asr.written import writer as writing
from hotline.asr.written.numbers import spans_of
from hotline.asr.written.numerals import digits_of, value_of
from hotline.asr.written.spoken import Spoken
from hotline.asr.written.writer import MAX_CHARACTERS, Writer

PAIRS = [
    tuple(line.split("\t"))
    for line in (Path(__file__).parents[1] / "fixtures/written_pairs.tsv").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]
MARKS = re.compile("[，。？]")
HOTLINE_SPEECH = st.text(
    "零〇一二三四五六七八九幺两十百千万亿点分之第周号月日年元块室楼路吗但是〈听不清〉xX粤aB1 ", max_size=40
)


def spoken(*words: tuple[str, float, float]) -> tuple[str, list[Word]]:
    """A text and its words, each with start and end."""
    return join_words(text for text, _, _ in words), [Word(*one, 0.9) for one in words]


def read_quantity(numeral: str) -> int:
    """What a numeral means, by plain addition: this test's own reading."""
    total = section = digit = 0
    for character in numeral.replace("零", ""):
        if character in "十百千":
            section += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[character]
            digit = 0
        elif character == "万":
            total, section, digit = total + (section + digit) * 10_000, 0, 0
        elif character == "亿":
            total, section, digit = (total + section + digit) * 10**8, 0, 0
        else:
            digit = 2 if character == "两" else int(digits_of(character) or 0)
    return total + section + digit


def readings(said: str) -> set[int]:
    """A numeral's value, and what it means when its last unit was left out: 三百五 is 350 too."""
    whole, last = read_quantity(said), digits_of(said[-1])
    if last is None:
        return {whole}
    unit = {"百": 10, "千": 100, "万": 1_000}.get(said[-2:-1], 1)
    return {whole, read_quantity(said[:-1]) + int(last) * unit}


@pytest.mark.parametrize(("heard", "written"), PAIRS, ids=[heard for heard, _ in PAIRS])
def test_hotline_speech_is_written_as_people_write_it(heard: str, written: str) -> None:
    """The table of examples, traps included."""
    assert Writer().write(heard) == written


def test_the_table_is_worth_its_name() -> None:
    """Enough examples, none of them twice."""
    assert len({heard for heard, _ in PAIRS}) == len(PAIRS) >= 120


@given(st.text(max_size=60) | HOTLINE_SPEECH)
def test_nothing_is_lost_or_invented(text: str) -> None:
    """Marks apart, what is no number stays; every number is one that was said, with its value."""
    spans = spans_of(text)
    for before, after in pairwise(spans):
        assert before.end <= after.start
    for span in spans:
        said, written = text[span.start : span.end], span.written
        digits = "".join(digits_of(one) or one for one in said if not one.isspace())
        if re.fullmatch("[0-9]+", written):
            assert digits == written or int(written) in readings(said), (said, written)
        elif (round_number := re.fullmatch("([0-9]+)([万亿])", written)) is not None:
            assert read_quantity(said) == read_quantity("一" + round_number[2]) * int(round_number[1])
        else:  # percentages, decimals, times, plates, identity cards, and a weekday before a number
            assert sum(map(str.isdigit, written)) <= 3 * sum(one in text for one in said) + 2
            assert set(re.sub("[0-9.%‰]", "", written)) <= set(said.upper()) | set("X"), (said, written)
    replaced = Spoken(text).replaced(spans).text
    assert MARKS.sub("", Writer().write(text)).replace(" ", "") == MARKS.sub("", replaced).replace(" ", "")


@given(st.text(max_size=80) | HOTLINE_SPEECH)
def test_a_written_text_stays_as_it_is(text: str) -> None:
    """Writing twice is writing once."""
    written = Writer().write(text)
    assert Writer().write(written) == written


@given(st.integers(1, 10**12 - 1))
def test_every_quantity_is_read_right(number: int) -> None:
    """Read aloud by the speech room's reader and written again."""
    import cn2an

    aloud = cn2an.an2cn(number, "low")
    assert value_of(aloud) in (number, None)
    written = Writer().write(f"欠{aloud}元")
    if value_of(aloud) is not None:
        assert read_quantity(aloud) == number
        assert written in (f"欠{number}元。", f"欠{number // 10**4}万元。", f"欠{number // 10**8}亿元。")


@given(st.text(max_size=30), st.lists(st.tuples(st.text(max_size=5), st.floats(), st.floats()), max_size=8))
def test_no_words_make_it_fail(text: str, words: list[tuple[str, float, float]]) -> None:
    """Words that are not those of the text, or times that are none, cost the pauses, not the text."""
    assert isinstance(Writer({"社宝": "社保"}).write(text, [Word(*one, None) for one in words]), str)


def test_a_pause_between_words_is_a_comma() -> None:
    """Not after a word that wants another one, not inside a number."""
    text, words = spoken(("路灯", 0, 0.4), ("坏了", 0.4, 0.8), ("没有", 1.2, 1.5), ("人", 1.5, 1.7))
    assert Writer().write(text, words) == "路灯坏了，没有人。"
    text, words = spoken(("我", 0, 0.4), ("想", 0.8, 1.0), ("问", 1.0, 1.5))
    assert Writer().write(text, words) == "我想问。"
    text, words = spoken(
        ("幺三八", 0, 0.5), ("零零一三", 1.0, 1.5), ("八零零零", 2.0, 2.5), ("谢谢", 2.9, 3.1)
    )
    assert Writer().write(text, words) == "13800138000，谢谢。"


def test_a_breath_ends_a_clause_that_is_long_enough() -> None:
    """As between the clauses of a sentence read aloud; not after two characters."""
    text, words = spoken(("路灯", 0, 0.4), ("坏了", 0.4, 0.8), ("已经", 0.95, 1.2), ("一年了", 1.2, 1.5))
    assert Writer().write(text, words) == "路灯坏了，已经一年了。"
    text, words = spoken(("今天", 0, 0.4), ("停水", 0.55, 0.8), ("一天", 0.8, 1.2))
    assert Writer().write(text, words) == "今天停水一天。"


def test_a_question_inside_gets_its_mark() -> None:
    """吗 and a pause."""
    text, words = spoken(
        ("有人", 0, 0.4), ("吗", 0.4, 0.6), ("我", 1.0, 1.1), ("等", 1.1, 1.2), ("很久", 1.2, 1.5)
    )
    assert Writer().write(text, words) == "有人吗？我等很久。"


def test_unclear_words_that_became_one_keep_the_pauses_right() -> None:
    """The text has one 〈听不清〉 for several of the recogniser's."""
    text, words = spoken((UNCLEAR, 0, 0.2), (UNCLEAR, 0.2, 0.5), ("停水", 0.9, 1.3), ("了", 1.3, 1.4))
    assert Writer().write(text, words) == f"{UNCLEAR}，停水了。"


def test_corrections_come_first() -> None:
    """The longest that begins at a place holds; a corrected word may stand in a number's way no longer."""
    writer = Writer({"社宝": "社保", "社宝卡": "社保卡", "攻击金": "公积金"})
    assert writer.write("社宝卡和攻击金怎么提取") == "社保卡和公积金怎么提取？"
    assert Writer({"五冻": "五栋"}).write("我住五冻三单元") == "我住5栋3单元。"


def test_a_text_with_marks_of_its_own_keeps_them() -> None:
    """An engine that punctuates writes by itself; corrections hold all the same."""
    assert Writer({"社宝": "社保"}).write("您好，社宝卡三十元。") == "您好，社保卡三十元。"


def test_another_language_stays() -> None:
    """Marks of Chinese are not for English."""
    assert Writer().write("i want to ask about my card") == "i want to ask about my card"


def test_a_fault_leaves_the_text_as_heard(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And what was said is not in the log."""

    def fail(text: str) -> Sequence[object]:
        raise RuntimeError(text)

    monkeypatch.setattr(writing, "spans_of", fail)
    assert Writer().write("三百元") == "三百元"
    assert "RuntimeError" in caplog.text
    assert "三百" not in caplog.text


@pytest.mark.parametrize(
    "part", ["是", "还是", "一", "一点", "一百", "零一点", "粤a", "百分之", "周", "因为", "再见", "元"]
)
def test_the_time_it_takes_is_bounded(part: str) -> None:
    """The longest text that is written, of what might go wrong; a longer one is not looked at."""
    text = part * (MAX_CHARACTERS // len(part))
    writing.load()
    began = time.thread_time()
    Writer().write(text)
    assert time.thread_time() - began < 0.2
    assert Writer().write("三百元" * MAX_CHARACTERS) == "三百元" * MAX_CHARACTERS
