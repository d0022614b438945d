"""The summary of a call, and what it offers to the draft of the work order, in the caller's own words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from hotline.asr.understanding.ear import HeardUtterance
from hotline.asr.understanding.matching import BREAKS, without_numbers
from hotline.core.drafts import RequestType
from hotline.core.events import Side
from hotline.core.understanding import Point, PointKind, Proposal

TYPE_NAMES: Final = {
    RequestType.ENQUIRY: "咨询",
    RequestType.HELP: "求助",
    RequestType.COMPLAINT: "投诉",
    RequestType.SUGGESTION: "建议",
    RequestType.OTHER: "其他",
    RequestType.INVALID: "无效",
}
SENTENCES: Final = 3
SENTENCE_CHARACTERS: Final = 60
_SHOWN: Final = (
    (PointKind.PLACE, "地点"),
    (PointKind.COMPANY, "涉及"),
    (PointKind.DATE, "时间"),
    (PointKind.AMOUNT, "金额"),
)


def summary_of(
    heard: Sequence[HeardUtterance], kind: Point | None, topic: Point | None, points: Iterable[Point]
) -> Point | None:
    """Type and topic, the sentences that most speaks for them, and where, who, when, how much.

    It never holds a telephone number or any other long one.
    """
    if kind is None or not heard:
        return None
    told = _telling(heard)
    text = TYPE_NAMES[RequestType(kind.value)] + (f"·{topic.value}" if topic else "")
    if told:
        text += "：" + "；".join(_sentence(one.text) for one in told)
    cites = [one.utterance.cite for one in told] or list(kind.cites)
    for wanted, label in _SHOWN:
        point = next((one for one in points if one.kind is wanted), None)
        if point is not None and point.value not in text:
            text += f"；{label}：{point.value}"
            cites += point.cites[:1]
    rules = ("type and topic", "sentences of most weight", "things named")
    return Point(PointKind.SUMMARY, f"{text}。", kind.score, rules, tuple(dict.fromkeys(cites)))


def proposals_of(points: Sequence[Point], is_platform: Callable[[str], bool]) -> tuple[Proposal, ...]:
    """What the points offer to the fields of a draft; the surest of each.

    Args:
        points: of the call, the surest of each kind first.
        is_platform: whether a company is one that things are bought on.
    """
    first: dict[PointKind, Point] = {}
    for point in points:
        first.setdefault(point.kind, point)
    found: list[Proposal] = []

    def offer(field: str, point: Point | None, value: str | bool | None = None) -> None:
        if point is not None:
            found.append(Proposal(field, point.value if value is None else value, point.cites))

    offer("name", _callers_name(points))
    offer("phone", next((one for one in points if one.kind is PointKind.PHONE and _of_caller(one)), None))
    offer("request_type", first.get(PointKind.REQUEST_TYPE))
    offer("address", first.get(PointKind.PLACE))
    topic, place = first.get(PointKind.TOPIC), first.get(PointKind.PLACE)
    if topic is not None:
        offer("title", topic, f"{place.value}{topic.value}" if place is not None else topic.value)
    offer("content", first.get(PointKind.SUMMARY))
    if PointKind.URGENT in first:
        offer("urgent", first[PointKind.URGENT], True)
    companies = (one for one in points if one.kind is PointKind.COMPANY and is_platform(one.value))
    offer("platform", next(companies, None))
    offer("price", first.get(PointKind.AMOUNT))
    offer("bought_on", first.get(PointKind.DATE))
    offer("order_number", first.get(PointKind.ORDER_NUMBER))
    return tuple(found)


def _of_caller(point: Point) -> bool:
    return any(cite.side is Side.CALLER for cite in point.cites)


def _callers_name(points: Iterable[Point]) -> Point | None:
    """What callers call themselves, else what the agent calls them."""
    names = [one for one in points if one.kind is PointKind.NAME]
    for rule, side in (("name:said", Side.CALLER), ("name:title", Side.AGENT), ("name:surname", Side.CALLER)):
        for one in names:
            if rule in one.rules and any(cite.side is side for cite in one.cites):
                return one
    return None


def _telling(heard: Sequence[HeardUtterance]) -> list[HeardUtterance]:
    """The caller's utterances of most weight, in the order of speaking."""
    weights: list[tuple[float, int, HeardUtterance]] = []
    for index, one in enumerate(heard):
        weight = sum(max(0.0, item.weight) for item in (*one.topics, *one.types)) + 2 * len(one.alarms)
        if one.utterance.side is Side.CALLER and weight > 0:
            weights.append((weight, -index, one))
    best = sorted(weights, key=lambda item: item[:2], reverse=True)[:SENTENCES]
    return [one for _, _, one in sorted(best, key=lambda item: -item[1])]


def _sentence(text: str) -> str:
    text = without_numbers(text.strip(BREAKS))
    return text if len(text) <= SENTENCE_CHARACTERS else text[: SENTENCE_CHARACTERS - 1] + "…"
