"""Numbers of persons in what was said: telephone, identity and bank card numbers, masked.

Whatever has seven digits or more, said one by one or written, and is no amount; also a number that was said
in pieces, over several utterances of one voice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from hotline.core.views import Segment

SHORTEST: Final = 7  # a telephone number without its area code; hotlines have five digits or six
_SHORTEST_PIECE: Final = 3
_DIGIT: Final = "0-9零〇一二三四五六七八九幺"
_SEPARATOR: Final = "[ ，、,-]?"
_RUN: Final = f"(?<![{_DIGIT}])[{_DIGIT}](?:{_SEPARATOR}[{_DIGIT}]){{%d,}}+[xX叉]?+(?![元块万亿年%%])"
_NUMBER: Final = re.compile(_RUN % (SHORTEST - 1))
_HEAD: Final = re.compile(_RUN % (_SHORTEST_PIECE - 1))
_TAIL: Final = re.compile(f"({_RUN % (_SHORTEST_PIECE - 1)})[。，？ ]*$")
_DIGITS: Final = re.compile(f"[{_DIGIT}xX叉]")


def mask_numbers(text: str) -> str:
    """``text`` with the middle of each such number as asterisks; a masked text stays as it is."""
    return _NUMBER.sub(lambda match: _middle_hidden(match[0]), text)


def mask_segments(segments: Sequence[Segment]) -> list[Segment]:
    """The texts of a call, masked as heard and as written, in the order given."""
    heard = [mask_numbers(one.text) for one in segments]
    written = [mask_numbers(one.written) for one in segments]
    voices: dict[tuple[str, str], list[int]] = {}
    for place, one in enumerate(segments):
        voices.setdefault((one.side, one.party), []).append(place)
    for places in voices.values():
        _hide_pieces(heard, places)
        _hide_pieces(written, places)
    forms = zip(segments, heard, written, strict=True)
    return [replace(one, text=text, written=form) for one, text, form in forms]


def _hide_pieces(texts: list[str], places: Iterable[int]) -> None:
    """Hide numbers that one voice said in pieces: at the end of one text and the beginning of the next."""
    chain: list[tuple[int, int, int]] = []  # which text, from, to
    for place in places:
        head = _HEAD.match(texts[place]) if chain else None
        tail = _TAIL.search(texts[place])
        if head is not None:
            chain.append((place, *head.span()))
        if head is None or tail is None or tail.start(1) > 0:  # the number does not go on through this text
            _hide(texts, chain)
            chain = [] if tail is None else [(place, *tail.span(1))]
    _hide(texts, chain)


def _hide(texts: list[str], chain: Sequence[tuple[int, int, int]]) -> None:
    said = sum(len(_DIGITS.findall(texts[place][first:last])) for place, first, last in chain)
    if len(chain) < 2 or said < SHORTEST:
        return
    for place, first, last in chain:
        text = texts[place]
        texts[place] = text[:first] + _DIGITS.sub("*", text[first:last]) + text[last:]


def _middle_hidden(number: str) -> str:
    places = [match.start() for match in _DIGITS.finditer(number)]
    head, tail = (3, 4) if len(places) >= 11 else (1, 2)
    hidden = set(places[head : len(places) - tail])
    return "".join("*" if place in hidden else one for place, one in enumerate(number))
