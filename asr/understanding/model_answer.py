"""What a model answered, taken part by part: only what the call's words bear out. Pure.

    {"request_type": {"value": "complaint", "utterances": ["c1"]}, "topic": {…}, "summary": {…},
     "things": [{"kind": "place", "value": "人民路260号", "utterances": ["c2"]}]}

A part is dropped, and counted, if it has another shape, if it cites an utterance that is not there, or if it
names what the cited words do not hold: however a number was said or written, 二百六十 and 260 are the same.
Whatever a caller says to a model can so change nothing but these values, and not to anything unheard.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hotline.asr.understanding.ear import Ear
from hotline.asr.understanding.matching import digitised, plain, without_numbers
from hotline.core.drafts import RequestType
from hotline.core.events import Side
from hotline.core.understanding import Cite, HeardCall, Point, PointKind, Understood, Utterance

MODEL_SCORE: Final = 0.6  # a model does not say how sure it is
AGREED_SCORE: Final = 0.1  # surer, when the rules found the same
LONGEST_NUMERAL: Final = 20  # characters; a longer run is no number that anybody says
MOST_THINGS: Final = 40
ASKED_KINDS: Final = (
    PointKind.NAME,
    PointKind.PLACE,
    PointKind.COMPANY,
    PointKind.AMOUNT,
    PointKind.DATE,
)
SIDE_LETTERS: Final = {Side.CALLER: "c", Side.AGENT: "a"}
_SIDES: Final = {letter: side for side, letter in SIDE_LETTERS.items()}
_NUMERAL: Final = re.compile("[零〇一幺二两三四五六七八九十百千万亿]+")
_UNITS: Final = {"百": 100, "千": 1_000, "万": 10_000, "亿": 100_000_000, "十": 10}
_MIXED: Final = re.compile("([0-9]+(?:\\.[0-9]+)?)([百千万亿])")
_DIGITS: Final = re.compile("[0-9]+")


class Part(BaseModel):
    """A value and the utterances that it rests on."""

    model_config = ConfigDict(extra="forbid", strict=True)

    value: Annotated[str, Field(min_length=1, max_length=300)]
    utterances: Annotated[
        list[Annotated[str, Field(pattern="^[ca][0-9]{1,6}$")]], Field(min_length=1, max_length=20)
    ]


class ThingPart(Part):
    """Something named."""

    kind: Annotated[PointKind, Field(strict=False)]


SomePart = TypeVar("SomePart", bound=Part)


class NoAnswer(ValueError):
    """What came is no answer at all."""


def taken(call: HeardCall, rules: Understood, answer: str, ear: Ear, source: str) -> Understood:
    """The rules' result with what the model's ``answer`` rightly adds to it or says otherwise.

    Raises:
        NoAnswer: it is no JSON object.
    """
    return _Reader(call, ear, source).read(rules, _object_of(answer))


def canonical(text: str) -> str:
    """For comparing: letters and digits only, every number in digits."""
    text = _MIXED.sub(lambda run: f"{float(run[1]) * _UNITS[run[2]]:.0f}", plain(text))
    text = _NUMERAL.sub(lambda run: _in_digits(run.group()), text)
    return "".join(character for character in text if character.isalnum())


class _Reader:
    def __init__(self, call: HeardCall, ear: Ear, source: str) -> None:
        self._texts = {one.cite: canonical(one.text) for one in call.utterances}
        self._whole = "\n".join(self._texts.values())
        self._ear, self._source = ear, source
        self._dropped = 0

    def read(self, rules: Understood, answer: Mapping[str, Any]) -> Understood:
        """Merge; see `taken`."""
        points = list(rules.points)
        topics = {topic.name for topic in self._ear.rules.topics}
        types = {one.value for one in RequestType}
        checks: dict[PointKind, Callable[[str], bool]] = {
            PointKind.REQUEST_TYPE: types.__contains__,
            PointKind.TOPIC: topics.__contains__,
            PointKind.SUMMARY: self._is_borne_out,
        }
        for kind, fits in checks.items():
            if answer.get(kind.value) is not None:
                part = self._part(Part, answer[kind.value])
                if part is not None and fits(part.value):
                    points = self._put(points, kind, part)
                elif part is not None:
                    self._dropped += 1
        points = self._with_things(points, answer.get("things"))
        self._dropped += len(answer.keys() - {"request_type", "topic", "summary", "things"})
        order = list(PointKind)
        points.sort(key=lambda point: (order.index(point.kind), -point.score))
        return Understood(tuple(points), self._source, self._dropped)

    def _with_things(self, points: list[Point], things: Any) -> list[Point]:
        if things is None:
            return points
        if not isinstance(things, list):
            self._dropped += 1
            return points
        self._dropped += len(things[MOST_THINGS:])
        for thing in things[:MOST_THINGS]:
            part = self._part(ThingPart, thing)
            if part is None:
                continue
            if part.kind in ASKED_KINDS and self._is_said(part):
                points = self._put(points, part.kind, part)
            else:
                self._dropped += 1
        return points

    def _part(self, shape: type[SomePart], given: Any) -> SomePart | None:
        part: SomePart | None
        try:
            part = shape.model_validate(given)
        except ValidationError:
            part = None
        if part is None or not all(_cite(one) in self._texts for one in part.utterances):
            self._dropped += 1
            return None
        return part

    def _is_said(self, part: Part) -> bool:
        wanted = canonical(part.value)
        return len(wanted) > 1 and any(_occurs(wanted, self._texts[_cite(one)]) for one in part.utterances)

    def _is_borne_out(self, summary: str) -> bool:
        """No number and no name in it that was not said."""
        numbers = _DIGITS.findall(canonical(summary))
        things = self._ear.things.find(plain(summary))
        named = [canonical(thing.value) for thing in things]
        return canonical(summary) != "" and all(_occurs(one, self._whole) for one in (*numbers, *named))

    def _put(self, points: list[Point], kind: PointKind, part: Part) -> list[Point]:
        """Of the first three kinds the model's word holds; a thing is added, or known to be surer."""
        value = " ".join("".join(one for one in part.value if one.isprintable()).split())
        if kind is PointKind.SUMMARY:
            value = without_numbers(value)
        cites = tuple(dict.fromkeys(_cite(one) for one in part.utterances))
        rule = f"model:{self._source}"
        for index, point in enumerate(points):
            same = point.kind is kind and canonical(point.value) == canonical(value)
            if same and kind is not PointKind.SUMMARY:
                cites = tuple(dict.fromkeys((*point.cites, *cites)))
                score = round(min(1.0, point.score + AGREED_SCORE), 2)
                agreed = Point(kind, point.value, score, (*point.rules, rule), cites)
                return [*points[:index], agreed, *points[index + 1 :]]
        if kind in (PointKind.REQUEST_TYPE, PointKind.TOPIC, PointKind.SUMMARY):
            points = [point for point in points if point.kind is not kind]
        return [*points, Point(kind, value, MODEL_SCORE, (rule,), cites)]


