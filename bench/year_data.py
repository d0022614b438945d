"""A year of a big city, made up: waits, calls, states of agents and what calls were about, written fast.

Seeded, so that two runs make the same rows. Days, weeks and hours have the profile of a hotline: busy on
weekday mornings, half at weekends, a few at night. Lines are those of ``config/samples/full.yaml`` with the
shares of one city's month; every class of the ledger comes up.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hotline.config.schema import Site

START: Final = datetime(2024, 12, 31, 16, tzinfo=UTC)  # the year 2025 in Shanghai
DAYS: Final = 365
AGENTS: Final = 900
SHARES: Final = {
    "12345": 61983, "12315": 10183, "12358": 184, "12331": 66, "12330": 56, "12333": 7369,
    "12329": 5537, "trading": 2498, "talent": 2243, "investment": 1221, "12328": 1102, "12312": 787,
    "12369": 446, "12320": 231, "12336": 63, "12313": 46, "12350": 25, "12318": 16, "12316": 11,
    "12385": 8, "12348": 300, "psychology": 120,
}  # fmt: skip
HOURS: Final = (2, 1, 1, 1, 1, 2, 5, 14, 55, 100, 96, 80, 40, 45, 80, 85, 78, 60, 36, 28, 22, 16, 9, 5)
WEEKDAYS: Final = (112, 106, 104, 103, 100, 62, 55)  # from Monday
OUTCOMES: Final = (
    ("answered", 9060), ("abandoned", 430), ("short_abandon", 180), ("callback", 110), ("transferred", 90),
    ("timeout", 60), ("key_exit", 40), ("full", 20), ("empty", 10),
)  # fmt: skip
MENUS: Final = (("queue", 30), ("operator", 10), ("self_service", 4), ("hangup", 3), (None, 53))
TOPICS: Final = (
    "社会保险",
    "消费维权",
    "医疗保险",
    "通信管理",
    "退休服务",
    "物业管理",
    "停车管理",
    "劳动维权",
)
POINTED: Final = 0.3  # the share of answered calls of which it is known what they were about
TYPES: Final = ("consult", "help", "complaint", "suggestion")


@dataclass(frozen=True, slots=True)
class DayRows:
    """A day's rows, as tuples in the order of `COLUMNS`."""

    calls: list[tuple[Any, ...]]
    waits: list[tuple[Any, ...]]
    states: list[tuple[Any, ...]]
    points: list[tuple[Any, ...]]


COLUMNS: Final = {
    "calls": (
        "call_id", "node", "line", "did", "caller_number", "caller_name", "started_at", "ended_at",
        "menu_path", "menu_outcome", "menu_ms", "fallback_used", "language",
    ),
    "waits": (
        "entry_id", "node", "uniqueid", "queue", "visit", "call_id", "line", "source", "joined_at",
        "position", "answered_at", "closed_at", "outcome", "agent", "wait_ms", "ring_ms", "talk_ms",
        "hold_ms", "wrap_up_ms", "enquiry", "unanswered_rings", "ended_by", "language",
    ),
    "states": ("agent", "state", "reason", "since", "until"),
    "points": ("call_id", "at", "request_type", "topic", "summary", "source", "dropped"),
}  # fmt: skip
TABLES: Final = {
    "calls": "calls", "waits": "queue_entries", "states": "agent_intervals", "points": "call_points",
}  # fmt: skip


def year(site: Site, calls: int, seed: int = 12345) -> Iterator[DayRows]:
    """The days of a year with about ``calls`` calls.

    Args:
        site: whose lines and queues.
        calls: how many, menus and all.
        seed: another one makes another year.
    """
    dice = random.Random(seed)
    queues = {line.id: line.queue_name for line in site.lines}
    weights = [WEEKDAYS[(START + timedelta(days=day, hours=8)).weekday()] for day in range(DAYS)]
    for day, weight in enumerate(weights):
        number = round(calls * weight / sum(weights))
        yield _day(dice, START + timedelta(days=day), day, number, queues)


