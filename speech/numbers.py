"""Digits in Chinese text, written the way a person says them.

A number in a hotline's sentence is either a name (12345, a phone number, a staff number), which is read digit
by digit, or a quantity (200元, 3个月), which is read as a numeral. What follows the digits decides.
"""

from __future__ import annotations

import re
from typing import Literal

__all__ = ["OneReading", "read_digits", "read_quantity", "spell_out_numbers"]

OneReading = Literal["yi", "yao"]
"""How a 1 inside a digit-by-digit number is said: 一 (yi) or the telephone's 幺 (yao)."""

_DIGITS = "零一二三四五六七八九"
_FULL_WIDTH = {ord("０") + n: ord("0") + n for n in range(10)} | {ord("．"): ord("."), ord("％"): ord("%")}

# Characters that make the number before them a quantity. 年 is left out: a year is read digit by digit.
_MEASURES = frozenset(
    "元块角毛分个位次件条张辆台名人户岁天日月周星小时秒点刻号栋幢座楼层单室门路弄斤公克吨米平里度只家起项份页倍级万亿千百多余"
)
# Before these a bare 2 is 两, not 二.
_TWO_IS_LIANG = frozenset("个位次件条张辆台名户天周小斤家起项份只块层米里倍")
_MAX_QUANTITY_DIGITS = 12

_TIME = re.compile(r"(?<!\d)([01]?\d|2[0-4])[:：]([0-5]\d)(?![\d:：])")
_YEAR = re.compile(r"(?<!\d)(\d{4}|\d{2})年")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_DECIMAL = re.compile(r"(?<![\d.])(\d+)\.(\d+)(?![\d.])")
_DIGIT_GROUPS = re.compile(r"(?<=\d)[- ](?=\d)")
_INTEGER = re.compile(r"\d+")


def read_digits(digits: str, *, one: OneReading = "yi") -> str:
    """Return ASCII ``digits`` read one by one: ``12345`` is 一二三四五.

    Raises:
        ValueError: if anything but 0-9 is in ``digits``.
    """
    if not digits.isascii() or not digits.isdigit():
        raise ValueError(f"not a string of digits: {digits!r}")
    spoken = "".join(_DIGITS[int(digit)] for digit in digits)
    return spoken.replace("一", "幺") if one == "yao" else spoken


def read_quantity(digits: str) -> str:
    """Return ASCII ``digits`` (a decimal point allowed) read as a numeral: ``260`` is 二百六十.

    Raises:
        ValueError: if ``digits`` is not a number.
    """
    whole, _, fraction = digits.partition(".")
    if not whole.isdigit() or len(whole) > _MAX_QUANTITY_DIGITS:
        raise ValueError(f"not a number that is read as a quantity: {digits!r}")
    import cn2an  # slow to import: only for who speaks

    spoken = str(cn2an.an2cn(str(int(whole)), "low"))
    return f"{spoken}点{read_digits(fraction)}" if fraction else spoken


def spell_out_numbers(text: str, *, one: OneReading = "yi") -> str:
    """Return ``text`` with every number written as it is said.

    Times (8:30), years, percentages and decimals have their own readings. A whole number is a quantity when a
    measure word follows or when it has one or two digits; otherwise, and always with a leading zero, it is
    read digit by digit.
    """
    text = text.translate(_FULL_WIDTH)
    text = _TIME.sub(_time, text)
    text = _YEAR.sub(lambda match: read_digits(match[1]) + "年", text)
    text = _PERCENT.sub(lambda match: "百分之" + _quantity_or_digits(match[1], one), text)
    text = _DECIMAL.sub(lambda match: _quantity_or_digits(match[0], one), text)
    text = _DIGIT_GROUPS.sub("", text)
    return _INTEGER.sub(lambda match: _integer(match, one), text)


def _time(match: re.Match[str]) -> str:
    hour, minute = match[1], match[2]
    spoken = ("两" if int(hour) == 2 else read_quantity(hour)) + "点"
    if minute == "00":
        return spoken + "整"
    return spoken + ("零" if minute[0] == "0" else "") + read_quantity(minute) + "分"


def _quantity_or_digits(digits: str, one: OneReading) -> str:
    whole, point, fraction = digits.partition(".")
    if len(whole) <= _MAX_QUANTITY_DIGITS:
        return read_quantity(digits)
    return read_digits(whole, one=one) + ("点" + read_digits(fraction) if point else "")


def _integer(match: re.Match[str], one: OneReading) -> str:
    digits = match[0]
    follows = match.string[match.end() : match.end() + 1]
    named = digits[0] == "0" and len(digits) > 1
    if named or len(digits) > _MAX_QUANTITY_DIGITS or not (len(digits) <= 2 or follows in _MEASURES):
        return read_digits(digits, one=one)
    if digits == "2" and follows in _TWO_IS_LIANG:
        return "两"
    return read_quantity(digits)
