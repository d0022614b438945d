"""Callers who asked to be called back, over HTTP: who sees them, who calls, and when one is met."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.core.control import Asker
from hotline.core.errors import IllegalState
from hotline.store.database import sessions_of
from hotline.store.models import Call, QueueEntry, TalkRow
from tests.fixtures.console import SITE, ConsoleUnderTest, running_console

ASKED_AT = datetime.now(UTC) - timedelta(minutes=3)
QUEUE = next(iter(next(one for one in SITE.agents if one.id == "a1").skills))


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[ConsoleUnderTest]:
    async with running_console(tmp_path) as running:
        await asked(running.engine, "c7", QUEUE, ASKED_AT)
        yield running


async def asked(
    engine: AsyncEngine, call_id: str, queue: str, at: datetime, outcome: str = "callback"
) -> None:
    """A caller pressed the key at ``at``, after waiting for 40 s."""
    async with sessions_of(engine).begin() as session:
        session.add(
            Call(
                call_id=call_id, node="n1", line="12345", did="12345", caller_number="13812341234",
                caller_name="", started_at=at - timedelta(seconds=50),
            )
        )  # fmt: skip
        session.add(
            QueueEntry(
                entry_id=f"{call_id}:{queue}:1", node="n1", uniqueid=call_id, queue=queue, visit=1,
                call_id=call_id, line="12345", source="live", joined_at=at - timedelta(seconds=40),
                closed_at=at, outcome=outcome, wait_ms=40_000,
            )
        )  # fmt: skip


async def waiting(console: ConsoleUnderTest, user: str, **who: str) -> list[str]:
    """The call ids this user is shown."""
    client = await console.user(user, **who)  # type: ignore[arg-type]
    return [one["call_id"] for one in (await client.get("/api/callbacks")).json()["callbacks"]]


async def test_agents_see_the_requests_of_their_queues(console: ConsoleUnderTest) -> None:
    """The longest waiting first, its number masked; other queues', old and other classes' not at all."""
    await asked(console.engine, "c6", QUEUE, ASKED_AT - timedelta(minutes=9))
    await asked(console.engine, "c5", "elsewhere", ASKED_AT - timedelta(minutes=1))
    await asked(console.engine, "c4", QUEUE, ASKED_AT, outcome="key_exit")
    await asked(console.engine, "c3", QUEUE, ASKED_AT - timedelta(days=8))
    assert await waiting(console, "zhang", agent="a1") == ["c6", "c7"]
    assert await waiting(console, "chief", role="supervisor") == ["c6", "c5", "c7"]
    assert await waiting(console, "guest") == []
    client = await console.user("li", agent="a1")
    shown = (await client.get("/api/callbacks")).json()["callbacks"][1]
    assert (shown["caller_number"], shown["wait_seconds"], shown["taken_by"]) == ("138****1234", 40.0, None)


async def test_one_agent_calls_back_and_a_talk_meets_the_request(console: ConsoleUnderTest) -> None:
    """Taken for a while: a colleague is refused; the talk ends it for everybody."""
    zhang, li = await console.user("zhang", agent="a1"), await console.user("li", agent="a1")
    path = f"/api/callbacks/c7:{QUEUE}:1/call"
    assert (await zhang.post(path)).status_code == 202
    assert console.control.asked == [("call_back", Asker("zhang", "a1", False), "c7", "13812341234", "12345")]
    refused = await li.post(path)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "taken")
    assert (await zhang.post(path)).status_code == 202  # nobody answered: again
    assert [row.subject for row in await console.audit.recent() if row.action == "callback"] == ["c7", "c7"]
    async with sessions_of(console.engine).begin() as session:
        now = datetime.now(UTC)
        session.add(
            Call(
                call_id="b7", node="n1", line="12345", did="", caller_number="13812341234", caller_name="",
                started_at=now, callback_of="c7", callback_agent="a1",
            )
        )  # fmt: skip
        session.add(
            TalkRow(
                talk_id="t:1", node="n1", call_id="b7", kind="callback", agent="a1", party="13812341234",
                source="live", answered_at=now,
            )
        )  # fmt: skip
    assert (await zhang.get("/api/callbacks")).json() == {"callbacks": []}
    assert (await zhang.post(path)).status_code == 404


async def test_a_request_is_struck_off_without_a_talk(console: ConsoleUnderTest) -> None:
    """With a reason and on record; by somebody whose queue it is."""
    li, other = await console.user("li", agent="a1"), await console.user("guest")
    path = f"/api/callbacks/c7:{QUEUE}:1/end"
    assert (await other.post(path, json={"result": "not_reached"})).status_code == 404
    assert (await li.post(path, json={"result": "forgotten"})).status_code == 400
    assert (await li.post(path, json={"result": "not_reached"})).status_code == 204
    assert (await li.get("/api/callbacks")).json() == {"callbacks": []}
    assert ("callback_ended", "not_reached") in {(r.action, r.detail) for r in await console.audit.recent()}


async def test_a_request_whose_call_cannot_be_made_is_anybodys(console: ConsoleUnderTest) -> None:
    """The phone is away: the colleague need not wait until the request is free again."""
    zhang, li = await console.user("zhang", agent="a1"), await console.user("li", agent="a1")
    path = f"/api/callbacks/c7:{QUEUE}:1/call"
    console.control.fails = IllegalState("gone", code="phone_unreachable")
    assert (await zhang.post(path)).status_code == 409
    console.control.fails = None
    assert (await li.post(path)).status_code == 202
