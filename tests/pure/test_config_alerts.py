"""The site file's ``alerts``: what is accepted, and how mistakes are told with their line."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from hotline.config.loading import check_site, load_site
from hotline.core.alerts import AlertKind, Severity

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
    """Limits by queue, kinds that are off, and a webhook of each format."""
    assert (
        told(
            tmp_path,
            """\
            alerts:
              off: [answer_rate]
              waiting: {more_than: 5, for_seconds: 0, queues: {"12345": 0}}
              webhooks:
                - {name: duty, url: "https://duty.example/hotline"}
                - {name: group, url: "https://robot.example/send?key={key}", key: {env: KEY}, format: wecom}
                - {name: d, url: "https://d.example/", format: dingtalk, secret: {env: S}, at_least: critical}
            """,
        )
        == []
    )
    site = load_site(tmp_path / "site.yaml", {})
    assert site.alerts.off == (AlertKind.ANSWER_RATE,)
    assert site.alerts.waiting.queues == {"12345": 0}
    assert site.alerts.webhooks[2].at_least is Severity.CRITICAL


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('waiting: {queues: {"12354": 3}}', 'there is no queue "12354" — did you mean "12345"?'),
        ("waiting: {more_then: 3}", 'unknown key "more_then" — did you mean "more_than"?'),
        ("longest_wait: {over_seconds: 0}", '"0" must be at least 1'),
        ("answer_rate: {under: 95}", '"95" must be at most 1'),
        ("off: [answer-rate]", 'did you mean "answer_rate"?'),
        ("webhooks: [{name: a, url: duty.example}]", "this is no address to post to"),
        ('webhooks: [{name: a, url: "https://[::1"}]', "this is no address to post to"),
        ('webhooks: [{name: a, url: "https://a/?k={key}"}]', "an address with {key} needs a key"),
        ("webhooks: [{name: a, url: https://a/, key: {env: K}}]", "a key needs {key} in the address"),
        ("webhooks: [{name: a, url: https://a/, format: slack}]", '"slack" is not one of'),
        ("webhooks: [{name: a, url: https://a/, format: wecom, secret: {env: S}}]", "delete secret"),
        ("webhooks: [{name: a, url: https://a/}, {name: a, url: https://b/}]", 'webhook "a" is given twice'),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, line: str, said: str) -> None:
    """One error, on the line that holds it, with a remedy."""
    (problem,) = told(tmp_path, f"alerts:\n  clear_seconds: 10\n  {line}\n")
    assert problem[0] == 2 and problem[1].startswith("error: alerts.") and said in problem[1]


def test_an_address_that_others_can_read_is_warned_of(tmp_path: Path) -> None:
    """Plain http is for this machine."""
    plain = "alerts:\n  webhooks:\n    - {name: a, url: http://duty.example/}\n    - {name: b, url: http://127.0.0.1:9/}\n"
    (warning,) = told(tmp_path, plain)
    assert warning[0] == 2 and "alerts can be read on the way — use https://" in warning[1]


def test_a_key_in_the_address_is_not_shown_with_the_mistake(tmp_path: Path) -> None:
    """A robot's address is a secret: an error about it does not repeat it."""
    (problem,) = told(tmp_path, 'alerts:\n  webhooks:\n    - {name: a, url: "htps://a/send?key=5ecre7"}\n')
    assert "5ecre7" not in problem[1]
