"""What the ``alerts`` section cannot know by itself: its queues."""

from __future__ import annotations

from hotline.config.checker import Checker, names


def check_alerts(checker: Checker) -> None:
    """Limits are for queues that exist."""
    alerts = checker.site.section("alerts")
    known = names(checker.queues)
    for rule in ("waiting", "longest_wait"):
        limits = alerts.section(rule).section("queues")
        for queue in limits.data:
            checker.refer_name((*limits.path, queue), queue, known, "queue")
