"""A year of a big city, made up a day at a time: calls, waits, states of agents, and what calls were about.

Seeded, so that two runs make the same rows. Days, weeks and hours have the profile of a hotline: busy on
weekday mornings, half at weekends, a few at night. Lines are those of ``config/samples/full.yaml`` with the
shares of one city's month, served by 900 seats; every class of the ledger comes up. Of nearly every answered
call it is known what it was about, as if each had been heard. Columns are made whole (numpy), because nine
million calls are some fifty million rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from numpy.typing import NDArray

from hotline.config.loading import load_site
from hotline.config.samples import path as sample
from hotline.config.schema import Site
from hotline.config.yaml_text import read_document
from hotline.core.drafts import RequestType

START: Final = datetime(2024, 12, 31, 16, tzinfo=UTC)  # the year 2025 in Shanghai
DAYS: Final = 365
SEATS: Final = 900
DAY_MS: Final = 86_400_000
SHARES: Final = {
    "12345": 61983, "12315": 10183, "12358": 184, "12331": 66, "12330": 56, "12333": 7369,
    "12329": 5537, "trading": 2498, "talent": 2243, "investment": 1221, "12328": 1102, "12312": 787,
    "12369": 446, "12320": 231, "12336": 63, "12313": 46, "12350": 25, "12318": 16, "12316": 11,
    "12385": 8, "12348": 300, "psychology": 120,
}  # fmt: skip
HOURS: Final = (2, 1, 1, 1, 1, 2, 5, 14, 55, 100, 96, 80, 40, 45, 80, 85, 78, 60, 36, 28, 22, 16, 9, 5)
WEEKDAYS: Final = (112, 106, 104, 103, 100, 62, 55)  # from Monday
OUTCOMES: Final = {
    "answered": 9060, "abandoned": 430, "short_abandon": 180, "callback": 110, "transferred": 90,
    "timeout": 60, "key_exit": 40, "full": 20, "empty": 10,
}  # fmt: skip
MENUS: Final = {"queue": 30, "operator": 10, "self_service": 4, "hangup": 3, None: 53}
LANGUAGES: Final = {"zh-CN": 99, "en": 1}
TYPES: Final = {
    RequestType.ENQUIRY.value: 3929, RequestType.HELP.value: 3557, RequestType.COMPLAINT.value: 2455,
    RequestType.SUGGESTION.value: 41, RequestType.OTHER.value: 12, RequestType.INVALID.value: 6, None: 500,
}  # fmt: skip
TOPICS: Final = {
    "社会保险": 3791, "消费维权": 3430, "医疗保险": 1018, "通信管理": 765, "退休服务": 706, "车辆管理": 644,
    "劳动维权": 634, "社保卡": 541, "物业管理": 400, "停车管理": 351, None: 6000,
}  # fmt: skip
UNDERSTOOD: Final = 0.95  # the share of answered calls of which it is known what they were about

Ints = NDArray[np.int64]
Column = list[Any]
Rows = Iterator[tuple[Any, ...]]
"""Moments are text, as SQLite keeps them and PostgreSQL takes them."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A table and its columns that are filled."""

    table: str
    columns: tuple[str, ...]


CALLS: Final = Kind(
    "calls",
    (
        "call_id", "node", "line", "did", "caller_number", "caller_name", "started_at", "ended_at",
        "menu_path", "menu_outcome", "menu_ms", "fallback_used", "language",
    ),
)  # fmt: skip
WAITS: Final = Kind(
    "queue_entries",
    (
        "entry_id", "node", "uniqueid", "queue", "visit", "call_id", "line", "source", "joined_at",
        "position", "answered_at", "closed_at", "outcome", "agent", "wait_ms", "ring_ms", "talk_ms",
        "hold_ms", "wrap_up_ms", "enquiry", "unanswered_rings", "ended_by", "language",
    ),
)  # fmt: skip
STATES: Final = Kind("agent_intervals", ("agent", "state", "reason", "since", "until"))
POINTS: Final = Kind(
    "call_points", ("call_id", "at", "request_type", "topic", "summary", "source", "dropped")
)
KINDS: Final = (CALLS, WAITS, STATES, POINTS)

DayRows = Mapping[str, Rows]
"""A day's rows by table, each in the order of its kind's columns."""