def _day(dice: random.Random, start: datetime, day: int, number: int, queues: dict[str, str]) -> DayRows:
    rows = DayRows([], [], [], [])
    lines = dice.choices(list(SHARES), list(SHARES.values()), k=number)
    outcomes = dice.choices([one for one, _ in OUTCOMES], [share for _, share in OUTCOMES], k=number)
    menus = dice.choices([one for one, _ in MENUS], [share for _, share in MENUS], k=number)
    hours = dice.choices(range(24), HOURS, k=number)
    begun = sorted(hour * 3_600_000 + dice.randrange(3_600_000) for hour in hours)
    for place, after_ms in enumerate(begun):
        call_id, at = f"fs1-{day}.{place}", start + timedelta(milliseconds=after_ms)
        _call(dice, rows, call_id, at, lines[place], queues, outcomes[place], menus[place])
    _states(dice, rows, start, day, number)
    return rows


def _call(
    dice: random.Random,
    rows: DayRows,
    call_id: str,
    at: datetime,
    line: str,
    queues: dict[str, str],
    outcome: str,
    menu: str | None,
) -> None:
    """A call with its wait; one that its menu served or lost never comes to a queue."""
    menu_ms = dice.randrange(4_000, 40_000) if menu else 0
    language, number = ("en" if dice.random() < 0.01 else "zh-CN"), f"138{dice.randrange(10**8):08}"
    answered = outcome == "answered"
    wait_ms = int(dice.expovariate(1 / 8_000)) if answered else dice.randrange(1_000, 120_000)
    talk_ms = int(dice.gammavariate(2, 90_000)) if answered else 0
    joined = at + timedelta(milliseconds=menu_ms)
    answered_at = joined + timedelta(milliseconds=wait_ms)
    closed = answered_at + timedelta(milliseconds=talk_ms)
    rows.calls.append(
        (call_id, "fs1", line, line, number, "", at, closed, "", menu, menu_ms, False, language)
    )  # fmt: skip
    if menu in ("self_service", "hangup"):
        return
    agent = f"{1001 + dice.randrange(AGENTS)}" if answered else None
    rows.waits.append(
        (
            f"{call_id}:{queues[line]}:1", "fs1", call_id, queues[line], 1, call_id, line, "live", joined, 1,
            answered_at if answered else None, closed, outcome, agent, wait_ms, min(wait_ms, 4_000), talk_ms,
            talk_ms // 10, 20_000 if answered else 0, False, int(dice.random() < 0.03), "caller", language,
        )
    )  # fmt: skip
    if answered and dice.random() < POINTED:
        about = (call_id, closed, dice.choice(TYPES), dice.choice(TOPICS), "市民反映情况。", "rules", 0)
        rows.points.append(about)


def _states(dice: random.Random, rows: DayRows, start: datetime, day: int, number: int) -> None:
    """Five days in seven each seat works eight hours: ready, talking, wrap-up, now and then a break."""
    on_duty = [seat for seat in range(AGENTS) if (seat + day) % 7 < 5][: max(1, number)]
    talks = max(1, round(number * 0.9 / len(on_duty)))
    for seat in on_duty:
        at = start + timedelta(hours=(8, 8, 15)[seat % 3], seconds=dice.randrange(600))
        share = 8 * 3_600_000 // talks

        def then(state: str, milliseconds: int, seat: int = seat) -> None:
            nonlocal at
            until = at + timedelta(milliseconds=milliseconds)
            rows.states.append((f"{1001 + seat}", state, "", at, until))
            at = until

        for _ in range(talks):
            talk = min(share * 7 // 10, int(dice.gammavariate(2, 90_000)) + 1)
            then("ready", max(1, share - talk - share // 10))
            then("talking", talk)
            then("wrap_up" if dice.random() < 0.9 else "paused", share // 10 + 1)
        then("signed_out", 60_000)
