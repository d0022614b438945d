"""The console's HTTP API, spoken to as a browser does."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from hotline.agent_console.identity import COOKIE
from hotline.agent_console.server import ConsoleServer, listen
from hotline.core.clock import ManualClock
from hotline.core.errors import ExchangeUnreachable, IllegalState, SetupError
from hotline.core.events import Outcome
from hotline.store.database import sessions_of
from hotline.store.models import Session, User
from tests.fixtures.console import (
    PASSWORD,
    ConsoleUnderTest,
    ringing,
    running_console,
    site_with,
    store_call,
)


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[ConsoleUnderTest]:
    async with running_console(tmp_path) as running:
        yield running


def code_of(response: httpx.Response) -> str:
    error = response.json()["error"]
    assert set(error) == {"code", "message", "hint"}
    return str(error["code"])


async def sign_in(client: httpx.AsyncClient, user: str, password: str = PASSWORD) -> httpx.Response:
    return await client.post("/api/session", json={"user": user, "password": password})


async def test_signing_in_gives_a_cookie_that_scripts_and_other_sites_cannot_use(
    console: ConsoleUnderTest,
) -> None:
    """The answer says who one is; the cookie is HttpOnly, SameSite=Strict, and not stored in the clear."""
    client = await console.user("zhang", agent="a1")
    response = await sign_in(client, "zhang")
    me = response.json()
    assert (me["user"], me["name"], me["role"], me["agent"]["agent"]) == ("zhang", "zhang同志", "agent", "a1")
    assert me["queues"] == [{"queue": "12345", "title": "综合"}]
    flags = response.headers["set-cookie"].lower()
    assert "httponly" in flags and "samesite=strict" in flags and "secure" not in flags
    assert (await client.get("/api/session")).json() == me
    token = client.cookies[COOKIE]
    async with sessions_of(console.engine)() as session:
        kept = list(await session.scalars(select(Session.token_hash)))
        assert kept and token not in kept
        stored = await session.scalar(select(User.password_hash))
        assert stored is not None and stored.startswith("$argon2id$") and PASSWORD not in stored


async def test_behind_tls_the_cookie_is_secure(tmp_path: Path) -> None:
    """web.secure_cookies keeps the cookie off plain connections."""
    async with running_console(tmp_path, site=site_with(secure_cookies=True)) as console:
        await console.accounts.add("zhang", "张", "agent", None, PASSWORD, by="test")
        response = await sign_in(console.client(), "zhang")
        assert "secure" in response.headers["set-cookie"].lower()


async def test_a_wrong_password_and_an_unknown_user_look_the_same(console: ConsoleUnderTest) -> None:
    """Nothing tells which accounts exist."""
    await console.user("zhang")
    wrong = await sign_in(console.client(), "zhang", "wrong password")
    unknown = await sign_in(console.client(), "nobody", "wrong password")
    odd = await sign_in(console.client(), "不存在\u2028", "wrong password")
    assert wrong.status_code == unknown.status_code == odd.status_code == 401
    assert code_of(wrong) == "wrong_credentials"
    assert wrong.json() == unknown.json() == odd.json()


async def test_guessing_is_slowed_down_and_ends_with_time(tmp_path: Path) -> None:
    """After five wrong passwords even the right one waits; Retry-After says how long."""
    clock = ManualClock()
    async with running_console(tmp_path, clock=clock) as console:
        await console.accounts.add("zhang", "张", "agent", None, PASSWORD, by="test")
        client = console.client()
        for _ in range(5):
            assert (await sign_in(client, "zhang", "wrong password")).status_code == 401
        refused = await sign_in(client, "zhang")
        assert (refused.status_code, code_of(refused)) == (429, "too_many_attempts")
        clock.advance(float(refused.headers["retry-after"]) + 1)
        assert (await sign_in(client, "zhang")).status_code == 200


async def test_guesses_at_the_same_moment_are_counted_too(console: ConsoleUnderTest) -> None:
    """Twenty wrong passwords sent side by side get five tries, not twenty."""
    await console.user("zhang")
    client = console.client()
    answers = await asyncio.gather(*(sign_in(client, "zhang", "wrong password") for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 15


async def test_a_session_ends_with_its_hours(tmp_path: Path) -> None:
    """After web.session_hours the cookie opens nothing."""
    clock = ManualClock()
    async with running_console(tmp_path, clock=clock, site=site_with(session_hours=1)) as console:
        client = await console.user("zhang")
        clock.advance(3599)
        assert (await client.get("/api/session")).status_code == 200
        clock.advance(2)
        gone = await client.get("/api/session")
        assert (gone.status_code, code_of(gone)) == (401, "not_signed_in")


async def test_signing_out_ends_the_session_on_the_server(console: ConsoleUnderTest) -> None:
    """A copied cookie is worth nothing afterwards."""
    client = await console.user("zhang")
    token = client.cookies[COOKIE]
    assert (await client.delete("/api/session")).status_code == 204
    thief = console.client()
    thief.cookies.set(COOKIE, token)
    assert (await thief.get("/api/session")).status_code == 401


async def test_a_disabled_user_is_out_at_once(console: ConsoleUnderTest) -> None:
    """The running session ends, and the right password no longer opens one."""
    client = await console.user("zhang")
    await console.accounts.disable("zhang", by="test")
    assert (await client.get("/api/session")).status_code == 401
    assert code_of(await sign_in(client, "zhang")) == "wrong_credentials"


async def test_without_a_session_nothing_is_told(console: ConsoleUnderTest) -> None:
    """Every address but the probe and the sign-in wants a session."""
    client = console.client()
    for path in (
        "/api/session",
        "/api/site",
        "/api/live",
        "/api/figures/today",
        "/api/calls",
        "/api/calls/c1",
    ):
        response = await client.get(path)
        assert (response.status_code, code_of(response)) == (401, "not_signed_in"), path
    for path in ("/api/agent/sign-in", "/api/agent/resume", "/api/calls/c1/reveal"):
        assert (await client.post(path)).status_code == 401, path
    health = await client.get("/healthz")
    assert health.json().keys() == {"ok", "link_up", "version"} and health.json()["ok"] is True


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
async def test_a_foreign_page_cannot_act(console: ConsoleUnderTest, origin: str) -> None:
    """With another site's Origin a signed-in browser changes nothing; with the own one it does."""
    client = await console.user("zhang", agent="a1")
    refused = await client.post("/api/agent/sign-in", headers={"Origin": origin})
    assert (refused.status_code, code_of(refused)) == (403, "wrong_origin")
    assert console.desk.asked == []
    own = await client.post("/api/agent/sign-in", headers={"Origin": console.base})
    assert own.status_code == 200