def city_site(folder: Path, database: str) -> Path:
    """The sample site with seats enough for a big city, as a file."""
    data: Any = read_document(sample("full")).data
    del data["shifts"]
    data |= {"data_dir": str(folder / "data"), "database": {"url": database}}
    whole = load_site(sample("full"))
    shares = _queue_shares(whole)
    ends = list(accumulate(shares.values()))
    queues = list(shares)
    data["agents"] = []
    for seat in range(SEATS):
        queue = next(
            name for name, end in zip(queues, ends, strict=True) if (seat + 0.5) * ends[-1] / SEATS < end
        )
        skills = {queue: 1} | ({"12345": 2} if seat % 3 == 0 and queue != "12345" else {})
        data["agents"].append(
            {"id": str(1001 + seat), "name": f"坐席{1001 + seat}", "extension": 1001 + seat, "skills": skills}
        )
    file = folder / "site.yaml"
    file.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return file


def _queue_shares(site: Site) -> dict[str, float]:
    """Of each queue, how much of the work is its own; none is so small that nobody serves it."""
    found: dict[str, float] = {}
    for line in site.lines:
        if line.id in SHARES:
            found[line.queue_name] = found.get(line.queue_name, 0) + SHARES[line.id]
    least = sum(found.values()) * 4 / SEATS
    return {queue: max(share, least) for queue, share in found.items()}


def year(
    site: Site, calls: int, *, first: int = 0, number: int = DAYS, seed: int = 12345
) -> Iterator[DayRows]:
    """The days of a year with about ``calls`` calls, or some of them.

    Args:
        site: whose lines, queues and seats.
        calls: how many in the whole year, menus and all.
        first: the first day that is made, from 0.
        number: how many days are made.
        seed: another one makes another year.
    """
    dice = np.random.default_rng(seed)
    weights = [WEEKDAYS[(START + timedelta(days=day, hours=8)).weekday()] for day in range(DAYS)]
    seats = _Seats(site)
    for day in range(first, min(DAYS, first + number)):
        yield _day(dice, seats, day, round(calls * weights[day] / sum(weights)))


class _Seats:
    """Who serves which queue, and who is there on a day."""

    def __init__(self, site: Site) -> None:
        self.queue_of = {line.id: line.queue_name for line in site.lines}
        self.ids = np.array([agent.id for agent in site.agents])
        self.main = np.array([next(iter(agent.skills), "") for agent in site.agents])

    def on_duty(self, day: int) -> NDArray[np.bool_]:
        """Five days in seven."""
        return (np.arange(len(self.ids)) + day) % 7 < 5


def _day(dice: np.random.Generator, seats: _Seats, day: int, number: int) -> DayRows:
    start_ms = round(START.timestamp() * 1000) + day * DAY_MS
    hours = dice.choice(24, number, p=_shares(HOURS))
    begun = np.sort(hours * 3_600_000 + dice.integers(0, 3_600_000, number)) + start_ms
    ids = [f"fs1-{ms // 1000}.{place}" for place, ms in enumerate(begun.tolist())]
    lines, menus = _pick(dice, SHARES, number), _pick(dice, MENUS, number)
    languages, outcomes = _pick(dice, LANGUAGES, number), _pick(dice, OUTCOMES, number)
    in_menu = menus != np.array(None)
    menu_ms = dice.integers(4_000, 40_000, number) * in_menu
    answered = (outcomes == "answered") & (menus != "self_service") & (menus != "hangup")
    wait_ms = np.where(
        answered, dice.exponential(8_000, number).astype(np.int64), dice.integers(1_000, 120_000, number)
    )
    talk_ms = np.where(answered, dice.gamma(2, 90_000, number).astype(np.int64), 0)
    queued = (menus != "self_service") & (menus != "hangup")
    closed = begun + menu_ms + (wait_ms + talk_ms) * queued
    numbers = [f"138{one:08}" for one in dice.integers(0, 10**8, number).tolist()]
    calls = zip(
        ids, _all("fs1", number), lines.tolist(), lines.tolist(), numbers, _all("", number), _text(begun),
        _text(closed), _all("", number), menus.tolist(), menu_ms.tolist(), _all(False, number),
        languages.tolist(), strict=True,
    )  # fmt: skip
    took = np.nonzero(queued)[0]
    wait = _Waits(
        [ids[one] for one in took.tolist()], lines[took], languages[took], outcomes[took],
        (begun + menu_ms)[took], wait_ms[took], talk_ms[took], closed[took],
    )  # fmt: skip
    understood = np.nonzero(answered & (dice.random(number) < UNDERSTOOD))[0]
    size = len(understood)
    points = zip(
        [ids[one] for one in understood.tolist()], _text(closed[understood]),
        _pick(dice, TYPES, size).tolist(), _pick(dice, TOPICS, size).tolist(), _all("市民反映情况。", size),
        _all("rules", size), _all(0, size), strict=True,
    )  # fmt: skip
    return {
        CALLS.table: calls,
        WAITS.table: wait.rows(dice, seats, day),
        STATES.table: _states(dice, seats, day, start_ms, number),
        POINTS.table: points,
    }


