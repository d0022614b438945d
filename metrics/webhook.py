"""Alerts to the site's webhooks. Nothing waits for them: each has a task and a queue of its own.

Policy: at most ``MOST_WAITING`` notices wait for a webhook, the oldest is dropped for one more; what could
not be told within ``GIVE_UP_SECONDS`` is dropped: by then somebody has looked at the page. Both are counted.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import httpx

from hotline.config.alerting import KEY_PLACE, Webhook, WebhookFormat
from hotline.config.schema import Site
from hotline.config.secrets import Secrets
from hotline.config.section import SecretRef
from hotline.core.alerts import Alert, Severity
from hotline.core.backoff import backoff
from hotline.core.bus import follow
from hotline.core.clock import Clock
from hotline.core.events import AlertCleared, AlertRaised, Event
from hotline.core.ports import Bus, Feed
from hotline.metrics.prometheus import Number
from hotline.metrics.webhook_formats import Notice, Post, Target, Verdict, fitting, make_post, verdict

log = logging.getLogger(__name__)

POST_SECONDS: Final = 5.0  # for the whole of one post
GIVE_UP_SECONDS: Final = 600.0
MOST_WAITING: Final = 100
ROBOT_PAUSE_SECONDS: Final = 3.0  # robots take 20 messages a minute
ANSWER_BYTES: Final = 64 * 1024  # more of an answer is not read
FIRST_RETRY_SECONDS: Final = 1.0
LAST_RETRY_SECONDS: Final = 60.0
FEED_LIMIT: Final = 2_000


def target_of(hook: Webhook, secrets: Secrets) -> Target:
    """The webhook with its secrets in place.

    Raises:
        SecretError: one of them cannot be had.
    """
    url, secret = hook.url, None
    if hook.key is not None:
        url = url.replace(KEY_PLACE, quote(secrets.resolve(hook.key, f"webhook-key-{hook.name}"), safe=""))
    if hook.format is WebhookFormat.JSON or hook.secret is not None:
        secret = secrets.resolve(hook.secret or SecretRef(), f"webhook-{hook.name}").encode()
    return Target(hook.name, url, hook.format, secret)


def make_client() -> httpx.AsyncClient:
    """A client for posts: this machine's certificates and proxies, no redirects."""
    for name in ("httpx", "httpcore"):  # their lower lines hold addresses, which hold keys
        logging.getLogger(name).setLevel(logging.WARNING)
    return httpx.AsyncClient(
        verify=ssl.create_default_context(), timeout=POST_SECONDS, headers={"Accept-Encoding": "identity"}
    )


async def exchange(client: httpx.AsyncClient, post: Post) -> tuple[int, bytes]:
    """Post it; the status, and the beginning of the answer.

    Raises:
        httpx.HTTPError: it could not be reached.
    """
    answer = bytearray()
    async with client.stream("POST", post.url, headers=post.headers, content=post.body) as response:
        async for chunk in response.aiter_raw():
            answer += chunk
            if len(answer) >= ANSWER_BYTES:
                break
    return response.status_code, bytes(answer[:ANSWER_BYTES])


@dataclass(slots=True)
class Counts:
    """Since the start, all webhooks."""

    posts: int = 0
    failures: int = 0
    dropped: int = 0


