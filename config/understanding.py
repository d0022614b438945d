"""What calls are about, as data: ``understanding.yaml`` typed, and what a site adds to it or takes away.

A phrase is at least two characters; ``…`` in it stands for up to six others of a clause: ``拖欠…工资``.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from hotline.config.section import Name, SecretRef, Section, Text, is_web_address
from hotline.config.yaml_text import read_document
from hotline.core.drafts import RequestType

__all__ = ["TopicRule", "UnderstandingModel", "UnderstandingRules", "UnderstandingSection", "shipped_rules"]

FILE = Path(__file__).with_name("understanding.yaml")
GAP = "…"

Phrase = Annotated[str, Field(pattern=r"^[^\s\x00-\x1f…]+(…[^\s\x00-\x1f…]+)*$", min_length=2, max_length=30)]
Weight = Annotated[float, Field(gt=0, le=5)]
Phrases = Annotated[tuple[Phrase, ...], Field(max_length=500)]
Words = Annotated[tuple[Text, ...], Field(max_length=1000)]


class TopicRule(Section):
    """A topic of reports.

    Attributes:
        phrases: each weighs 1; ``strong``: each weighs 2, it names the topic outright.
        lines: number or id of a line -> what a call there weighs more, if any phrase was heard.
    """

    name: Text
    phrases: Phrases = ()
    strong: Phrases = ()
    lines: dict[Name, Weight] = Field(default_factory=dict)


class CueRule(Section):
    """What tells a type of request: phrases that all weigh the same."""

    type: RequestType
    weight: Weight
    phrases: Phrases


class ThingWords(Section):
    """Words by which names, places and companies are known."""

    surnames: Words
    not_names: Words
    place_ends: Words
    not_places: Words
    company_ends: Words
    not_companies: Words
    companies: Words
    platforms: Words


class UnderstandingRules(Section):
    """Everything that the rules go by.

    Attributes:
        negations: before a phrase they take it back; ``quoting``: what follows is somebody else's words;
            ``distant``: what follows is past, feared or supposed, not happening now; ``present`` undoes that.
        harmless: longer phrases that hold an urgent or abusive one and mean nothing of it.
        courtesy: a call in which the caller said nothing else is 无效.
    """

    topics: tuple[TopicRule, ...]
    cues: tuple[CueRule, ...]
    urgent: Phrases
    harmless: Phrases
    abusive: Phrases
    negations: Words
    quoting: Words
    distant: Words
    present: Words
    courtesy: Words
    things: ThingWords


class UnderstandingModel(Section):
    """An OpenAI-compatible endpoint, asked once after each call. What was said goes there.

    ``key``: of the endpoint, from the environment or a file; absent: none is sent.
    """

    url: str
    name: Annotated[str, Field(min_length=1, max_length=120)]
    key: SecretRef | None = None
    timeout_seconds: Annotated[int, Field(ge=1, le=120)] = 10
    max_calls: Annotated[int, Field(ge=1, le=64)] = 2

    @field_validator("url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        if not is_web_address(value):
            raise ValueError("this is no address of a model; write it like http://host:8000/v1")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _a_key_from_somewhere(self) -> Self:
        if self.key is not None and not (self.key.env or self.key.file):
            raise ValueError("say where the key is kept: env or file")
        return self


class UnderstandingSection(Section):
    """What a site says of it.

    Attributes:
        topics: further ones, or more phrases and lines for one of the shipped rules.
        urgent, abusive: further phrases.
        without: topics and phrases of the shipped rules that this site does not want.
    """

    enabled: bool = True
    topics: Annotated[tuple[TopicRule, ...], Field(max_length=100)] = ()
    urgent: Phrases = ()
    abusive: Phrases = ()
    without: Annotated[tuple[Text, ...], Field(max_length=200)] = ()
    model: UnderstandingModel | None = None


@lru_cache(maxsize=1)
def shipped_rules() -> UnderstandingRules:
    """The rules that come with the product."""
    return UnderstandingRules.model_validate(read_document(FILE).data)


def rules_of(section: UnderstandingSection) -> UnderstandingRules:
    """The shipped rules with a site's own."""
    rules, unwanted = shipped_rules(), frozenset(section.without)
    topics = {topic.name: _without(topic, unwanted) for topic in rules.topics if topic.name not in unwanted}
    for own in section.topics:
        known = topics.get(own.name, TopicRule(name=own.name))
        topics[own.name] = TopicRule(
            name=own.name,
            phrases=_joined(known.phrases, own.phrases),
            strong=_joined(known.strong, own.strong),
            lines=known.lines | own.lines,
        )
    return rules.model_copy(
        update={
            "topics": tuple(topics.values()),
            "urgent": _kept(_joined(rules.urgent, section.urgent), unwanted),
            "abusive": _kept(_joined(rules.abusive, section.abusive), unwanted),
        }
    )


def _without(topic: TopicRule, unwanted: frozenset[str]) -> TopicRule:
    phrases, strong = _kept(topic.phrases, unwanted), _kept(topic.strong, unwanted)
    return topic.model_copy(update={"phrases": phrases, "strong": strong})


def _joined(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def _kept(phrases: tuple[str, ...], unwanted: frozenset[str]) -> tuple[str, ...]:
    return tuple(phrase for phrase in phrases if phrase not in unwanted)
