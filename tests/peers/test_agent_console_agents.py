"""The routes about agents: wrap-up, a part of the queues, and a supervisor's word."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from hotline.core.events import AgentAutoPaused, AgentForced, AgentState
from tests.fixtures.console import AT, ConsoleUnderTest, running_console


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[ConsoleUnderTest]:
    async with running_console(tmp_path) as running:
        yield running


def answer(response: httpx.Response) -> tuple[int, str]:
    """Status, and the code of an error or the state of an agent."""
    body = response.json()
    return response.status_code, body["error"]["code"] if "error" in body else body["state"]


async def test_a_wrap_up_is_ended_and_extended_by_the_agent(console: ConsoleUnderTest) -> None:
    """Both answer with the seat; seconds are a whole positive number."""
    client = await console.user("zhang", agent="a1")
    assert answer(await client.post("/api/agent/wrap-up/end")) == (200, "ready")
    longer = await client.post("/api/agent/wrap-up/extend", json={"seconds": 30})
    assert answer(longer) == (200, "wrap_up") and "wrap_up_until" in longer.json()
    for seconds in (0, -1, 1.5, "30", None):
        wrong = await client.post("/api/agent/wrap-up/extend", json={"seconds": seconds})
        assert answer(wrong) == (400, "bad_request")
    assert [one[0] for one in console.desk.asked] == ["end_wrap_up", "extend_wrap_up"]


async def test_signing_in_on_a_part_of_the_queues(console: ConsoleUnderTest) -> None:
    """Without a body on all of them, with one on those it names."""
    client = await console.user("zhang", agent="a1")
    assert answer(await client.post("/api/agent/sign-in")) == (200, "ready")
    assert answer(await client.post("/api/agent/sign-in", json={"queues": ["12345"]})) == (200, "ready")
    assert answer(await client.post("/api/agent/sign-in", json={"queues": []})) == (400, "bad_request")
    assert console.desk.asked == [("sign_in", "a1", ""), ("sign_in", "a1", "", "12345")]


async def test_a_supervisor_forces_a_state_and_it_is_recorded(console: ConsoleUnderTest) -> None:
    """Who, whom, into what and why stand in the audit log; agents may not, and nobody forces nonsense."""
    chief, zhang = await console.user("chief", "supervisor"), await console.user("zhang", agent="a1")
    force = {"state": "paused", "reason": "培训"}
    assert answer(await zhang.post("/api/agents/a1/force", json=force)) == (403, "forbidden")
    assert answer(await chief.post("/api/agents/nobody/force", json=force)) == (404, "not_found")
    unknown = await chief.post("/api/agents/a1/force", json={"state": "paused", "reason": "x"})
    assert answer(unknown) == (400, "unknown_reason")
    talking = await chief.post("/api/agents/a1/force", json={"state": "talking"})
    assert answer(talking) == (400, "bad_request")
    assert console.desk.asked == []
    assert answer(await chief.post("/api/agents/a1/force", json=force)) == (200, "paused")
    assert answer(await chief.post("/api/agents/a1/force", json={"state": "ready"})) == (200, "ready")
    assert console.desk.asked == [("force", "a1", "培训", "chief"), ("force", "a1", "", "chief")]
    recorded = [
        (row.user, row.subject, row.detail)
        for row in await console.audit.recent() if row.action == "force_agent"
    ]  # fmt: skip
    assert recorded == [("chief", "a1", "ready"), ("chief", "a1", "paused 培训")]


async def test_agent_events_reach_the_own_seat_and_supervisors_only(console: ConsoleUnderTest) -> None:
    """The agent who was paused or forced is told, and whoever runs the shift; a colleague is not."""
    zhang, li = await console.user("zhang", agent="a1"), await console.user("li", agent="a2")
    chief = await console.user("chief", "supervisor")
    async with console.page(zhang) as own, console.page(li) as other, console.page(chief) as board:
        for page, topic in ((own, "agent"), (other, "agent"), (board, "board")):
            await page.hello(topic)
            await page.until("snapshot")
        console.publish(
            AgentAutoPaused("a1", AT, 3),
            AgentForced("a1", AT, AgentState.READY, "", "chief"),
            AgentAutoPaused("a2", AT, 3),
        )
        for page in (own, board):
            assert [(await page.until("event"))["name"] for _ in range(2)] == [
                "agent_auto_paused", "agent_forced",
            ]  # fmt: skip
        assert (await other.until("event"))["data"]["agent"] == "a2"


async def test_a_supervisor_sees_who_should_be_here(console: ConsoleUnderTest) -> None:
    """The shift board with its times, and what is wrong with the roster; agents may not."""
    chief, zhang = await console.user("chief", "supervisor"), await console.user("zhang", agent="a1")
    assert answer(await zhang.get("/api/shift")) == (403, "forbidden")
    board = (await chief.get("/api/shift")).json()
    assert board["rows"] == [
        {
            "agent": "a1", "name": "张三", "due": True, "present": True, "state": "ready",
            "planned": [{"from": "2026-11-02T01:00:00Z", "to": "2026-11-02T09:00:00Z"}],
            "adherence": 0.75, "late_seconds": 1800.0,
        }
    ]  # fmt: skip
    assert board["at"] == "2026-11-02T01:00:00Z" and "roster.csv:3" in board["problems"][0]


async def test_a_supervisor_sees_todays_calls_of_each_agent(console: ConsoleUnderTest) -> None:
    """How many each answered, and how long they talked; agents may not."""
    chief, zhang = await console.user("chief", "supervisor"), await console.user("zhang", agent="a1")
    assert answer(await zhang.get("/api/agents/today")) == (403, "forbidden")
    today = (await chief.get("/api/agents/today")).json()
    assert today["agents"] == [
        {"agent": "a1", "answered": 3, "talk_seconds_total": 360.5, "talk_seconds_average": 180.25}
    ]
