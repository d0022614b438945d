"""Numbers of persons in what was said: telephone, identity and bank card numbers, masked.

Whatever has seven digits or more, said one by one or written, and is no amount; also a number that was said
in pieces, over several utterances of one voice. Of a call that goes on nobody knows what comes next: there
whatever may be a piece of a number is hidden, and in a text still being said all digits in a row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from hotline.core.events import TranscriptSegment
from hotline.core.views import Segment

Text = TypeVar("Text", Segment, TranscriptSegment)

SHORTEST: Final = 7  # a telephone number without its area code; hotlines have five digits or six
_SHORTEST_PIECE: Final = 3
_DIGIT: Final = "0-9零〇一二三四五六七八九幺"
_SEPARATOR: Final = "[ ，、,-]?"
_RUN: Final = f"(?<![{_DIGIT}])[{_DIGIT}](?:{_SEPARATOR}[{_DIGIT}]){{%d,}}+[xX叉]?+(?![元块万亿年%%])"
_NUMBER: Final = re.compile(_RUN % (SHORTEST - 1))
_PIECE: Final = re.compile(_RUN % (_SHORTEST_PIECE - 1))
_GROWING: Final = re.compile(_RUN % 1)
_TAIL: Final = re.compile(f"({_RUN % (_SHORTEST_PIECE - 1)})[。，？ ]*$")
_DIGITS: Final = re.compile(f"[{_DIGIT}xX叉]")
_NOTHING_MORE: Final = re.compile("[。，？ ]*$")
_COUNTED: Final = re.compile("[室栋幢楼层单弄路月日天个人次斤岁]|号(?!码)")  # behind a door's number, a day's
_SERVICE: Final = re.compile(r"11[0249]|12[02]|12\d{3}|100\d{2}|9[56]\d{3}")  # numbers that are everybody's
_AS_DIGITS: Final = str.maketrans("零〇一二三四五六七八九幺", "001234567891")


def mask_numbers(text: str) -> str:
    """``text`` with the middle of each such number as asterisks; a masked text stays as it is."""
    return _NUMBER.sub(lambda match: _middle_hidden(match[0]), text)


def numbers_put_back(edited: str, whole: str) -> str:
    """``edited`` by somebody who saw ``whole`` masked, with each number that still stands there whole."""
    for match in _NUMBER.finditer(whole):
        hidden = f"(?<![{_DIGIT}*]){re.escape(_middle_hidden(match[0]))}(?![{_DIGIT}*])"
        edited = re.sub(hidden, lambda _, number=match[0]: number, edited, count=1)  # type: ignore[misc]
    return edited


def mask_alone(text: str) -> str:
    """A final text whose neighbours are not known: also without what may be a piece of a number.

    That is what begins or ends the text, unless it is a door's number, or a service's that stands not alone.
    """

    def shown(match: re.Match[str]) -> str:
        if _count(match[0]) >= SHORTEST:
            return _middle_hidden(match[0])
        begins, ends = match.start() == 0, _NOTHING_MORE.match(text, match.end()) is not None
        within = not (begins or ends) or (_of_service(match[0]) and not (begins and ends))
        harmless = within or _COUNTED.match(text, match.end()) is not None
        return match[0] if harmless else _DIGITS.sub("*", match[0])

    return _PIECE.sub(shown, text)


def mask_growing(text: str) -> str:
    """A text still being said: two digits in a row may become a number, so none of them is shown."""

    def shown(match: re.Match[str]) -> str:
        said = match.end() < len(text) and _of_service(match[0])
        return match[0] if said else _DIGITS.sub("*", match[0])

    return _GROWING.sub(shown, text)


def mask_live(said: Text) -> Text:
    """One text of a call that goes on, masked as heard and as written; some microseconds."""
    mask = mask_alone if said.final else mask_growing
    return replace(said, text=mask(said.text), written=mask(said.written))


def mask_segments(segments: Sequence[Segment], *, goes_on: bool = False) -> list[Segment]:
    """The texts of a call, masked as heard and as written, in the order given.

    Args:
        segments: all of them.
        goes_on: the call is not over, so that each is masked by itself, as it was when it was said.
    """
    if goes_on:
        return [mask_live(one) for one in segments]
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
        head = _PIECE.match(texts[place]) if chain else None
        tail = _TAIL.search(texts[place])
        if head is not None:
            chain.append((place, *head.span()))
        if head is None or tail is None or tail.start(1) > 0:  # the number does not go on through this text
            _hide(texts, chain)
            chain = [] if tail is None else [(place, *tail.span(1))]
    _hide(texts, chain)


def _hide(texts: list[str], chain: Sequence[tuple[int, int, int]]) -> None:
    said = sum(_count(texts[place][first:last]) for place, first, last in chain)
    if len(chain) < 2 or said < SHORTEST:
        return
    for place, first, last in chain:
        text = texts[place]
        texts[place] = text[:first] + _DIGITS.sub("*", text[first:last]) + text[last:]


def _count(number: str) -> int:
    return len(_DIGITS.findall(number))


def _of_service(number: str) -> bool:
    return _SERVICE.fullmatch(number.translate(_AS_DIGITS)) is not None


def _middle_hidden(number: str) -> str:
    places = [match.start() for match in _DIGITS.finditer(number)]
    head, tail = (3, 4) if len(places) >= 11 else (1, 2)
    hidden = set(places[head : len(places) - tail])
    return "".join("*" if place in hidden else one for place, one in enumerate(number))
