"""The generated configuration in the real Asterisk: it loads clean, and every call reaches a queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.real.exchange import Exchange

DEADLINE_SECONDS = 10.0


async def until(true: Callable[[], bool], what: str) -> None:
    """Wait for something Asterisk writes to a file, which tells nobody."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not true():  # noqa: ASYNC110 - a file: nothing to wait on
            await asyncio.sleep(0.02)
    assert true(), what


def events(exchange: Exchange) -> list[tuple[str, str]]:
    """``(event, queue)`` of the queue_log so far."""
    fields = [line.split("|") for line in exchange.queue_log()]
    return [(row[4], row[2]) for row in fields]


async def test_loads_without_a_warning(asterisk: Exchange) -> None:
    """Asterisk has nothing to say against any generated file."""
    assert asterisk.messages() == []
    console = (asterisk.local.places.log_dir / "console").read_text()
    assert "Unable" not in console and "ERROR" not in console


async def test_every_number_leads_to_its_line(asterisk: Exchange) -> None:
    """The loaded dialplan has each line's number, and takes any other as 12345."""
    for did in ("12345", "12315", "12333"):
        assert f"hotline-line-{did},s,1" in await asterisk.rx(f"dialplan show {did}@hotline-in")
    assert "hotline-line-12345,s,1" in await asterisk.rx("dialplan show 99999@hotline-in")


async def test_secrets_and_rights_arrive_as_meant(asterisk: Exchange) -> None:
    """A password with a semicolon is read back whole, and the server's account has its rights and no more."""
    auth = await asterisk.rx("pjsip show auth 8001")
    assert "agent-zhang;secret" in auth
    user = await asterisk.rx("manager show user hotline")
    assert "command" not in user.split("read perm:")[1].splitlines()[0]
    assert "originate" in user.split("write perm:")[1].splitlines()[0]


async def test_a_line_without_menu_waits_in_its_queue_with_no_server(asterisk: Exchange) -> None:
    """A call to 12345 joins the queue although nothing of ours runs, and queue_log tells line and number."""
    await asterisk.rx("channel originate Local/12345@hotline-in application Wait 5")
    await until(lambda: ("ENTERQUEUE", "12345") in events(asterisk), "the call waits in queue 12345")
    trace = next(line for line in asterisk.queue_log() if "|HOTLINE|" in line).split("|")
    assert trace[2:5] == ["12345", "NONE", "HOTLINE"]
    assert trace[5:7] == ["12345", "12345"]
    assert trace[7].startswith("node1-"), "the linkedid carries the node's name"


async def test_menu_server_refused_leads_to_the_queue(asterisk: Exchange) -> None:
    """With nobody at the menu server's port a caller still waits in the line's own queue."""
    await asterisk.rx("channel originate Local/12315@hotline-in application Wait 20")
    await until(lambda: ("ENTERQUEUE", "12315") in events(asterisk), "the call waits in queue 12315")


async def test_a_digit_in_the_fallback_chooses_the_line(asterisk: Exchange) -> None:
    """With the menu server gone, key 2 of the fallback leads to 12333 and the path says so."""
    await asterisk.rx("channel originate Local/12315@hotline-in application SendDTMF w2wwwwwwww")
    await until(lambda: ("ENTERQUEUE", "12333") in events(asterisk), "key 2 leads to queue 12333")
    trace = next(line for line in asterisk.queue_log() if "|HOTLINE|" in line).split("|")
    assert trace[5:9] == ["12333", "12315", trace[7], "main.2"]
