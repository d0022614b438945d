"""From what was heard in each utterance to the points of a call. Pure.

A topic's or type's score is ``best / (best + second + 1)`` of the weights that were heard for it, so that one
weak word is unsure, many that agree are sure, and a tie is not. Each phrase counts once a call.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from hotline.asr.understanding.ear import Ear, Evidence, HeardUtterance
from hotline.asr.understanding.numbers import is_mobile, only_digits
from hotline.asr.understanding.summary import summary_of
from hotline.asr.understanding.thing import Thing
from hotline.core.drafts import RequestType
from hotline.core.events import Side
from hotline.core.understanding import Cite, Point, PointKind

PRIOR: Final = 1.0
SAID_BACK: Final = 0.05  # surer, when both sides said it
LEAST_CONTENT_CHARACTERS: Final = 4  # beyond courtesy: less is no request
MOST_OF_A_KIND: Final = 20
ALARM_SCORE: Final = 0.9
GUESS_SCORE: Final = 0.2


@dataclass(slots=True)
class _Tally:
    rules: dict[str, float] = field(default_factory=dict)  # each with its weight
    cites: dict[Cite, None] = field(default_factory=dict)

    @property
    def weight(self) -> float:
        return sum(self.rules.values())


def judge(ear: Ear, heard: Sequence[HeardUtterance], lines: frozenset[str], *, ended: bool) -> list[Point]:
    """The points of a call.

    Args:
        ear: its rules.
        heard: every utterance, in the order of speaking.
        lines: the call's line and the headings above it, by id and by number.
        ended: the call is over; before, too little was said to call it 无效.
    """
    topic = _topic(ear, heard, lines)
    kind = _request_type(heard, topic, ended=ended)
    points = [*_things(heard), *_alarms(heard)]
    summary = summary_of(heard, kind, topic, points) if ended else None
    return [point for point in (kind, topic, summary) if point is not None] + points


def _topic(ear: Ear, heard: Sequence[HeardUtterance], lines: frozenset[str]) -> Point | None:
    tallies = _tally((one.utterance.cite, one.topics) for one in heard)
    for rule in ear.rules.topics:
        for line, weight in rule.lines.items():
            if line in lines and rule.name in tallies:
                tallies[rule.name].rules[f"line:{line}"] = weight
    return _best(PointKind.TOPIC, tallies)


def _request_type(heard: Sequence[HeardUtterance], topic: Point | None, *, ended: bool) -> Point | None:
    said = [one for one in heard if one.content_characters > 0]
    found = _best(PointKind.REQUEST_TYPE, _tally((one.utterance.cite, one.types) for one in heard))
    if found is not None or not ended or not heard:
        return found
    enough = sum(one.content_characters for one in said) >= LEAST_CONTENT_CHARACTERS
    if not enough:
        kind, rule, rests_on = RequestType.INVALID, "nothing asked", list(heard)
    elif topic is not None:
        kind, rule, rests_on = RequestType.HELP, "nothing said outright", said
    else:
        kind, rule, rests_on = RequestType.OTHER, "nothing known", said
    cites = tuple(one.utterance.cite for one in rests_on[:MOST_OF_A_KIND])
    return Point(PointKind.REQUEST_TYPE, kind.value, GUESS_SCORE, (rule,), cites)


def _tally(said: Iterable[tuple[Cite, tuple[Evidence, ...]]]) -> dict[str, _Tally]:
    """What speaks for each topic or type; a phrase weighs what it weighed at its heaviest."""
    tallies: dict[str, _Tally] = {}
    for cite, evidence in said:
        for item in evidence:
            tally = tallies.setdefault(item.value, _Tally())
            tally.rules[item.rule] = max(item.weight, tally.rules.get(item.rule, item.weight))
            if item.weight > 0:
                tally.cites[cite] = None
    return tallies


def _best(kind: PointKind, tallies: dict[str, _Tally]) -> Point | None:
    ranked = sorted(tallies.items(), key=lambda item: -item[1].weight)
    if not ranked or ranked[0][1].weight <= 0:
        return None
    value, best = ranked[0]
    second = max(0.0, ranked[1][1].weight) if len(ranked) > 1 else 0.0
    score = best.weight / (best.weight + second + PRIOR)
    rules = tuple(rule for rule in best.rules if not rule.startswith("not:"))
    return Point(kind, str(value), round(score, 2), rules, tuple(best.cites))


def _things(heard: Sequence[HeardUtterance]) -> list[Point]:
    """Each thing once, with every utterance that named it; the surest of a kind first."""
    named: dict[tuple[PointKind, str], list[tuple[Thing, Cite]]] = {}
    for one in heard:
        for thing in one.things:
            named.setdefault((thing.kind, thing.value), []).append((thing, one.utterance.cite))
    for digits, breaths in _said_in_parts(heard):
        thing = Thing(PointKind.PHONE, digits, 0.9, "phone:in parts", 0)
        named.setdefault((PointKind.PHONE, digits), []).extend((thing, cite) for cite in breaths)
    points = []
    for (kind, value), told in named.items():
        rules = tuple(dict.fromkeys(thing.rule for thing, _ in told))
        cites = tuple(dict.fromkeys(cite for _, cite in told))
        score = max(thing.score for thing, _ in told)
        if len({cite.side for cite in cites}) > 1:
            score, rules = min(1.0, score + SAID_BACK), (*rules, "said by both")
        points.append(Point(kind, value, round(score, 2), rules, cites))
    kinds = list(PointKind)
    points.sort(key=lambda point: (kinds.index(point.kind), -point.score))
    return [point for index, point in enumerate(points) if _nth(points, index) < MOST_OF_A_KIND]


def _nth(points: list[Point], index: int) -> int:
    kind = points[index].kind
    first = next(place for place, point in enumerate(points) if point.kind is kind)
    return index - first


def _said_in_parts(heard: Sequence[HeardUtterance]) -> list[tuple[str, list[Cite]]]:
    """Telephone numbers said in three or four breaths, whatever the agent says between."""
    found: list[tuple[str, list[Cite]]] = []
    digits, cites = "", list[Cite]()
    for one in heard:
        if one.utterance.side is not Side.CALLER:
            continue
        part = only_digits(one.text)
        digits, cites = (digits + part, [*cites, one.utterance.cite]) if part else ("", [])
        if len(cites) > 1 and is_mobile(digits):
            found.append((digits, cites))
    return found


def _alarms(heard: Sequence[HeardUtterance]) -> list[Point]:
    tallies: dict[tuple[PointKind, str], list[Cite]] = {}
    for one in heard:
        for alarm in one.alarms:
            tallies.setdefault((alarm.kind, alarm.phrase), []).append(one.utterance.cite)
    return [
        Point(kind, phrase, ALARM_SCORE, (f"{kind.value}:{phrase}",), tuple(dict.fromkeys(cites)))
        for (kind, phrase), cites in list(tallies.items())[:MOST_OF_A_KIND]
    ]
