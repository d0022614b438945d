"""The site file's ``alerts``: what a supervisor is told of, from which point on, and by which webhooks.

A rule raises once its limit has been passed for ``for_seconds``, and clears once it has been kept for
``clear_seconds`` (one for all rules): what goes up and down around a limit is told once.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from hotline.config.section import Name, SecretRef, Section, is_web_address
from hotline.core.alerts import AlertKind, Severity

Seconds = Annotated[int, Field(ge=0, le=3600)]
Count = Annotated[int, Field(ge=0, le=10000)]
Limit = Annotated[int, Field(ge=1, le=10000)]

KEY_PLACE = "{key}"


class WaitingRule(Section):
    """Callers who wait in one queue. ``queues``: other limits for some queues."""

    more_than: Count = 10
    for_seconds: Seconds = 15
    queues: dict[Name, Count] = Field(default_factory=dict)


class LongestWaitRule(Section):
    """The first caller of a queue. ``queues``: other limits for some queues."""

    over_seconds: Limit = 60
    queues: dict[Name, Limit] = Field(default_factory=dict)


class AnswerRateRule(Section):
    """Answered of those who began to wait within the last ``window_seconds``, each line and all together."""

    under: Annotated[float, Field(gt=0, le=1)] | None = None  # absent: figures.answer_rate_norm
    window_seconds: Annotated[int, Field(ge=60, le=7200)] = 1800
    at_least_offered: Limit = 20  # fewer say nothing
    for_seconds: Seconds = 60


class WrapUpRule(Section):
    """An agent's wrap-up."""

    over_seconds: Limit = 180


class DiskRule(Section):
    """Room on the disk of data_dir: the alert comes under either limit."""

    under_percent_free: Annotated[int, Field(ge=0, le=90)] = 5
    under_gib_free: Annotated[float, Field(ge=0, le=10000)] = 2.0
    for_seconds: Seconds = 60


class ForRule(Section):
    """A thing that is well or not."""

    for_seconds: Seconds = 10


class WebhookFormat(StrEnum):
    """What the receiver reads."""

    JSON = "json"  # ours, signed: see docs/operations.md
    WECOM = "wecom"  # a group robot of 企业微信
    DINGTALK = "dingtalk"  # a group robot of 钉钉


class Webhook(Section):
    """Where alerts are posted to.

    Attributes:
        key: takes the place of ``{key}`` in the address, so that a robot's key need not stand in this file.
        secret: ``json``: signs the body; made at the first start when absent. ``dingtalk``: the robot's 加签.
    """

    name: Name
    url: str
    format: WebhookFormat = WebhookFormat.JSON
    key: SecretRef | None = None
    secret: SecretRef | None = None
    at_least: Severity = Severity.WARNING

    @field_validator("url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        if not is_web_address(value):
            raise ValueError("this is no address to post to; write it like https://host/path")
        return value

    @model_validator(mode="after")
    def _that_can_be_used(self) -> Self:
        if (KEY_PLACE in self.url) != (self.key is not None):
            raise ValueError("an address with {key} needs a key, and a key needs {key} in the address")
        if self.secret is not None and self.format is WebhookFormat.WECOM:
            raise ValueError("a wecom robot signs nothing: delete secret")
        return self


class AlertsSection(Section):
    """When to raise the alarm, and whom to tell beside the pages."""

    off: tuple[AlertKind, ...] = ()  # kinds that this site does not want
    clear_seconds: Seconds = 30
    waiting: WaitingRule = WaitingRule()
    longest_wait: LongestWaitRule = LongestWaitRule()
    unstaffed: ForRule = ForRule()
    answer_rate: AnswerRateRule = AnswerRateRule()
    wrap_up: WrapUpRule = WrapUpRule()
    link: ForRule = ForRule()
    recogniser: ForRule = ForRule(for_seconds=30)
    recording: ForRule = ForRule()
    disk: DiskRule = DiskRule()
    webhooks: Annotated[tuple[Webhook, ...], Field(max_length=10)] = ()
