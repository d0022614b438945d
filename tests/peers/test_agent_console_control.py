"""Call control and supervision over HTTP: who may ask for what, what is recorded, what errors look like."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from hotline.core.control import Asker, CallVerb, SuperviseVerb, Target, TargetKind
from hotline.core.errors import ExchangeUnreachable, IllegalState, UnknownName
from hotline.core.events import CallFlagged, SupervisionChanged
from hotline.core.views import SupervisionView
from tests.fixtures.console import AT, ConsoleUnderTest, call, running_console, says

ZHANG = Asker("zhang", "a1", False)
CHIEF = Asker("chief", "a2", True)


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[ConsoleUnderTest]:
    async with running_console(tmp_path) as running:
        running.picture.talk("c1", "a1")
        yield running


def code_of(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, str(response.json()["error"]["code"])


async def test_every_verb_reaches_the_exchange_for_the_agents_own_seat(console: ConsoleUnderTest) -> None:
    """Each route asks for its verb in the name of the seat, and answers with the call."""
    client = await console.user("zhang", agent="a1")
    for verb in CallVerb:
        answer = await client.post(f"/api/call/c1/{verb.value}")
        assert answer.status_code == 200, answer.text
        assert answer.json()["call_id"] == "c1" and answer.json()["caller_number"] == "138****1234"
    assert console.control.asked == [(verb, ZHANG, "c1") for verb in CallVerb]


async def test_a_call_goes_to_exactly_one_target(console: ConsoleUnderTest) -> None:
    """An agent, a queue or a number; none or two of them is a bad request and asks nothing."""
    client = await console.user("zhang", agent="a1")
    for kind, value in (("agent", "a2"), ("queue", "12315"), ("number", "110")):
        for action in ("transfer", "consult"):
            body = {"target": {kind: value}}
            assert (await client.post(f"/api/call/c1/{action}", json=body)).status_code == 200
            target = Target(TargetKind(kind), value)
            assert console.control.asked.pop() == (action, ZHANG, "c1", target)
    for target_body in ({}, {"agent": "a2", "number": "110"}, {"number": "12345;x"}, {"who": "a2"}):
        answer = await client.post("/api/call/c1/transfer", json={"target": target_body})
        assert code_of(answer) == (400, "bad_request")
    assert console.control.asked == []


async def test_refusals_have_their_status_and_a_hint(console: ConsoleUnderTest) -> None:
    """Not yours 404, not now 409, Asterisk away 503, no seat 403."""
    client = await console.user("zhang", agent="a1")
    for error, expected in (
        (UnknownName("not yours"), (404, "not_found")),
        (IllegalState("not now", hint="later"), (409, "illegal_now")),
        (IllegalState("gone", code="phone_unreachable"), (409, "phone_unreachable")),
        (ExchangeUnreachable("gone"), (503, "exchange_unreachable")),
    ):
        console.control.fails = error
        assert code_of(await client.post("/api/call/c1/hold")) == expected
    seatless = await console.user("li")
    assert code_of(await seatless.post("/api/call/c1/hold")) == (403, "no_seat")
    assert code_of(await console.client().post("/api/call/c1/hold")) == (401, "not_signed_in")


async def test_supervision_is_for_supervisors_and_recorded_before_it_is_done(
    console: ConsoleUnderTest,
) -> None:
    """An agent is refused; a supervisor's wish is in the audit log even when the exchange then refuses."""
    agent = await console.user("zhang", agent="a1")
    chief = await console.user("chief", "supervisor", "a2")
    for path in (*(f"/api/supervise/c1/{verb.value}" for verb in SuperviseVerb), "/api/supervise/stop"):
        assert code_of(await agent.post(path)) == (403, "forbidden")
    console.control.fails = IllegalState("not now")
    for verb in SuperviseVerb:
        assert code_of(await chief.post(f"/api/supervise/c1/{verb.value}")) == (409, "illegal_now")
    console.control.fails = None
    for verb in SuperviseVerb:
        assert (await chief.post(f"/api/supervise/c1/{verb.value}")).status_code == 200
    assert console.control.asked == [(verb, CHIEF, "c1") for verb in SuperviseVerb]
    assert (await chief.post("/api/supervise/stop")).status_code == 204
    assert (await chief.post("/api/waiting/w1/front")).status_code == 204
    assert (await chief.post("/api/waiting/w1/queue", json={"queue": "12315"})).status_code == 204
    recorded = [(row.user, row.action, row.subject, row.detail) for row in await console.audit.recent()]
    for verb in SuperviseVerb:
        assert recorded.count(("chief", f"supervise_{verb.value}", "c1", "")) == 2
    assert ("chief", "waiting_to_front", "w1", "") in recorded
    assert ("chief", "waiting_to_queue", "w1", "12315") in recorded


async def test_whom_a_supervisor_listens_to_is_the_supervisors_business_alone(
    console: ConsoleUnderTest,
) -> None:
    """The page asks for it when it is loaded; the agent whose call it is neither may ask nor is told."""
    agent = await console.user("zhang", agent="a1")
    chief = await console.user("chief", "supervisor", "a2")
    assert (await chief.get("/api/supervise")).json() is None
    console.control.supervising = SupervisionView("c1", SuperviseVerb.WHISPER, AT)
    found = (await chief.get("/api/supervise")).json()
    assert found == {"call_id": "c1", "verb": "whisper", "since": "2026-11-02T01:00:00Z"}
    assert code_of(await agent.get("/api/supervise")) == (403, "forbidden")
    async with console.page(agent) as own, console.page(chief) as board:
        for page, topic in ((own, "agent"), (board, "calls")):
            await page.hello(topic)
            await page.until("snapshot")
        console.publish(SupervisionChanged("a2", AT, "c1", SuperviseVerb.WHISPER), says("c1", "你好"))
        assert (await board.until("event"))["name"] == "supervision_changed"
        assert (await own.until("event"))["name"] == "transcript_segment"


