"""Drafts of work orders over HTTP: who writes, who sees what, and two who write at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hotline.core.events import DraftChanged, PartyJoined, PartyRinging
from tests.fixtures.console import AT, ConsoleUnderTest, answered, running_console

WRITTEN = {"name": "王女士", "phone": "13955501234", "address": "人民路260号", "content": "健身房关门"}


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[ConsoleUnderTest]:
    async with running_console(tmp_path) as running:
        running.picture.talk("c1", "a1")
        running.publish(answered("c1", "a1"))
        yield running


async def save(client: httpx.AsyncClient, revision: int, **fields: Any) -> httpx.Response:
    return await client.put("/api/calls/c1/draft", json={"revision": revision, "fields": fields})


def code_of(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, str(response.json()["error"]["code"])


async def test_a_draft_begins_empty_and_is_kept_with_the_call(console: ConsoleUnderTest) -> None:
    """Nobody has written: revision 0. Saved: revision 1, with the call, and every word as it was typed."""
    agent = await console.user("zhang", agent="a1")
    assert (await agent.get("/api/calls/c1")).json()["draft"] == (
        await agent.get("/api/calls/c1/draft")
    ).json()
    first = (await agent.get("/api/calls/c1/draft")).json()
    assert (first["revision"], first["updated_by"], first["fields"]["content"]) == (0, None, "")
    saved = (await save(agent, 0, **WRITTEN, sex="female", request_type="complaint", urgent=True)).json()
    assert (saved["revision"], saved["updated_by"]) == (1, "zhang")
    fields = (await agent.get("/api/calls/c1")).json()["draft"]["fields"]
    assert {key: fields[key] for key in WRITTEN} == WRITTEN
    assert (fields["sex"], fields["request_type"], fields["urgent"]) == ("female", "complaint", True)


async def test_a_colleague_who_gets_the_call_sees_it_whole_and_goes_on(console: ConsoleUnderTest) -> None:
    """Not before it rings there; then at once, told of every saving, and what is written comes back."""
    agent, other = await console.user("zhang", agent="a1"), await console.user("li", agent="a2")
    await save(agent, 0, **WRITTEN)
    assert code_of(await other.get("/api/calls/c1/draft")) == (404, "not_found")
    assert code_of(await save(other, 1, content="别人的")) == (404, "not_found")
    async with console.page(other) as page:
        await page.hello("agent")
        await page.until("snapshot")
        console.publish(PartyRinging("c1", AT, "a2", "8002", "u3"))
        console.picture.talk("c1", "a2")
        seen = (await other.get("/api/calls/c1")).json()["draft"]
        assert {key: seen["fields"][key] for key in WRITTEN} == WRITTEN
        console.publish(PartyJoined("c1", AT, "a2", "8002", "u3", "c1"))
        await save(agent, 1, **WRITTEN | {"title": "预付卡"})
        while (frame := await page.until("event"))["name"] != "draft_changed":
            pass
        assert (frame["data"]["revision"], frame["data"]["by"]) == (2, "zhang")
        assert "13955501234" not in str(frame), "what the draft says is not sent about"
    assert (await save(other, 2, **WRITTEN | {"title": "预付卡不退"})).json()["revision"] == 3
    assert (await agent.get("/api/calls/c1/draft")).json()["fields"]["title"] == "预付卡不退"
    told = [one.event for one in console.bus.since(0) or [] if isinstance(one.event, DraftChanged)]
    assert [(one.revision, one.by) for one in told] == [(1, "zhang"), (2, "zhang"), (3, "li")]
    recorded = [(row.user, row.action) for row in await console.audit.recent() if row.subject == "c1"]
    assert recorded == [("li", "draft"), ("zhang", "draft")], "once for each who took the pen"


async def test_who_is_late_gets_what_the_other_saved_and_changes_nothing(console: ConsoleUnderTest) -> None:
    """409 with the draft as it is; the same words twice, after a lost answer, are no conflict."""
    agent, chief = await console.user("zhang", agent="a1"), await console.user("chief", "supervisor")
    assert (await save(agent, 0, content="甲")).status_code == 200
    assert (await save(agent, 0, content="甲")).json()["revision"] == 1
    late = await save(chief, 0, content="乙")
    assert code_of(late) == (409, "stale")
    assert (late.json()["draft"]["revision"], late.json()["draft"]["fields"]["content"]) == (1, "甲")
    assert code_of(await save(agent, 7, content="丙")) == (409, "stale")
    assert (await agent.get("/api/calls/c1/draft")).json()["fields"]["content"] == "甲"


async def test_phone_and_address_are_hidden_from_who_only_looks_and_not_lost(
    console: ConsoleUnderTest,
) -> None:
    """A supervisor sees them masked; saving what was masked leaves them as they are."""
    agent, chief = await console.user("zhang", agent="a1"), await console.user("chief", "supervisor")
    await save(agent, 0, **WRITTEN)
    shown = (await chief.get("/api/calls/c1")).json()["draft"]["fields"]
    assert (shown["phone"], shown["address"]) == ("139****1234", "人民路***号")
    answer = (await save(chief, 1, **shown | {"unit": "市场监督管理局"})).json()["fields"]
    assert (answer["phone"], answer["unit"]) == ("139****1234", "市场监督管理局")
    kept = (await agent.get("/api/calls/c1/draft")).json()["fields"]
    assert (kept["phone"], kept["address"], kept["unit"]) == ("13955501234", "人民路260号", "市场监督管理局")


async def test_numbers_in_what_was_written_are_hidden_and_not_lost(console: ConsoleUnderTest) -> None:
    """A supervisor who goes on writing behind a masked number leaves it whole."""
    agent, chief = await console.user("zhang", agent="a1"), await console.user("chief", "supervisor")
    await save(agent, 0, content="身份证44060219850315231X，见附件。", title="退款，联系13955501234")
    shown = (await chief.get("/api/calls/c1")).json()["draft"]["fields"]
    assert shown["content"] == "身份证440***********231X，见附件。"
    assert shown["title"] == "退款，联系139****1234"
    await save(chief, 1, **shown | {"content": f"{shown['content']}已核实。"})
    kept = (await agent.get("/api/calls/c1/draft")).json()["fields"]
    assert kept["content"] == "身份证44060219850315231X，见附件。已核实。"
    assert kept["title"] == "退款，联系13955501234"


async def test_what_is_no_draft_is_refused(console: ConsoleUnderTest) -> None:
    """Unknown fields, values that are none, and more than fits: a bad request that names the field."""
    agent = await console.user("zhang", agent="a1")
    wrong: dict[str, Any] = {"colour": "red", "sex": "x", "urgent": "yes", "content": "长" * 8001, "name": 5}
    for key, value in wrong.items():
        answer = await save(agent, 0, **{key: value})
        assert code_of(answer) == (400, "bad_request") and key in answer.json()["error"]["message"]
    assert (await agent.get("/api/calls/c1/draft")).json()["revision"] == 0


async def test_the_line_says_which_fields_its_orders_have(console: ConsoleUnderTest) -> None:
    """12315's ask for goods and price, as the catalogue says; plain 12345 does not."""
    agent = await console.user("zhang", agent="a1")
    lines = {line["id"]: line for line in (await agent.get("/api/site")).json()["lines"]}
    assert lines["12345"]["order_fields"] == []
    assert lines["12315"]["order_fields"] == ["platform", "goods", "price", "bought_on", "order_number"]
