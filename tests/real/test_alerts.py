"""Alerts on the real thing: a caller waits, a supervisor is told, and told that it is over."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from hotline.metrics.grafana.dashboard import dashboard
from tests.fixtures.prometheus import RULES, promtool, recorded
from tests.fixtures.receiver import receiving
from tests.real.serving import Seat, ServerProcess, Watcher, citizen, serving, write_site

pytestmark = pytest.mark.timeout(180)

LIMITS = {
    "off": ["link", "recogniser", "disk"],  # a busy test machine has its own troubles
    "clear_seconds": 1,
    "waiting": {"more_than": 10, "for_seconds": 1, "queues": {"12333": 0}},
    "unstaffed": {"for_seconds": 0},
}


def alerts_of(page: Watcher, name: str) -> list[tuple[str, str]]:
    """Kind and subject of the alerts that the page was told of."""
    events: list[dict[str, Any]] = [event for event in page.events if event["name"] == name]
    return [(one["kind"], one["subject"]) for one in (event.get("alert", event) for event in events)]


async def test_a_waiting_caller_raises_alerts_that_clear_when_the_caller_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is signed in: board, list, Prometheus and webhook tell of it and of its end; so with a flag.

    A server killed in between tells nobody twice, and of its end under the same id.
    """
    monkeypatch.setenv("NO_PROXY", "*")
    wrong = {("waiting", "12333"), ("unstaffed", "12333")}
    async with receiving() as receiver:
        file = write_site(tmp_path, alerts=LIMITS | {"webhooks": [{"name": "duty", "url": receiver.url}]})
        async with serving(file) as server:
            await server.add_user("chief", role="supervisor")
            await server.add_user("1005", agent="1005")
            await watch_a_caller_wait_and_go(server, wrong)
            posts = [await receiver.next() for _ in range(2 * len(wrong))]
            await flag_a_caller_and_take_it_back(server)
            while (post := await receiver.next())["kind"] != "abusive" or post["event"] != "cleared":
                pass  # on a slow machine this caller waited, too
    for event in ("raised", "cleared"):
        told = {(one["kind"], one["subject"]) for one in posts if one["event"] == event}
        assert told == wrong, posts
    assert len({one["id"] for one in posts}) == len(wrong), "ended under another id"


async def watch_a_caller_wait_and_go(server: ServerProcess, wrong: set[tuple[str, str]]) -> None:
    """What the page, the API and Prometheus show meanwhile."""
    metrics = f"http://127.0.0.1:{server.site.metrics.port}/metrics"
    async with (
        Watcher(server) as page,
        citizen(server.site, "13800001234") as phone,
        httpx.AsyncClient(trust_env=False) as scrape,
    ):
        call = await phone.call("12333")
        await page.until(lambda: wrong <= set(alerts_of(page, "alert_raised")))
        listed = (await page.console.get("/api/alerts"))["alerts"]
        assert wrong <= {(one["kind"], one["subject"]) for one in listed}
        assert 'hotline_alerts{kind="waiting"} 1.0' in (await scrape.get(metrics)).text
        raised = [event for event in page.events if event["name"] == "alert_raised"]
        assert "13800001234" not in str(raised) and "劳动社保坐席" in str(raised)
        assert alerts_of(page, "alert_cleared") == []
        assert len(raised) == len(wrong), "told more than once"
        await server.kill()
        await server.start()
        async with Watcher(server) as again:
            kept = (await again.console.get("/api/alerts"))["alerts"]
            assert {one["alert_id"] for one in kept} == {one["alert_id"] for one in listed}
            await call.hangup()
            await again.until(lambda: wrong <= set(alerts_of(again, "alert_cleared")))
            assert (await again.console.get("/api/alerts"))["alerts"] == []
            assert alerts_of(again, "alert_raised") == [], "told anew after a restart"
        assert 'hotline_alerts{kind="waiting"} 0.0' in (await scrape.get(metrics)).text
        scraped = (await scrape.get(metrics)).text
    known = set(re.findall(r"^(?:# TYPE )?(\w+)", scraped, re.M)) | recorded()
    assert named_in_rules_and_dashboard() <= known, "metrics are named that are not there"
    checked = promtool("check", "metrics", stdin=scraped)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def named_in_rules_and_dashboard() -> set[str]:
    """Every metric and recording rule that the shipped rules and the dashboard read."""
    texts = [file.read_text(encoding="utf-8") for file in RULES.glob("*.yaml")]
    rules = [rule for text in texts for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    exprs = [rule["expr"] for rule in rules]
    exprs += [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", ())]
    return {name for expr in exprs for name in re.findall(r"\b(?:\w+:)?(?:hotline|process)_[\w:]+", expr)}


async def flag_a_caller_and_take_it_back(server: ServerProcess) -> None:
    """The agent marks the caller as a nuisance: the supervisor hears of it until the mark is lifted."""
    async with (
        Watcher(server) as page,
        Seat(server, "1005") as seat,
        citizen(server.site, "13800002345") as phone,
    ):
        call = await phone.call("12333")
        talk = await asyncio.wait_for(seat.next_call(), 20)
        await talk.answer()
        call_id = (await page.event("call_answered", agent="1005"))["call_id"]
        path = f"/api/calls/{call_id}/nuisance"
        await seat.console.post(path, {"nuisance": True, "kind": "abuse", "reason": "辱骂"})
        await page.until(lambda: ("abusive", call_id) in alerts_of(page, "alert_raised"))
        await seat.console.post(path, {"nuisance": False})
        await page.until(lambda: ("abusive", call_id) in alerts_of(page, "alert_cleared"))
        await call.hangup()
