"""What a call is about, over HTTP: who sees what."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from hotline.core.drafts import RequestType
from hotline.core.events import CallUnderstood, Side
from hotline.core.understanding import CallPoints, Cite, Point, PointKind, Proposal
from tests.fixtures.console import AT, ConsoleUnderTest, answered, running_console, store_call

FIRST = (Cite(Side.CALLER, 1),)
POINTS = CallPoints(
    "c1",
    AT,
    3,
    True,
    (
        Point(PointKind.REQUEST_TYPE, "complaint", 0.8, ("cue:我要投诉",), FIRST),
        Point(
            PointKind.SUMMARY,
            "投诉：人民路260号的健身房，卡号6222021234567890。",
            0.8,
            ("sentences of most weight",),
            FIRST,
        ),
        Point(PointKind.PLACE, "人民路260号", 0.9, ("place:house",), FIRST),
        Point(PointKind.PHONE, "13955501234", 0.95, ("phone:mobile",), (Cite(Side.CALLER, 2),)),
        Point(PointKind.ORDER_NUMBER, "202611020001", 0.9, ("order:said",), (Cite(Side.CALLER, 3),)),
    ),
)


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[ConsoleUnderTest]:
    async with running_console(tmp_path) as running:
        running.picture.talk("c1", "a1")
        running.publish(answered("c1", "a1"))
        running.points.known["c1"] = POINTS
        running.points.offered = (Proposal("phone", "13955501234", FIRST),)
        yield running


async def test_whoever_has_the_call_sees_all_and_is_offered_it(console: ConsoleUnderTest) -> None:
    """Values, rules, score and utterances; and what goes into the draft."""
    agent = await console.user("zhang", agent="a1")
    told = (await agent.get("/api/calls/c1/points")).json()
    assert told["points"]["points"][2] == {
        "kind": "place",
        "value": "人民路260号",
        "score": 0.9,
        "rules": ["place:house"],
        "cites": [{"side": "caller", "utterance": 1}],
    }
    assert told["points"]["points"][3]["value"] == "13955501234"
    assert told["proposals"] == [
        {"field": "phone", "value": "13955501234", "cites": [{"side": "caller", "utterance": 1}]}
    ]


async def test_others_see_numbers_masked_and_are_offered_nothing(console: ConsoleUnderTest) -> None:
    """A supervisor reads what it is about; whose house and telephone it is, is hidden, in the summary too."""
    chief = await console.user("chief", "supervisor")
    told = (await chief.get("/api/calls/c1/points")).json()
    assert [one["value"] for one in told["points"]["points"]] == [
        "complaint",
        "投诉：人民路***号的健身房，卡号622*********7890。",
        "人民路***号",
        "139****1234",
        "202*****0001",
    ]
    assert told["proposals"] == []
    console.picture.view = replace(console.picture.view, calls=(), agents=())  # it is over
    assert (await chief.get("/api/calls/c1/points")).status_code == 404
    await store_call(console, "c1", "a1")
    assert (await chief.get("/api/calls/c1/points")).json() == told


async def test_a_call_of_others_is_nobodys_business(console: ConsoleUnderTest) -> None:
    """As for its text; and of a call that nothing is known of nothing is said."""
    other, chief = await console.user("li", agent="a2"), await console.user("chief", "supervisor")
    assert (await other.get("/api/calls/c1/points")).status_code == 404
    console.points.known.clear()
    assert (await chief.get("/api/calls/c1/points")).json() == {"points": None, "proposals": []}


async def test_the_page_is_told_that_there_is_more(console: ConsoleUnderTest) -> None:
    """The event goes to whoever has the call, and says nothing that is to be hidden."""
    agent = await console.user("zhang", agent="a1")
    async with console.page(agent) as page:
        await page.hello("agent")
        await page.until("snapshot")
        console.publish(CallUnderstood("c1", AT, 4, False, False, RequestType.COMPLAINT, "消费维权"))
        frame = await page.until("event")
    assert (frame["name"], frame["data"]["revision"]) == ("call_understood", 4)