class Sender:
    """One webhook: ``put`` never waits; ``run`` posts until cancelled."""

    def __init__(
        self, target: Target, site: Site, client: httpx.AsyncClient, clock: Clock, counts: Counts
    ) -> None:
        self.target = target
        self._site, self._client, self._clock, self._counts = site, client, clock, counts
        self._waiting: deque[tuple[float, Notice]] = deque()
        self._wake = asyncio.Event()

    def put(self, notice: Notice) -> None:
        """Queue a notice; the oldest goes when too many wait."""
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            self._counts.dropped += 1
        self._waiting.append((self._clock.monotonic(), notice))
        self._wake.set()

    async def run(self) -> None:
        """Post what is put, in order."""
        while True:
            self._wake.clear()
            if not self._waiting:
                await self._wake.wait()
            count = fitting(self.target, [notice for _, notice in self._waiting], self._site)
            since, _ = self._waiting[0]
            batch = [self._waiting.popleft()[1] for _ in range(count)]
            if not await self._deliver(batch, give_up_at=since + GIVE_UP_SECONDS):
                self._counts.dropped += count
            if self.target.is_robot:
                await asyncio.sleep(ROBOT_PAUSE_SECONDS)

    async def _deliver(self, batch: list[Notice], *, give_up_at: float) -> bool:
        """Try until it is told, refused or too old; whether it was told."""
        pauses = backoff(initial_seconds=FIRST_RETRY_SECONDS, max_seconds=LAST_RETRY_SECONDS)
        while True:
            match await self._post(batch):
                case Verdict.TAKEN:
                    return True
                case Verdict.REFUSED:
                    return False
                case Verdict.LATER:
                    self._counts.failures += 1
            if self._clock.monotonic() >= give_up_at:
                log.error("webhook %s: given up after %.0f s", self.target.name, GIVE_UP_SECONDS)
                return False
            await asyncio.sleep(next(pauses))

    async def _post(self, batch: list[Notice]) -> Verdict:
        name = self.target.name
        self._counts.posts += 1
        try:
            async with asyncio.timeout(POST_SECONDS):
                post = make_post(self.target, batch, self._site, self._clock.now())
                status, answer = await exchange(self._client, post)
        except (httpx.HTTPError, OSError) as error:
            log.warning("webhook %s: not reached (%s)", name, type(error).__name__)
            return Verdict.LATER
        except Exception:  # a fault of ours with one notice must not end the others, nor the server
            log.exception("webhook %s: a notice could not be posted", name)
            return Verdict.REFUSED
        told = verdict(self.target, status, answer)
        if told is not Verdict.TAKEN:
            words = answer[:200].decode(errors="replace") if self.target.is_robot else ""
            log.warning("webhook %s: %s with status %d %r", name, told.value, status, words)
        return told


class Webhooks:
    """All webhooks of a site.

    Args:
        site: its webhooks.
        bus: where alerts are told.
        secrets: keys and signatures.
        clock: the present.
        raised: alerts of an earlier run, which were posted then.

    Raises:
        SecretError: one of the secrets cannot be had.
    """

    def __init__(
        self, site: Site, bus: Bus, secrets: Secrets, clock: Clock, raised: Iterable[Alert] = ()
    ) -> None:
        self.counts = Counts()
        self._site, self._bus, self._clock = site, bus, clock
        self._targets = [(hook.at_least, target_of(hook, secrets)) for hook in site.alerts.webhooks]
        self._raised = {alert.alert_id: alert for alert in raised}  # as many as the watch has

    def numbers(self) -> Iterable[Number]:
        """For Prometheus."""
        yield "webhook_posts", "Posts to webhooks tried.", True, self.counts.posts
        yield "webhook_failures", "Posts that failed and were tried again.", True, self.counts.failures
        yield "webhook_dropped", "Notices no webhook took in time.", True, self.counts.dropped

    async def run(self) -> None:
        """Post every alert until cancelled."""
        feed = self._bus.subscribe("webhooks", limit=FEED_LIMIT)
        async with make_client() as client:
            senders = [
                (at_least, Sender(target, self._site, client, self._clock, self.counts))
                for at_least, target in self._targets
            ]
            async with asyncio.TaskGroup() as tasks:
                for _, sender in senders:
                    tasks.create_task(sender.run(), name=f"webhook-{sender.target.name}")
                tasks.create_task(self._hear(feed, senders), name="webhooks-hear")

    async def _hear(self, feed: Feed, senders: list[tuple[Severity, Sender]]) -> None:
        async for envelope in follow(self._bus, feed, "webhooks", limit=FEED_LIMIT):
            notice = self._notice(envelope.event)
            if notice is None:
                continue
            for at_least, sender in senders:
                if at_least is Severity.WARNING or notice.alert.severity is Severity.CRITICAL:
                    sender.put(notice)

    def _notice(self, event: Event) -> Notice | None:
        if isinstance(event, AlertRaised):
            self._raised[event.alert.alert_id] = event.alert
            return Notice(event.alert, event.at, cleared=False)
        if isinstance(event, AlertCleared):
            alert = self._raised.pop(event.alert_id, None)
            return Notice(alert, event.at, cleared=True) if alert is not None else None
        return None


async def reachable(hook: Webhook, secrets: Secrets) -> int:
    """Ask the webhook's server for its headers, without telling it anything; the status it answers with.

    Raises:
        SecretError: its key cannot be had.
        httpx.HTTPError: it cannot be reached.
    """
    async with make_client() as client:
        response = await client.head(target_of(hook, secrets).url)
        return response.status_code
