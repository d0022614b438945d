"""The site file's ``alerts``: what is accepted, and how mistakes are told with their line."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from hotline.config.loading import check_site, load_site
from hotline.core.alerts import AlertKind

SITE = """\
lines: [{id: "12345", name: 热线, number: 12345, dids: [12345]}]
queues: [{name: "12345", title: 综合}]
"""
FIRST_LINE = 3  # of what a test adds


def told(tmp_path: Path, alerts: str) -> list[tuple[int, str]]:
    """Line (counted from ``alerts:``, which is 0) and words of every problem."""
    file = tmp_path / "site.yaml"
    file.write_text(SITE + textwrap.dedent(alerts), encoding="utf-8")
    problems = check_site(file, {}).problems
    return [
        (one.line - FIRST_LINE, f"{one.severity.value}: {one.key}: {one.message} — {one.hint}")
        for one in problems
    ]


def test_everything_that_can_be_said(tmp_path: Path) -> None:
    """Limits by queue and kinds that are off."""
    assert (
        told(
            tmp_path,
            """\
            alerts:
              off: [answer_rate]
              waiting: {more_than: 5, for_seconds: 0, queues: {"12345": 0}}
            """,
        )
        == []
    )
    site = load_site(tmp_path / "site.yaml", {})
    assert site.alerts.off == (AlertKind.ANSWER_RATE,)
    assert site.alerts.waiting.queues == {"12345": 0}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('waiting: {queues: {"12354": 3}}', 'there is no queue "12354" — did you mean "12345"?'),
        ("waiting: {more_then: 3}", 'unknown key "more_then" — did you mean "more_than"?'),
        ("longest_wait: {over_seconds: 0}", '"0" must be at least 1'),
        ("answer_rate: {under: 95}", '"95" must be at most 1'),
        ("off: [answer-rate]", 'did you mean "answer_rate"?'),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, line: str, said: str) -> None:
    """One error, on the line that holds it, with a remedy."""
    (problem,) = told(tmp_path, f"alerts:\n  clear_seconds: 10\n  {line}\n")
    assert problem[0] == 2 and problem[1].startswith("error: alerts.") and said in problem[1]