async def test_a_supervisor_without_a_seat_may_release_but_not_listen(console: ConsoleUnderTest) -> None:
    """Listening needs a phone; ending a call does not."""
    chief = await console.user("chief", "supervisor")
    assert code_of(await chief.post("/api/supervise/c1/listen")) == (403, "no_seat")
    assert (await chief.post("/api/supervise/c1/release")).status_code == 200


async def test_a_supervisor_who_acts_on_an_agents_call_is_on_record(console: ConsoleUnderTest) -> None:
    """Whatever it is; an agent's own clicks are not recorded."""
    chief = await console.user("chief", "supervisor", "a2")
    agent = await console.user("zhang", agent="a1")
    for client in (chief, agent):
        assert (await client.post("/api/call/c1/hold")).status_code == 200
        body = {"target": {"queue": "12315"}}
        assert (await client.post("/api/call/c1/transfer", json=body)).status_code == 200
    recorded = [(r.user, r.action, r.detail) for r in await console.audit.recent() if r.subject == "c1"]
    assert recorded == [("chief", "call_transfer", "queue 12315"), ("chief", "call_hold", "")]


async def test_an_emergency_waits_for_no_database(console: ConsoleUnderTest) -> None:
    """With the database locked the service is called all the same, and recorded when that is possible."""
    client = await console.user("zhang", agent="a1")
    async with console.engine.connect() as holder:
        await holder.exec_driver_sql("BEGIN IMMEDIATE")
        asking = asyncio.create_task(client.post("/api/call/c1/emergency", json={"service": "110"}))
        await asyncio.wait_for(console.control.was_asked.wait(), 3)
        await holder.rollback()
        assert (await asking).status_code == 200
    assert console.control.asked == [("emergency", ZHANG, "c1", "110")]
    assert "emergency" in {row.action for row in await console.audit.recent()}


async def test_a_note_stays_with_the_call_with_its_author(console: ConsoleUnderTest) -> None:
    """Whoever may see the call reads it; somebody whose call it is not may neither write nor read."""
    client = await console.user("zhang", agent="a1")
    note = await client.post("/api/calls/c1/note", json={"text": "会员卡不退"})
    assert note.status_code == 200 and note.json()["user"] == "zhang"
    seen = (await client.get("/api/calls/c1")).json()
    assert [(one["user"], one["text"]) for one in seen["notes"]] == [("zhang", "会员卡不退")]
    other = await console.user("li", agent="a2")
    assert code_of(await other.post("/api/calls/c1/note", json={"text": "x"})) == (404, "not_found")
    assert code_of(await client.post("/api/calls/c1/note", json={"text": " "})) == (400, "bad_request")
    assert ("zhang", "note", "c1") in {(r.user, r.action, r.subject) for r in await console.audit.recent()}


async def test_a_nuisance_is_known_at_the_next_call_until_it_is_taken_back(
    console: ConsoleUnderTest,
) -> None:
    """The mark belongs to the number, holds over a restart, is told to the supervisors and recorded."""
    client = await console.user("zhang", agent="a1")
    path = "/api/calls/c1/nuisance"
    assert code_of(await client.post(path, json={"nuisance": True})) == (400, "bad_request")
    body = {"nuisance": True, "kind": "abuse", "reason": "辱骂"}
    assert (await client.post(path, json=body)).status_code == 200
    assert code_of(await client.post(path, json=body | {"kind": "other!"})) == (400, "bad_request")
    number = call("c1", None).caller_number
    assert console.marks.is_nuisance(number)
    flagged = [one.event for one in console.bus.since(0) or [] if isinstance(one.event, CallFlagged)]
    assert [(one.call_id, one.agent, one.reason, one.kind) for one in flagged] == [
        ("c1", "a1", "辱骂", "abuse")
    ]
    await console.marks.load()
    assert console.marks.is_nuisance(number)
    assert (await client.get("/api/calls/c1")).json()["nuisance"] is True
    assert (await client.post(path, json={"nuisance": False})).status_code == 200
    await console.marks.load()
    assert not console.marks.is_nuisance(number)
    recorded = {(row.action, row.detail) for row in await console.audit.recent()}
    assert {("nuisance", "辱骂"), ("nuisance_lifted", "")} <= recorded


async def test_a_callback_rings_the_whole_number_of_the_call(console: ConsoleUnderTest) -> None:
    """The page names the call, never the number; 202 because the phones still ring."""
    client = await console.user("zhang", agent="a1")
    answer = await client.post("/api/callback", json={"call_id": "c1"})
    assert (answer.status_code, answer.json()) == (202, {"call_id": "c1"})
    assert console.control.asked == [("call_back", ZHANG, "c1", "13812341234", "12345")]
    assert code_of(await client.post("/api/callback", json={"call_id": "c9"})) == (404, "not_found")


async def test_targets_and_emergencies(console: ConsoleUnderTest) -> None:
    """The list is as the exchange has it; an emergency is recorded and asked for by its service."""
    client = await console.user("zhang", agent="a1")
    targets = (await client.get("/api/targets")).json()
    assert targets["queues"] == [{"queue": "12345", "title": "综合", "waiting": 1, "ready": 2}]
    assert targets["emergency"] == [{"service": "110", "name": "报警", "number": "110"}]
    assert (await client.post("/api/call/c1/emergency", json={"service": "110"})).status_code == 200
    assert console.control.asked == [("emergency", ZHANG, "c1", "110")]
    assert ("emergency", "c1", "110") in {
        (r.action, r.subject, r.detail) for r in await console.audit.recent()
    }
