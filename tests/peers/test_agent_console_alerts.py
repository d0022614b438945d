"""Alerts on the page: the list over HTTP, the news over the socket, and who gets neither."""

from __future__ import annotations

from pathlib import Path

from hotline.core.alerts import Alert, AlertKind, Severity
from hotline.core.events import AlertCleared, AlertRaised
from tests.fixtures.console import AT, running_console, says

ALERT = Alert(
    "n1:waiting:12345:1", AlertKind.WAITING, "12345", Severity.WARNING, AT, 12.0, 10.0,
    "“综合”有 12 人排队（上限 10）", "12 callers wait for 综合 (limit 10)",
)  # fmt: skip
SHOWN = {
    "alert_id": "n1:waiting:12345:1", "kind": "waiting", "subject": "12345", "severity": "warning",
    "since": "2026-11-02T01:00:00Z", "value": 12.0, "limit": 10.0,
    "text": ALERT.text, "text_en": ALERT.text_en,
}  # fmt: skip


async def test_supervisors_read_what_is_wrong_now(tmp_path: Path) -> None:
    """The list is for supervisors; an agent gets 403, nobody 401."""
    async with running_console(tmp_path) as console:
        console.alerts.now = (ALERT,)
        chief = await console.user("chief", "supervisor")
        assert (await chief.get("/api/alerts")).json() == {"alerts": [SHOWN]}
        refused = await (await console.user("zhang", agent="a1")).get("/api/alerts")
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "forbidden")
        assert (await console.client().get("/api/alerts")).status_code == 401


async def test_the_board_hears_at_once_and_an_agent_never(tmp_path: Path) -> None:
    """Raised and cleared reach a supervisor's board; an agent's page is told nothing of either."""
    async with running_console(tmp_path) as console:
        chief, zhang = await console.user("chief", "supervisor"), await console.user("zhang", agent="a1")
        async with console.page(chief) as board, console.page(zhang) as page:
            await board.hello("board")
            await board.until("snapshot")
            await page.hello("agent", "board")
            await page.until("snapshot")
            console.publish(
                AlertRaised(AT, ALERT), AlertCleared(AT, ALERT.alert_id, ALERT.kind, ALERT.subject)
            )
            raised, cleared = await board.until("event"), await board.until("event")
            assert (raised["name"], raised["data"]["alert"]) == ("alert_raised", SHOWN)
            assert cleared["name"] == "alert_cleared"
            assert cleared["data"]["alert_id"] == SHOWN["alert_id"]
            console.picture.talk("c1", "a1")
            console.publish(*(says("c1", "您好"),))
            assert "alert" not in str(await page.frame())
