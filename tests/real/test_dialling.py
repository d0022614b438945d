"""拨测 on the real thing: our own phone calls the hotline, walks its menu and reaches an agent."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.real.serving import Seat, ServerProcess, Watcher, serving, write_site
from tests.real.tones import tone

pytestmark = pytest.mark.timeout(150)

CALLER = "12345999"


async def test_a_test_call_says_what_the_phones_and_the_ledger_say(tmp_path: Path) -> None:
    """By the menu's key to an agent, who hums: who answered, when, how loud; and what nobody may dial."""
    async with serving(write_site(tmp_path, test_dialling={"caller_number": CALLER})) as server:
        await server.add_user("chief", role="supervisor")
        await server.add_user("1003", agent="1003")
        async with Watcher(server) as page, Seat(server, "1003") as seat:
            order = {"number": "12315", "keys": "1", "seconds": 40, "unit": "湘乡市"}
            await page.console.post("/api/test-calls", order)
            talk = await asyncio.wait_for(seat.next_call(), 30)
            await talk.answer()
            answered = await page.event("call_answered", agent="1003")
            await talk.play(tone(2.0, 440)).done()
            assert talk.heard.packets, "the tester's phone sends its silence"
            await talk.hangup()
            trial = await written_down(server, page)
            await check(server, trial, answered)
            marks = {"menu": 10, "answering": 10, "manner": 37.5, "knowledge": 24.75, "call_back": 10}
            marked = await page.console.post(f"/api/test-calls/{trial['trial_id']}/marks", marks)
            assert marked["marks"]["manner"] == 37.5


async def written_down(server: ServerProcess, page: Watcher) -> dict[str, Any]:
    """The test call once its text is there; the recogniser takes a few seconds to load its model."""
    async with asyncio.timeout(60):
        while True:
            kept = (await page.console.get("/api/test-calls"))["test_calls"]
            if kept and kept[0]["text"] is not None:
                assert len(kept) == 1
                return dict(kept[0])
            await asyncio.sleep(0.2)  # pages ask again, too


async def check(server: ServerProcess, trial: dict[str, Any], answered: dict[str, Any]) -> None:
    """What was measured, against the row and what the phones did."""
    (row,) = await server.rows()
    (call,) = await server.calls()
    assert call.caller_number == CALLER
    assert (trial["result"], trial["agent"], trial["reached_line"]) == ("answered", "1003", "12315")
    assert trial["call_id"] == call.call_id == answered["call_id"]
    assert row.answered_at is not None
    waited = (row.answered_at - call.started_at) / timedelta(seconds=1)
    assert trial["answer_seconds"] < 3, "the exchange answers at once"
    assert trial["person_seconds"] == pytest.approx(waited - trial["answer_seconds"], abs=2)
    key, _, moment = trial["keys"].partition("@")
    assert key == "1" and 0 < float(moment) < trial["person_seconds"]
    assert trial["sound_seconds"] < float(moment), "the prompt comes first"
    assert 2 < trial["spoken_seconds"] < 40, "the agent's hang-up ended it"
    assert -30 < trial["level_dbfs"] < -8 and 0 < trial["silent_share"] < 1
    assert trial["has_sound"]
