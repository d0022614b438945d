"""Numbers that are names: telephones and the numbers of requests and orders, however they were said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from hotline.asr.understanding.matching import digitised
from hotline.asr.understanding.thing import Thing
from hotline.core.understanding import PointKind

_MOBILE: Final = re.compile(r"(?<!\d)1[3-9]\d-?\d{4}-?\d{4}(?!\d)")
_LANDLINE: Final = re.compile(r"(?<!\d)0\d{2,3}-?\d{7,8}(?!\d)")
_SHORT_LANDLINE: Final = re.compile(r"(?<!\d)[2-8]\d{6,7}(?!\d)")
_NUMBER: Final = re.compile(r"(?<![\da-z])[a-z]{0,6}\d[\da-z-]{5,29}(?![\da-z])")
_ASKS_PHONE: Final = re.compile("电话|座机|手机|号码")
_ASKS_CASE: Final = re.compile("办件编号|办件号|办件|工单号|工单编号|工单|受理编号|受理号|登记编号")
_ASKS_ORDER: Final = re.compile("订单编号|订单号|订单|运单号|快递单号|单号")
_ASKS_SECRET: Final = re.compile("身份证|银行卡|卡号|密码|社保号")
_NEAR_CHARACTERS: Final = 12


def numbers_in(text: str, asked: str) -> Iterator[Thing]:
    """The numbers of a plain text; ``asked`` is what the other side said just before.

    Numbers of identity cards and bank cards are left alone.
    """
    digits = digitised(text)
    taken: list[range] = []
    for rule, pattern, score in (("mobile", _MOBILE, 0.95), ("landline", _LANDLINE, 0.9)):
        for hit in pattern.finditer(digits):
            if _cue(_ASKS_SECRET, text, hit.start(), ""):
                continue
            taken.append(range(*hit.span()))
            yield Thing(PointKind.PHONE, hit.group(), score, f"phone:{rule}", hit.start())
    for hit in _NUMBER.finditer(digits):
        if any(hit.start() in span for span in taken):
            continue
        if (kind := _kind(text, hit, asked)) is not None:
            score = 0.7 if kind is PointKind.PHONE else 0.85
            yield Thing(kind, hit.group().upper(), score, f"asked:{kind.value}", hit.start())


def only_digits(text: str) -> str:
    """The digits of a text that is nothing else; empty for any other."""
    digits = digitised(text).strip("嗯啊哦是,。的")
    return digits if digits.isascii() and digits.isdigit() else ""


def is_mobile(digits: str) -> bool:
    """Whether these are a whole mobile number."""
    return _MOBILE.fullmatch(digits) is not None


def _kind(text: str, hit: re.Match[str], asked: str) -> PointKind | None:
    """What the number at ``hit`` is, by the words before it: the own ones, else what was asked."""
    if _cue(_ASKS_SECRET, text, hit.start(), asked):
        return None
    if _cue(_ASKS_CASE, text, hit.start(), asked):
        return PointKind.CASE_NUMBER
    if _cue(_ASKS_ORDER, text, hit.start(), asked):
        return PointKind.ORDER_NUMBER
    short = _SHORT_LANDLINE.fullmatch(hit.group()) is not None
    return PointKind.PHONE if short and _cue(_ASKS_PHONE, text, hit.start(), asked) else None


def _cue(words: re.Pattern[str], text: str, start: int, asked: str) -> bool:
    window = text[max(0, start - _NEAR_CHARACTERS) : start]
    return words.search(window if len(window) > 3 else asked + window) is not None
