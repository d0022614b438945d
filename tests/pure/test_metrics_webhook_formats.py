"""What receivers of webhooks get, byte for byte, and how their answers are understood."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, quote_plus, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotline.config.alerting import WebhookFormat
from hotline.config.schema import Agent, Line, Queue, Site, SiteSection
from hotline.core.alerts import Alert, AlertKind, Severity
from hotline.metrics.webhook_formats import ROBOT_BYTES, Notice, Target, Verdict, fitting, make_post, verdict

AT = datetime(2026, 11, 2, 1, 2, 3, 456000, tzinfo=UTC)
NOW = datetime(2026, 11, 2, 1, 2, 4, tzinfo=UTC)
OVER = datetime(2026, 11, 2, 1, 4, 8, tzinfo=UTC)
SITE = Site(
    site=SiteSection(name="佛山市12345", node="fs1"),
    lines=(Line(id="12345", name="热线"),),
    queues=(Queue(name="12345", title="综合"),),
)
ALERT = Alert(
    "fs1:waiting:12345:7", AlertKind.WAITING, "12345", Severity.CRITICAL, AT, 12, 10, "12 人排队", "12 wait"
)
RAISED, CLEARED = Notice(ALERT, AT, cleared=False), Notice(ALERT, OVER, cleared=True)
JSON = Target("duty", "https://duty.example/hook", WebhookFormat.JSON, b"secret")
WECOM = Target("group", "https://wecom.example/send?key=k", WebhookFormat.WECOM, None)
DING = Target("ding", "https://ding.example/send?access_token=t", WebhookFormat.DINGTALK, b"SECabc")


def alert_of(text: str) -> Alert:
    return Alert("id", AlertKind.WAITING, "12345", Severity.WARNING, AT, None, None, text, text)


def test_json_says_everything_and_is_signed() -> None:
    """The body's signature can be checked with the secret, and only over the very bytes sent."""
    post = make_post(JSON, [RAISED], SITE, NOW)
    assert json.loads(post.body) == {
        "event": "raised", "id": "fs1:waiting:12345:7", "kind": "waiting", "subject": "12345",
        "severity": "critical", "since": "2026-11-02T01:02:03.456Z", "at": "2026-11-02T01:02:03.456Z",
        "value": 12, "limit": 10, "text": "12 人排队", "text_en": "12 wait",
        "site": "佛山市12345", "node": "fs1",
    }  # fmt: skip
    stamp = post.headers["X-Hotline-Timestamp"]
    assert stamp == "1793581324" == str(int(NOW.timestamp()))
    expected = hmac.new(b"secret", stamp.encode() + b"." + post.body, "sha256").hexdigest()
    assert post.headers["X-Hotline-Signature"] == f"sha256={expected}"
    over = json.loads(make_post(JSON, [CLEARED], SITE, NOW).body)
    assert (over["event"], over["id"], over["since"]) == (
        "cleared",
        ALERT.alert_id,
        "2026-11-02T01:02:03.456Z",
    )
    assert over["text_en"] == "Too many callers for 综合: over after 2 min 5 s."


def test_a_wecom_robot_gets_its_published_text_message() -> None:
    """One message tells several alerts, with the site's own time of day."""
    post = make_post(WECOM, [RAISED, CLEARED], SITE, NOW)
    over = "“综合”排队人数过多：已恢复正常，持续 2 分 5 秒。"
    content = f"【佛山市12345 告警】\n09:02:03 [紧急] 12 人排队\n09:04:08 [恢复] {over}"
    assert json.loads(post.body) == {"msgtype": "text", "text": {"content": content}}
    assert post.url == WECOM.url
    assert not any(name.startswith("X-Hotline") for name in post.headers)


