"""What is posted to a webhook, byte for byte, and what its answer means. Pure.

    json      one alert a post, signed: see docs/operations.md
    wecom     企业微信's group robot: {"msgtype": "text", "text": {"content": ...}}, at most 2048 bytes of it;
              developer.work.weixin.qq.com/document/path/91770
    dingtalk  钉钉's custom robot: the same body; its 加签 adds to the address the timestamp (ms) and the
              base64 of the HMAC-SHA256 of timestamp, line feed and secret under the secret;
              open.dingtalk.com/document/robots/custom-robot-access

Both robots take at most 20 messages a minute and answer 200 with an ``errcode``, 0 for success.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from hotline.config.alerting import WebhookFormat
from hotline.config.schema import Site
from hotline.core.alerts import Alert, Severity
from hotline.metrics.alert_texts import Texts, over

ROBOT_BYTES = 2000  # of content; wecom's bound is 2048
BUSY_CODES = frozenset(
    {-1, 45009, 130101, 410100, 660026}
)  # busy, or too many messages: later they are taken
_HEADERS = {"Content-Type": "application/json; charset=utf-8"}
MARKS = {Severity.WARNING: "提醒", Severity.CRITICAL: "紧急"}


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell: an alert was raised, or (``cleared``) is over; ``at`` says when."""

    alert: Alert
    at: datetime
    cleared: bool


@dataclass(frozen=True, slots=True)
class ReportMade:
    """A report that was made by schedule, its files' names, and who made it final, if somebody did."""

    name: str
    period: str
    files: tuple[str, ...]
    final_by: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A webhook with its secrets in place. Its address is a secret too: never log it."""

    name: str
    url: str
    format: WebhookFormat
    secret: bytes | None

    @property
    def is_robot(self) -> bool:
        """Whether people read it as messages in a group."""
        return self.format is not WebhookFormat.JSON


@dataclass(frozen=True, slots=True)
class Post:
    """An HTTP POST."""

    url: str
    headers: dict[str, str]
    body: bytes


class Verdict(Enum):
    """What became of a post."""

    TAKEN = "taken"
    LATER = "later"  # it may be taken when tried again
    REFUSED = "refused"  # it never will be: address, key or settings are wrong


def fitting(target: Target, notices: Sequence[Notice], site: Site) -> int:
    """How many of ``notices``, from the first, go into one post: a group is not flooded with messages."""
    if not target.is_robot:
        return 1
    count = 1
    while count < len(notices) and len(_content(notices[: count + 1], site).encode()) <= ROBOT_BYTES:
        count += 1
    return count


def make_post(target: Target, notices: Sequence[Notice], site: Site, now: datetime) -> Post:
    """The post that tells ``notices``.

    Args:
        target: where to.
        notices: as many as ``fitting`` says.
        site: whose they are.
        now: the moment of posting; signatures hold for a while from it.
    """
    if target.is_robot:
        return _message(target, _content(notices, site), now)
    return _signed(target, _document(notices[0], site), now)


def make_report_post(target: Target, report: ReportMade, site: Site, now: datetime) -> Post:
    """The post that tells of a report: its files are fetched, not sent."""
    if target.is_robot:
        files = "、".join(report.files)
        state = "已生成" if report.final_by is None else f"已定稿（{report.final_by}）"
        text = f"【{site.site.name} 报表】{report.name} {report.period} {state}：{files}"
        return _message(target, text, now)
    document = {
        "event": "report",
        "name": report.name,
        "period": report.period,
        "files": [f"/api/reports/{report.name}/{file}" for file in report.files],
        "final": report.final_by is not None,
        "final_by": report.final_by,
        "at": _moment(now),
        "site": site.site.name,
        "node": site.site.node,
    }
    return _signed(target, document, now)


def _message(target: Target, text: str, now: datetime) -> Post:
    """For a robot: what people read, cut to what it takes."""
    cut = text.encode()[:ROBOT_BYTES].decode(errors="ignore")
    body = _dump({"msgtype": "text", "text": {"content": cut}})
    return Post(_signed_address(target, now), dict(_HEADERS), body)


def _signed(target: Target, document: dict[str, Any], now: datetime) -> Post:
    """For a program: the document, signed if there is a secret."""
    headers, body = dict(_HEADERS), _dump(document)
    if target.secret is not None:
        stamp = str(int(now.timestamp()))
        signed = hmac.new(target.secret, f"{stamp}.".encode() + body, hashlib.sha256)
        headers |= {
            "X-Hotline-Timestamp": stamp,
            "X-Hotline-Signature": f"sha256={signed.hexdigest()}",
        }
    return Post(target.url, headers, body)


def verdict(target: Target, status: int, answer: bytes) -> Verdict:
    """What an answer means: the HTTP status, and for robots the ``errcode`` in it."""
    if status in (408, 425, 429) or status >= 500:
        return Verdict.LATER
    if not 200 <= status < 300:
        return Verdict.REFUSED
    if not target.is_robot:
        return Verdict.TAKEN
    try:
        code = json.loads(answer)["errcode"]
    except (ValueError, TypeError, KeyError):
        return Verdict.LATER  # something on the way answered in the robot's place
    if code == 0:
        return Verdict.TAKEN
    return Verdict.LATER if code in BUSY_CODES else Verdict.REFUSED


def _document(notice: Notice, site: Site) -> dict[str, Any]:
    alert, text = notice.alert, _text(notice, site)
    return {
        "event": "cleared" if notice.cleared else "raised",
        "id": alert.alert_id,
        "kind": alert.kind.value,
        "subject": alert.subject,
        "severity": alert.severity.value,
        "since": _moment(alert.since),
        "at": _moment(notice.at),
        "value": alert.value,
        "limit": alert.limit,
        "text": text.zh,
        "text_en": text.en,
        "site": site.site.name,
        "node": site.site.node,
    }


def _content(notices: Sequence[Notice], site: Site) -> str:
    lines = [f"【{site.site.name} 告警】"]
    for notice in notices:
        mark = "恢复" if notice.cleared else MARKS[notice.alert.severity]
        lines.append(f"{_clock(notice.at, site.zone)} [{mark}] {_text(notice, site).zh}")
    return "\n".join(lines)


def _text(notice: Notice, site: Site) -> Texts:
    """What is wrong and what to do; of what is over, only that, and how long it lasted."""
    alert = notice.alert
    return over(alert, notice.at, site) if notice.cleared else Texts(alert.text, alert.text_en)


def _signed_address(target: Target, now: datetime) -> str:
    if target.format is not WebhookFormat.DINGTALK or target.secret is None:
        return target.url
    stamp = str(int(now.timestamp() * 1000))
    signed = hmac.new(target.secret, stamp.encode() + b"\n" + target.secret, hashlib.sha256)
    query = urlencode({"timestamp": stamp, "sign": base64.b64encode(signed.digest()).decode()})
    return f"{target.url}{'&' if '?' in target.url else '?'}{query}"


def _dump(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _clock(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%H:%M:%S")