async def test_an_agent_moves_their_own_seat(console: ConsoleUnderTest) -> None:
    """Sign in, pause with a reason of the list, resume, sign out: each answers with the seat."""
    client = await console.user("zhang", agent="a1")
    assert (await client.post("/api/agent/sign-in")).json()["state"] == "ready"
    paused = await client.post("/api/agent/pause", json={"reason": "小休"})
    assert (paused.json()["state"], paused.json()["reason"]) == ("paused", "小休")
    assert (await client.post("/api/agent/resume")).json()["state"] == "ready"
    assert (await client.post("/api/agent/sign-out")).json()["state"] == "signed_out"
    assert [asked[:2] for asked in console.desk.asked] == [
        ("sign_in", "a1"), ("pause", "a1"), ("resume", "a1"), ("sign_out", "a1"),
    ]  # fmt: skip


async def test_what_the_desk_cannot_do_is_told_with_a_hint(console: ConsoleUnderTest) -> None:
    """No seat, an unknown reason, an illegal moment, no exchange: each with its own code."""
    client = await console.user("zhang", agent="a1")
    guest = await console.user("guest", "supervisor")
    assert code_of(await guest.post("/api/agent/sign-in")) == "no_seat"
    unknown = await client.post("/api/agent/pause", json={"reason": "x\r\nAction: Hangup"})
    assert (unknown.status_code, code_of(unknown)) == (400, "unknown_reason")
    console.desk.fails = IllegalState("not signed in", hint="sign in first")
    illegal = await client.post("/api/agent/resume")
    assert (illegal.status_code, code_of(illegal)) == (409, "illegal_now")
    assert illegal.json()["error"]["hint"] == "sign in first"
    console.desk.fails = ExchangeUnreachable("Asterisk does not answer")
    down = await client.post("/api/agent/resume")
    assert (down.status_code, code_of(down)) == (503, "exchange_unreachable")


