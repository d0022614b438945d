"""Webhooks against a real HTTP server that is slow, refuses, breaks off or talks without end."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hotline.config.alerting import AlertsSection, Webhook, WebhookFormat
from hotline.config.schema import Line, Queue, Site
from hotline.config.secrets import SecretError, Secrets
from hotline.config.section import SecretRef
from hotline.core.alerts import Alert, AlertKind, Severity
from hotline.core.bus import MemoryBus
from hotline.core.clock import ManualClock
from hotline.core.events import AlertCleared, AlertRaised
from hotline.metrics import webhook as webhook_module
from hotline.metrics.webhook import MOST_WAITING, Webhooks, reachable
from tests.fixtures.ports import free_port
from tests.fixtures.receiver import Behaviour, Receiver, answer, break_off, drip, flood, receiving, silence

AT = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)


@dataclass
class Running:
    """Running webhooks and the bus they listen to."""

    bus: MemoryBus
    webhooks: Webhooks
    clock: ManualClock

    def raise_alert(self, number: int, severity: Severity = Severity.CRITICAL) -> Alert:
        alert = alert_of(number, severity)
        self.bus.publish(AlertRaised(AT, alert))
        return alert

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait for a count: the senders tell nobody."""
        async with asyncio.timeout(10):
            while not reached():  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    def clear(self, alert: Alert) -> None:
        self.bus.publish(AlertCleared(AT, alert.alert_id, alert.kind, alert.subject))


def alert_of(number: int, severity: Severity = Severity.CRITICAL) -> Alert:
    return Alert(f"id{number}", AlertKind.LINK, "asterisk", severity, AT, None, None, f"第{number}个", "")


