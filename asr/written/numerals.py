"""Spoken Chinese numerals: which characters they are, which runs of them are numbers, and their values.

A run is read digit by digit (幺三八零零…) or as a quantity (三百二十). What is neither, such as 三四百 or
二百五, is approximate or a word of its own and has no value here.
"""

from __future__ import annotations

import re
from typing import Final

DIGITS: Final = "零〇一二三四五六七八九幺"
NUMERALS: Final = DIGITS + "两十百千万亿"
UNITS: Final = frozenset("十百千万亿")

_TO_ASCII: Final = str.maketrans(DIGITS, "001234567891")
_D = "[一二三四五六七八九]"
_L = "[一二两三四五六七八九]"
_TENS = f"{_D}?十{_D}?"
_HUNDREDS = f"{_L}百(?:零{_D}|零?{_TENS})?"
_THOUSANDS = f"{_L}千(?:{_HUNDREDS}|零(?:{_TENS}|{_D}))?"
_SMALL = f"(?:{_THOUSANDS}|{_HUNDREDS}|{_TENS}|{_L})"
_REST = f"(?:{_THOUSANDS}|零(?:{_HUNDREDS}|{_TENS}|{_D}))?"
_MYRIADS = f"{_SMALL}万{_REST}"
QUANTITY: Final = f"(?:{_SMALL}亿(?:{_MYRIADS}|{_REST})|{_MYRIADS}|{_SMALL}|零)"
_QUANTITY: Final = re.compile(QUANTITY)
_SHORTENED: Final = re.compile(f"(?:{_L}百|{_L}千|{_SMALL}万){_D}")
_ROUND: Final = re.compile(f"({_SMALL})([万亿])")


def digits_of(run: str) -> str | None:
    """The ASCII digits of a run that is read digit by digit; None for any other."""
    if not run or not all(character in DIGITS for character in run):
        return None
    return run.translate(_TO_ASCII)


def value_of(run: str) -> int | None:
    """The value of a run that is a whole quantity; None for any other."""
    return _value(run) if _QUANTITY.fullmatch(run) else None


def shortened_value_of(run: str) -> int | None:
    """The value of a quantity whose last unit is left out, as before 块: 三百五 is 350, 三万五 35000."""
    return _value(run) if _SHORTENED.fullmatch(run) else None


def quantity_as_written(run: str) -> str | None:
    """A quantity as people write it: 3520, but 3万 and 120亿 for round ones; None for what is none."""
    if (whole := _ROUND.fullmatch(run)) is not None:
        return f"{_value(whole[1])}{whole[2]}"
    value = value_of(run)
    return None if value is None else str(value)


def decimal_as_written(whole: str, fraction: str) -> str | None:
    """三 and 一四 as 3.14; the fraction may end in 万 or 亿. None when this is no decimal."""
    unit = fraction[-1] if fraction[-1:] in ("万", "亿") else ""
    digits, value = digits_of(fraction.removesuffix(unit)), value_of(whole)
    if digits is None or value is None:
        return None
    return f"{value}.{digits}{unit}"


def _value(run: str) -> int:
    import cn2an  # slow to import: only for who writes numbers

    return int(cn2an.cn2an(run, "smart"))
