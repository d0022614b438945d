"""What the ``reports`` section cannot know by itself: its schedules' folders, the webhooks it tells."""

from __future__ import annotations

from hotline.config.checker import Checker, names


def check_reports(checker: Checker) -> None:
    """Two schedules of one name would write over each other's files."""
    scheduled = checker.site.section("reports").items("schedule")
    checker.given_once("scheduled report", (((*item.path, "name"), item.text("name")) for item in scheduled))
    webhooks = names(checker.site.section("alerts").items("webhooks"))
    for item in scheduled:
        checker.refer(item, "webhook", webhooks, "webhook")