def test_a_dingtalk_robot_is_signed_as_published() -> None:
    """Timestamp and sign in the address are those of the published recipe."""
    query = parse_qs(urlsplit(make_post(DING, [RAISED], SITE, NOW).url).query)
    stamp = query["timestamp"][0]
    assert stamp == str(round(NOW.timestamp() * 1000)) and query["access_token"] == ["t"]
    digest = hmac.new(b"SECabc", f"{stamp}\nSECabc".encode(), digestmod=hashlib.sha256).digest()
    assert f"sign={quote_plus(base64.b64encode(digest))}" in make_post(DING, [RAISED], SITE, NOW).url
    bare = Target("ding", "https://ding.example/send", WebhookFormat.DINGTALK, None)
    assert make_post(bare, [RAISED], SITE, NOW).url == bare.url


@pytest.mark.parametrize("kind", AlertKind)
def test_what_is_over_is_said_to_be_over(kind: AlertKind) -> None:
    """Of every kind: by name, with how long it lasted, and nothing more to do."""
    agents = (Agent(id="1001", name="张三", extension="1001"),)
    site = SITE.model_copy(update={"agents": agents})
    for subject, shown in (("12345", "12345"), ("1001", "1001"), ("total", "全部线路")):
        alert = Alert("id", kind, subject, Severity.WARNING, AT, None, None, "请立即处理", "act now")
        hours = Notice(alert, AT + timedelta(hours=2, minutes=3, seconds=9), cleared=True)
        (_, line) = json.loads(make_post(WECOM, [hours], site, NOW).body)["text"]["content"].split("\n")
        assert line.endswith("：已恢复正常，持续 2 小时 3 分。") and "请立即处理" not in line
        if kind is AlertKind.ANSWER_RATE:
            assert shown == "1001" or {"12345": "“热线”", "total": "全部线路"}[subject] in line
        if kind in (AlertKind.WRAP_UP, AlertKind.NO_ANSWER) and subject == "1001":
            assert "张三（1001）" in line


@settings(deadline=None)
@given(st.lists(st.text(max_size=900), min_size=1, max_size=30))
def test_a_message_never_exceeds_what_robots_take(texts: list[str]) -> None:
    """Whatever alerts say, a message has at most 2000 bytes, tells at least one, and is valid JSON."""
    notices = [Notice(alert_of(text), AT, cleared=False) for text in texts]
    count = fitting(WECOM, notices, SITE)
    assert 1 <= count <= len(notices)
    content = json.loads(make_post(WECOM, notices[:count], SITE, NOW).body)["text"]["content"]
    assert len(content.encode()) <= ROBOT_BYTES
    if count > 1:
        assert all(text in content for text in texts[:count])
    if count < len(notices):
        longer = sum(len(text.encode()) for text in texts[: count + 1])
        assert longer > ROBOT_BYTES - 100 * (count + 1), "one more would have fitted"
    assert fitting(JSON, notices, SITE) == 1


@pytest.mark.parametrize(
    ("target", "status", "answer", "meant"),
    [
        (JSON, 204, b"", Verdict.TAKEN),
        (JSON, 200, b"<html>", Verdict.TAKEN),
        (JSON, 503, b"", Verdict.LATER),
        (JSON, 429, b"", Verdict.LATER),
        (JSON, 401, b"", Verdict.REFUSED),
        (JSON, 302, b"", Verdict.REFUSED),
        (WECOM, 200, b'{"errcode":0,"errmsg":"ok"}', Verdict.TAKEN),
        (WECOM, 200, b'{"errcode":93000,"errmsg":"invalid webhook url"}', Verdict.REFUSED),
        (WECOM, 200, b'{"errcode":45009,"errmsg":"api freq out of limit"}', Verdict.LATER),
        (DING, 200, b'{"errcode":310000,"errmsg":"sign not match"}', Verdict.REFUSED),
        (DING, 200, b"<html>please sign in</html>", Verdict.LATER),
        (DING, 200, b"[]", Verdict.LATER),
        (DING, 200, b"\xff", Verdict.LATER),
    ],
)
def test_answers(target: Target, status: int, answer: bytes, meant: Verdict) -> None:
    """Robots say 200 and mean the code inside; what stands in their place is no success."""
    assert verdict(target, status, answer) is meant