@asynccontextmanager
async def running(folder: Path, *hooks: Webhook, raised: Sequence[Alert] = ()) -> AsyncIterator[Running]:
    """Webhooks at work for a site with these; ``raised``: by an earlier run."""
    site = Site(
        data_dir=folder,
        lines=(Line(id="12345", name="热线"),),
        queues=(Queue(name="12345", title="综合"),),
        alerts=AlertsSection(webhooks=hooks),
    )
    bus, clock = MemoryBus(), ManualClock()
    webhooks = Webhooks(site, bus, Secrets(folder, {"KEY": "5ecre7"}), clock, raised)
    task = asyncio.create_task(webhooks.run())
    await asyncio.sleep(0)  # it subscribes
    try:
        yield Running(bus, webhooks, clock)
        assert not task.done(), "the webhooks ended by themselves"
    finally:
        task.cancel()
        await asyncio.wait({task})


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of a test's size, and no proxy between us and the receiver."""
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(webhook_module, "POST_SECONDS", 0.3)
    monkeypatch.setattr(webhook_module, "FIRST_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(webhook_module, "LAST_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(webhook_module, "ROBOT_PAUSE_SECONDS", 0.0)


def hook(receiver: Receiver, name: str = "duty", **options: Any) -> Webhook:
    return Webhook(name=name, url=receiver.url, **options)


async def test_raised_and_cleared_arrive_signed_and_in_order(tmp_path: Path) -> None:
    """The receiver can check both with the secret that the server made for it."""
    async with receiving() as receiver, running(tmp_path, hook(receiver)) as site:
        site.clear(site.raise_alert(1))
        for event in ("raised", "cleared"):
            headers, body = await asyncio.wait_for(receiver.posts.get(), 10)
            told = json.loads(body)
            assert told["event"] == event
            assert told["text"] == (
                "第1个" if event == "raised" else "与 Asterisk 的管理连接中断：已恢复正常，持续 0 秒。"
            )
            secret = (tmp_path / "secrets" / "webhook-duty").read_text().strip()
            signed = f"{headers['x-hotline-timestamp']}.".encode() + body
            expected = hmac.new(secret.encode(), signed, "sha256").hexdigest()
            assert headers["x-hotline-signature"] == f"sha256={expected}"


async def test_what_ended_while_the_server_was_away_is_told_to_be_over(tmp_path: Path) -> None:
    """An alert that an earlier run posted is cleared under the same id."""
    alert = alert_of(1)
    async with receiving() as receiver, running(tmp_path, hook(receiver), raised=[alert]) as site:
        site.clear(alert)
        _, body = await asyncio.wait_for(receiver.posts.get(), 10)
        assert (json.loads(body)["event"], json.loads(body)["id"]) == ("cleared", "id1")


@pytest.mark.parametrize(
    "trouble",
    [answer(503), silence, break_off, drip, answer(429)],
    ids=["503", "silent", "breaks", "drips", "429"],
)
async def test_what_fails_is_tried_again_and_nothing_is_lost(tmp_path: Path, trouble: Behaviour) -> None:
    """Two failures, then the same notice is taken, and the next one after it."""
    async with receiving(trouble, trouble) as receiver, running(tmp_path, hook(receiver)) as site:
        site.raise_alert(1)
        site.raise_alert(2)
        assert [(await receiver.next())["id"] for _ in range(4)] == ["id1", "id1", "id1", "id2"]
        assert (site.webhooks.counts.failures, site.webhooks.counts.dropped) == (2, 0)


async def test_a_server_that_is_not_there_yet_gets_it_later(tmp_path: Path) -> None:
    """Connection refused, then the receiver comes up on that port."""
    port = free_port()
    absent = Webhook(name="duty", url=f"http://127.0.0.1:{port}/hook")
    async with running(tmp_path, absent) as site:
        site.raise_alert(1)
        await site.until(lambda: site.webhooks.counts.failures >= 2)
        async with receiving(port=port) as receiver:
            assert (await receiver.next())["id"] == "id1"


async def test_a_refused_notice_is_not_repeated(tmp_path: Path) -> None:
    """404 will not get better: the next notice is posted instead, and the loss is counted."""
    async with receiving(answer(404)) as receiver, running(tmp_path, hook(receiver)) as site:
        site.raise_alert(1)
        site.raise_alert(2)
        assert [(await receiver.next())["id"] for _ in range(2)] == ["id1", "id2"]
        assert site.webhooks.counts.dropped == 1


async def test_an_endless_answer_is_cut_short(tmp_path: Path) -> None:
    """A 200 that never ends counts as taken, and the next notice goes out."""
    async with receiving(flood) as receiver, running(tmp_path, hook(receiver)) as site:
        site.raise_alert(1)
        site.raise_alert(2)
        assert [(await receiver.next())["id"] for _ in range(2)] == ["id1", "id2"]


async def test_one_dead_receiver_does_not_hold_up_another(tmp_path: Path) -> None:
    """While one never answers, the other gets every notice; the publisher waits for neither."""
    async with (
        receiving(then=silence) as dead,
        receiving() as alive,
        running(tmp_path, hook(dead, "dead"), hook(alive, "alive")) as site,
    ):
        for number in range(20):
            site.raise_alert(number)
        came: list[str] = []
        while came[-1:] != ["id19"]:
            came.append((await alive.next())["id"])
        assert list(dict.fromkeys(came)) == [f"id{n}" for n in range(20)]  # one may come twice: a slow answer


async def test_too_many_notices_drop_the_oldest(tmp_path: Path) -> None:
    """Memory stays bounded: of 300 notices for a dead receiver the newest hundred wait."""
    async with receiving(then=silence) as receiver, running(tmp_path, hook(receiver)) as site:
        site.raise_alert(0)
        assert (await receiver.next())["id"] == "id0"  # this one is in hand
        for number in range(1, 301):
            site.raise_alert(number)
        receiver.then = answer(204)
        seen: list[str] = []
        while "id300" not in seen:
            seen.append((await receiver.next())["id"])
        assert [one for one in seen if one != "id0"] == [f"id{n}" for n in range(301 - MOST_WAITING, 301)]
        assert site.webhooks.counts.dropped == 300 - MOST_WAITING


async def test_what_is_too_old_is_given_up(tmp_path: Path) -> None:
    """After ten minutes of failures the notice is dropped and a fresh one is tried."""
    async with receiving(then=answer(503)) as receiver, running(tmp_path, hook(receiver)) as site:
        site.raise_alert(1)
        await receiver.next()
        site.clock.advance(601)
        site.raise_alert(2)
        while (await receiver.next())["id"] == "id1":
            pass
        assert site.webhooks.counts.dropped == 1


async def test_a_robot_gets_what_waited_in_one_message(tmp_path: Path) -> None:
    """While the first message is on its way, three more alerts gather and come together."""
    taken = answer(200, b'{"errcode":0,"errmsg":"ok"}')
    busy = answer(200, b'{"errcode":45009,"errmsg":"api freq out of limit"}')
    async with receiving(busy, then=taken) as receiver:
        group = Webhook(
            name="group",
            url=f"{receiver.url}?key={{key}}",
            key=SecretRef(env="KEY"),
            format=WebhookFormat.WECOM,
        )
        async with running(tmp_path, group) as site:
            site.raise_alert(0)
            texts = [await text_of(receiver)]
            for number in range(1, 4):
                site.raise_alert(number)
            texts += [await text_of(receiver), await text_of(receiver)]
    assert "第0个" in texts[0] == texts[1]
    assert [f"第{n}个" in texts[2] for n in range(4)] == [False, True, True, True]
    assert site.webhooks.counts.dropped == 0


async def text_of(receiver: Receiver) -> str:
    """The text of the next message to a robot."""
    return str((await receiver.next())["text"]["content"])


async def test_only_what_is_grave_enough_is_posted(tmp_path: Path) -> None:
    """A webhook for critical alerts is not told of warnings, nor that they are over."""
    async with receiving() as receiver:
        async with running(tmp_path, hook(receiver, at_least=Severity.CRITICAL)) as site:
            site.clear(site.raise_alert(1, Severity.WARNING))
            site.raise_alert(2)
            assert (await receiver.next())["id"] == "id2"


async def test_no_log_line_holds_the_key(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A robot's key stands in its address: whatever fails, no address gets into the log."""
    caplog.set_level(logging.DEBUG)
    async with receiving(answer(503), break_off, silence, then=answer(403)) as receiver:
        secretive = Webhook(name="duty", url=f"{receiver.url}?key={{key}}", key=SecretRef(env="KEY"))
        async with running(tmp_path, secretive) as site:
            site.raise_alert(1)
            for _ in range(4):
                headers, _body = await asyncio.wait_for(receiver.posts.get(), 10)
                assert "key=5ecre7" in headers[""]
            await site.until(lambda: site.webhooks.counts.dropped > 0)
    assert "webhook duty" in caplog.text and "5ecre7" not in caplog.text


async def test_a_missing_secret_is_told_before_anything_runs(tmp_path: Path) -> None:
    """The error names the variable that is not set."""
    missing = Webhook(name="duty", url="https://duty.example/{key}", key=SecretRef(env="NOT_SET"))
    with pytest.raises(SecretError, match="NOT_SET"):
        async with running(tmp_path, missing):
            pass


async def test_the_doctor_reaches_a_webhook_without_telling_it_anything(tmp_path: Path) -> None:
    """A HEAD request, no body, and whatever it answers shows that somebody is there."""
    async with receiving(then=answer(405)) as receiver:
        assert await reachable(hook(receiver), Secrets(tmp_path)) == 405
        headers, body = receiver.posts.get_nowait()
        assert headers[""].startswith("HEAD ") and body == b""
