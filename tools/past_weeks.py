"""Weeks of made-up calls before the demo's own: without them history, heat map and report are empty."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import insert

from hotline.config.schema import Line, Site
from hotline.core.events import Outcome
from hotline.store.database import open_engine
from hotline.store.migrate import upgrade
from hotline.store.models import Call, CallPointsRow, QueueEntry

DAYS: Final = 100  # a whole month and the one before it, whatever the day
CALLS_A_DAY: Final = 420
HOURS: Final = (2, 1, 1, 1, 1, 2, 5, 14, 55, 100, 96, 80, 40, 45, 80, 85, 78, 60, 36, 28, 22, 16, 9, 5)
WEEKDAYS: Final = (112, 106, 104, 103, 100, 62, 55)  # from Monday
LINES: Final = {"12345": 62, "12315": 20, "12358": 3, "12333": 15}
OUTCOMES: Final = {
    Outcome.ANSWERED: 958, Outcome.ABANDONED: 20, Outcome.SHORT_ABANDON: 12, Outcome.CALLBACK: 6,
    Outcome.TIMEOUT: 4,
}  # fmt: skip
TYPES: Final = {"enquiry": 39, "help": 36, "complaint": 24, "suggestion": 1}
TOPICS: Final = {
    "社会保险": 38, "消费维权": 34, "医疗保险": 10, "通信管理": 8, "退休服务": 7, "车辆管理": 6,
    "劳动维权": 6, "社保卡": 5, "物业管理": 4, "停车管理": 4,
}  # fmt: skip
QUIET_BEFORE_NOW: Final = timedelta(minutes=10)
"""What was going on then is over by now."""

Row = dict[str, Any]
T = TypeVar("T")


async def make_up(site: Site, url: str, now: datetime) -> None:
    """Fill an empty database with the days up to now; the same site, day and hour make the same rows."""
    engine = open_engine(url)
    await upgrade(engine)
    dice = random.Random(12345)  # noqa: S311 - a play, no secret
    found = list(_calls(dice, site, now.astimezone(ZoneInfo(site.site.timezone))))
    async with engine.begin() as connection:
        await connection.execute(insert(Call), [call for call, _, _ in found])
        await connection.execute(insert(QueueEntry), [wait for _, wait, _ in found])
        await connection.execute(insert(CallPointsRow), [points for _, _, points in found if points])
    await engine.dispose()


def _pick(dice: random.Random, shares: Mapping[T, int]) -> T:
    return dice.choices(list(shares), list(shares.values()))[0]


def _calls(dice: random.Random, site: Site, now: datetime) -> Iterator[tuple[Row, Row, Row | None]]:
    """Each call with its wait and what it was about, where somebody answered."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    lines = {line.id: line for line in site.lines}
    for back in range(DAYS, -1, -1):
        day = midnight - timedelta(days=back)
        number = round(CALLS_A_DAY * WEEKDAYS[day.weekday()] / 100 * dice.uniform(0.92, 1.08))
        for place, hour in enumerate(sorted(dice.choices(range(24), HOURS, k=number))):
            began = day + timedelta(hours=hour, seconds=dice.uniform(0, 3600))
            if began < now - QUIET_BEFORE_NOW:
                line = lines[_pick(dice, LINES)]
                yield _call(dice, site, line, f"past-{began.timestamp():.0f}.{place}", began)


def _call(
    dice: random.Random, site: Site, line: Line, call_id: str, began: datetime
) -> tuple[Row, Row, Row | None]:
    outcome = _pick(dice, OUTCOMES)
    answered = outcome is Outcome.ANSWERED
    busy = HOURS[began.hour] / 100
    wait_ms = round(1000 * (dice.expovariate(1 / (3 + 4 * busy)) if answered else dice.uniform(5, 90)))
    talk_ms = round(1000 * dice.gammavariate(2, 90)) if answered else 0
    joined = began + timedelta(seconds=dice.uniform(6, 20))
    picked_up = joined + timedelta(milliseconds=wait_ms)
    ended = picked_up + timedelta(milliseconds=talk_ms)
    able = [agent.id for agent in site.agents if line.queue_name in agent.skills]
    call = {
        "call_id": call_id, "node": site.site.node, "line": line.id, "did": line.id, "caller_name": "",
        "caller_number": f"138001{dice.randrange(10**5):05}", "started_at": began, "ended_at": ended,
    }  # fmt: skip
    wait = {
        "entry_id": f"{call_id}:{line.queue_name}:1", "node": site.site.node, "uniqueid": call_id, "visit": 1,
        "queue": line.queue_name, "call_id": call_id, "line": line.id, "source": "live", "joined_at": joined,
        "answered_at": picked_up if answered else None, "closed_at": ended, "outcome": outcome.value,
        "agent": dice.choice(able) if answered else None, "wait_ms": wait_ms, "talk_ms": talk_ms,
        "ring_ms": min(wait_ms, 4_000), "wrap_up_ms": 20_000 if answered else 0,
        "ended_by": "caller" if answered else None,
    }  # fmt: skip
    points = {
        "call_id": call_id, "at": ended, "request_type": _pick(dice, TYPES),
        "topic": _pick(dice, TOPICS), "summary": "市民反映情况。", "dropped": 0,
        "source": "rules",
    }  # fmt: skip
    return call, wait, points if answered else None
