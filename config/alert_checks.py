"""What the ``alerts`` section cannot know by itself: its queues, its webhooks' names and the way to them."""

from __future__ import annotations

from urllib.parse import urlsplit

from hotline.config.checker import Checker, names

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def check_alerts(checker: Checker) -> None:
    """Limits are for queues that exist; nothing that is posted can be read on the way."""
    alerts = checker.site.section("alerts")
    known = names(checker.queues)
    for rule in ("waiting", "longest_wait"):
        limits = alerts.section(rule).section("queues")
        for queue in limits.data:
            checker.refer_name((*limits.path, queue), queue, known, "queue")
    for webhook in alerts.items("webhooks"):
        url = webhook.text("url") or ""
        if goes_open(url):
            checker.warn((*webhook.path, "url"), "alerts can be read on the way", "use https://")


def goes_open(url: str) -> bool:
    """Whether what is sent there leaves this machine unencrypted."""
    try:
        return url.startswith("http://") and urlsplit(url).hostname not in LOOPBACK
    except ValueError:  # the schema says what is wrong with it
        return False