async def test_the_site_is_told_once(console: ConsoleUnderTest) -> None:
    """Lines with labels and queues, pause reasons and the norms."""
    client = await console.user("zhang")
    site = (await client.get("/api/site")).json()
    assert site["lines"][1] == {
        "id": "12315", "label": "12315", "name": "市场监管", "parent": "12345", "queue": "12315",
        "order_fields": ["platform", "goods", "price", "bought_on", "order_number"],
        "keywords": [],
    }  # fmt: skip
    assert site["within_seconds"] == 15 and "小休" in site["pause_reasons"]


async def test_the_live_picture_is_cut_to_the_viewer(console: ConsoleUnderTest) -> None:
    """A supervisor sees all talks, an agent the own one, both with masked numbers."""
    console.picture.talk("c1", "a1")
    console.picture.talk("c2", "a2")
    zhang = await console.user("zhang", agent="a1")
    chief = await console.user("chief", "supervisor")
    own = (await zhang.get("/api/live")).json()
    assert [one["call_id"] for one in own["calls"]] == ["c1"]
    assert [one["agent"] for one in own["agents"]] == ["a1"]
    assert own["calls"][0]["caller_number"] == own["calls"][0]["caller_name"] == "138****1234"
    assert len(own["waiting"]) == 1
    assert len((await chief.get("/api/live")).json()["calls"]) == 2


async def test_past_calls_are_the_agents_own_and_page_back(console: ConsoleUnderTest) -> None:
    """Newest first, masked, one's own; ``before`` goes on where a page ended; supervisors see all."""
    for number in range(3):
        await store_call(console, f"c{number}", "a1", minutes=number)
    await store_call(console, "other", "a2", minutes=9)
    await store_call(console, "lost", None, minutes=10)
    zhang = await console.user("zhang", agent="a1")
    chief = await console.user("chief", "supervisor")
    first = (await zhang.get("/api/calls?limit=2")).json()["calls"]
    assert [one["call_id"] for one in first] == ["c2", "c1"]
    assert first[0]["menu_path"] == ["消费维权", "预付卡"]
    assert (first[0]["caller_number"], first[0]["wait_seconds"]) == ("138****1234", 2.5)
    rest = await zhang.get("/api/calls", params={"limit": 2, "before": first[-1]["started_at"]})
    assert [one["call_id"] for one in rest.json()["calls"]] == ["c0"]
    everything = (await chief.get("/api/calls")).json()["calls"]
    assert [one["call_id"] for one in everything] == ["lost", "other", "c2", "c1", "c0"]
    assert everything[0]["outcome"] == Outcome.ABANDONED
    nobody = await console.user("nobody")
    assert (await nobody.get("/api/calls")).json() == {"calls": []}


async def test_a_call_of_a_colleague_is_not_there(console: ConsoleUnderTest) -> None:
    """Text and number of another seat's call answer 404, as a call that never was; the own one opens."""
    await store_call(console, "c1", "a1")
    console.transcripts.add("c1", "我要投诉")
    zhang = await console.user("zhang", agent="a1")
    li = await console.user("li", agent="a2")
    mine = (await zhang.get("/api/calls/c1")).json()
    assert mine["segments"][0]["text"] == "我要投诉"
    assert mine["call"]["caller_number"] == "138****1234"
    for path in ("/api/calls/c1", "/api/calls/never-was"):
        refused = await li.get(path)
        assert (refused.status_code, code_of(refused)) == (404, "not_found")
    assert (await li.post("/api/calls/c1/reveal")).status_code == 404


