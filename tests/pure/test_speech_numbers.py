"""Numbers in Chinese text are written as a person says them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.speech.numbers import read_digits, read_quantity, spell_out_numbers


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("请拨12345热线", "请拨一二三四五热线"),
        ("按1", "按一"),
        ("工号1001为您服务", "工号一零零一为您服务"),
        ("13800138000", "一三八零零一三八零零零"),
        ("138-0013 8000", "一三八零零一三八零零零"),
        ("人民路260号", "人民路二百六十号"),
        ("押金200元", "押金二百元"),
        ("12000元", "一万二千元"),
        ("3.5元", "三点五元"),
        ("95.50%", "百分之九十五点五零"),
        ("等了2个小时", "等了两个小时"),
        ("2026年10月3日", "二零二六年十月三日"),
        ("8:30开门", "八点三十分开门"),
        ("2:00", "两点整"),
        ("9:05", "九点零五分"),
        ("0号键", "零号键"),
        ("007号", "零零七号"),
        ("１２３１５", "一二三一五"),
        ("没有数字", "没有数字"),
        ("", ""),
    ],
)
def test_written_numbers_are_read_aloud(written: str, said: str) -> None:
    """Names are read digit by digit, quantities as numerals, times and years their own way."""
    assert spell_out_numbers(written) == said


def test_telephone_one() -> None:
    """A phone number's 1 is 幺 when asked for, a quantity's never is."""
    assert spell_out_numbers("拨12315，付11元", one="yao") == "拨幺二三幺五，付十一元"


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_any_text_loses_its_ascii_digits(text: str) -> None:
    """Whatever the text, it neither fails nor keeps a digit that espeak would have to guess at."""
    assert not any(character in "0123456789" for character in spell_out_numbers(text))


@given(st.integers(0, 10**12 - 1))
def test_quantities_need_no_digits(number: int) -> None:
    """Every whole number below a trillion has a reading."""
    assert read_quantity(str(number)).strip("零一二三四五六七八九十百千万亿") == ""


@pytest.mark.parametrize("text", ["", "12a", "²", "１"])
def test_not_digits(text: str) -> None:
    """Anything but ASCII digits is refused."""
    with pytest.raises(ValueError, match="digits"):
        read_digits(text)


@pytest.mark.parametrize("text", ["", "x", "1" * 13])
def test_not_a_quantity(text: str) -> None:
    """A number too long to be a numeral is refused."""
    with pytest.raises(ValueError, match="quantity"):
        read_quantity(text)