def name_of(utterance: Utterance) -> str:
    """How a model is told an utterance: ``c3`` is the caller's third."""
    return f"{SIDE_LETTERS[utterance.side]}{utterance.number}"


def _occurs(wanted: str, text: str) -> bool:
    """Whether it stands in the text, no part of a longer number."""
    before = "(?<![0-9])" if wanted[:1].isdigit() else ""
    after = "(?![0-9])" if wanted[-1:].isdigit() else ""
    return re.search(before + re.escape(wanted) + after, text) is not None


def _cite(name: str) -> Cite:
    return Cite(_SIDES[name[0]], int(name[1:]))


def _object_of(answer: str) -> Mapping[str, Any]:
    """The JSON object of an answer, also of one that puts it into a fence."""
    text = answer.strip().removeprefix("```json").removeprefix("```").removesuffix("```")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NoAnswer("no JSON") from error
    if not isinstance(found, dict):
        raise NoAnswer("no object")
    return found


def _in_digits(run: str) -> str:
    if not _UNITS.keys() & set(run) or len(run) > LONGEST_NUMERAL:
        return digitised(run)
    import cn2an  # slow to import: only where a model is asked

    try:
        return str(cn2an.cn2an(run.replace("两", "二").replace("幺", "一").replace("〇", "零"), "smart"))
    except (ValueError, LookupError):  # no number
        return digitised(run)