async def test_a_call_that_rings_can_be_opened_before_it_is_stored(console: ConsoleUnderTest) -> None:
    """The agent at whose seat it rings sees it although the database has no row yet."""
    li = await console.user("li", agent="a2")
    console.picture.talk("c1", "a1")
    zhang = await console.user("zhang", agent="a1")
    assert (await zhang.get("/api/calls/c1")).json()["call"]["line"] == "12345"
    assert (await li.get("/api/calls/c1")).status_code == 404
    await store_call(console, "c2", None)
    console.publish(ringing("c2", "a2"))
    async with console.page(li) as page:  # joining brings the hub up to date
        await page.hello("agent")
        await page.until("snapshot")
    assert (await li.get("/api/calls/c2")).status_code == 200


async def test_a_full_number_is_shown_only_with_a_record_of_it(console: ConsoleUnderTest) -> None:
    """Reveal answers the whole number and leaves who, what and when in the audit log."""
    await store_call(console, "c1", "a1")
    zhang = await console.user("zhang", agent="a1")
    assert (await zhang.post("/api/calls/c1/reveal")).json() == {"caller_number": "13812341234"}
    newest = (await console.audit.recent())[0]
    assert (newest.user, newest.action, newest.subject) == ("zhang", "reveal_number", "c1")


async def test_no_number_is_shown_when_it_cannot_be_recorded(console: ConsoleUnderTest) -> None:
    """With the audit table gone the answer is an error without the number."""
    await store_call(console, "c1", "a1")
    zhang = await console.user("zhang", agent="a1")
    async with console.engine.begin() as connection:
        await connection.exec_driver_sql("DROP TABLE audit")
    refused = await zhang.post("/api/calls/c1/reveal")
    assert (refused.status_code, code_of(refused)) == (503, "database_unavailable")
    assert "138" not in refused.text


async def test_pages_say_how_to_be_built_when_they_are_not(console: ConsoleUnderTest) -> None:
    """Without the browser app the server still answers, in Chinese first."""
    for path in ("/", "/agent", "/board", "/wallboard", "/login"):
        page = await console.client().get(path)
        assert page.status_code == 503 and "make web" in page.text


async def test_built_pages_are_served_with_safe_headers(tmp_path: Path) -> None:
    """The router's addresses get the index, hashed files are kept for ever, nothing outside is reached."""
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<html>app</html>", encoding="utf-8")
    (dist / "assets" / "index-abc123.js").write_text("let x;", encoding="utf-8")
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    async with running_console(tmp_path, web_dist=dist) as console:
        client = console.client()
        for path in ("/", "/agent", "/board", "/wallboard", "/login", "/agent/anything"):
            page = await client.get(path)
            assert (page.status_code, page.text) == (200, "<html>app</html>"), path
            assert page.headers["cache-control"] == "no-cache"
            policy = page.headers["content-security-policy"]
            scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
            assert "unsafe" not in scripts
            assert page.headers["x-frame-options"] == "DENY"
            assert page.headers["x-content-type-options"] == "nosniff"
        asset = await client.get("/assets/index-abc123.js")
        assert "immutable" in asset.headers["cache-control"]
        assert "javascript" in asset.headers["content-type"]
        assert (await client.get("/assets/none.js")).status_code == 404
        for path in ("/../secret.txt", "/assets/../../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt"):
            assert "secret" != (await client.get(path)).text
        missing = await client.get("/api/none")
        assert (missing.status_code, code_of(missing)) == (404, "not_found")


async def test_a_taken_port_is_said_in_one_line() -> None:
    """The error names the port and what to change."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SetupError, match=f"port {port} .* is taken") as caught:
            listen("127.0.0.1", port)
    assert "web.port" in str(caught.value)


async def test_an_address_of_another_machine_is_said_in_one_line() -> None:
    """A wrong web.host is a problem of the set-up, not a crash."""
    with pytest.raises(SetupError, match=r"192\.0\.2\.1"):
        listen("192.0.2.1", 0)


async def test_stopping_twice_or_before_the_start_is_no_error(tmp_path: Path) -> None:
    """Aclose may come at any time and from anywhere."""
    async with running_console(tmp_path) as console:
        await console.server.aclose()
        await console.server.aclose()
        with pytest.raises(httpx.ConnectError):
            await console.client().get("/healthz")
        never = ConsoleServer(console.deps)
        await never.aclose()