@dataclass(frozen=True, slots=True)
class _Waits:
    """A day's waits in queues."""

    call_ids: list[str]
    lines: NDArray[Any]
    languages: NDArray[Any]
    outcomes: NDArray[Any]
    joined: Ints
    wait_ms: Ints
    talk_ms: Ints
    closed: Ints

    def rows(self, dice: np.random.Generator, seats: _Seats, day: int) -> Rows:
        size = len(self.call_ids)
        answered = self.outcomes == "answered"
        queues = np.array([seats.queue_of[line] for line in self.lines.tolist()])
        agents = np.full(size, None, dtype=object)
        present = seats.on_duty(day)
        for queue in np.unique(queues):
            here = np.nonzero((queues == queue) & answered)[0]
            able = seats.ids[present & (seats.main == queue)]
            agents[here] = dice.choice(able if len(able) else seats.ids[present], len(here))
        answered_at = np.array(_text(self.joined + self.wait_ms), dtype=object)
        answered_at[~answered] = None
        return zip(
            [f"{one}:{queue}:1" for one, queue in zip(self.call_ids, queues.tolist(), strict=True)],
            _all("fs1", size), self.call_ids, queues.tolist(), _all(1, size), self.call_ids,
            self.lines.tolist(), _all("live", size), _text(self.joined), _all(1, size), answered_at.tolist(),
            _text(self.closed), self.outcomes.tolist(), agents.tolist(), self.wait_ms.tolist(),
            np.minimum(self.wait_ms, 4_000).tolist(), self.talk_ms.tolist(), (self.talk_ms // 10).tolist(),
            (answered * 20_000).tolist(), _all(False, size), (dice.random(size) < 0.03).astype(int).tolist(),
            _all("caller", size), self.languages.tolist(), strict=True,
        )  # fmt: skip


def _states(dice: np.random.Generator, seats: _Seats, day: int, start_ms: int, number: int) -> Rows:
    """Each seat on duty works eight hours: ready, talking, wrap-up, now and then a break."""
    there = np.nonzero(seats.on_duty(day))[0][: max(1, number)]
    talks = max(1, round(number * 0.9 / len(there)))
    share = 8 * 3_600_000 // talks
    shape = (len(there), talks)
    talk = np.minimum(share * 7 // 10, dice.gamma(2, 90_000, shape).astype(np.int64) + 1)
    after = np.full(shape, share // 10 + 1)
    ready = np.maximum(1, share - talk - share // 10)
    spans = np.stack([ready, talk, after], axis=2).reshape(len(there), -1)
    spans = np.concatenate([spans, np.full((len(there), 1), 60_000)], axis=1)
    begins = start_ms + np.array([8, 8, 15])[there % 3] * 3_600_000 + dice.integers(0, 600_000, len(there))
    ends = begins[:, None] + spans.cumsum(axis=1)
    states = np.empty((*shape, 3), dtype=object)
    states[:, :, 0], states[:, :, 1] = "ready", "talking"
    states[:, :, 2] = np.where(dice.random(shape) < 0.9, "wrap_up", "paused")
    names = np.concatenate([states.reshape(len(there), -1), np.full((len(there), 1), "signed_out")], axis=1)
    until = _text(ends.ravel())
    return zip(
        np.repeat(seats.ids[there], spans.shape[1]).tolist(), names.ravel().tolist(),
        _all("", spans.size), _text((ends - spans).ravel()), until, strict=True,
    )  # fmt: skip


def _pick(dice: np.random.Generator, of: Mapping[Any, float], size: int) -> NDArray[Any]:
    """So many, each with its share."""
    names = np.empty(len(of), dtype=object)
    names[:] = list(of)
    return names[dice.choice(len(of), size, p=_shares(tuple(of.values())))]


def _shares(weights: tuple[float, ...]) -> NDArray[np.float64]:
    return np.array(weights) / sum(weights)


def _all(value: Any, size: int) -> Column:
    return [value] * size


def _text(moments_ms: Ints) -> Column:
    """Milliseconds since 1970 as SQLAlchemy writes moments for SQLite."""
    told = np.datetime_as_string(moments_ms.astype("datetime64[ms]"), unit="us").astype("U26")
    characters = told.view("U1").reshape(len(told), 26)
    characters[:, 10] = " "
    found: Column = told.tolist()
    return found
