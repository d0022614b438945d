"""One utterance by the rules: what in it speaks for a topic or a type, what it names, what alarms in it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from hotline.asr.understanding.matching import BREAKS, Before, Match, PhraseBook, plain
from hotline.asr.understanding.thing import Thing
from hotline.asr.understanding.things import Things
from hotline.config.understanding import UnderstandingRules
from hotline.core.drafts import RequestType
from hotline.core.events import Side
from hotline.core.understanding import PointKind, Utterance

TOPIC_PHRASE: Final = 1.0
TOPIC_STRONG: Final = 2.0
AGENT_SHARE: Final = 0.4  # what the agent says of a topic: often the caller's words said back
TAKEN_BACK: Final = -0.5  # of a cue's weight, when it is denied: 我不是投诉
DANGER: Final = 3.0  # whoever is in danger wants help
QUESTION: Final = 1.0
DENIAL_CHARACTERS: Final = 8
DISTANCE_CHARACTERS: Final = 16
QUOTE_CHARACTERS: Final = 10

_ASKING: Final = ("吗", "呢", "多少", "什么", "哪里", "怎么办")
_DENYING: Final = ("不是", "并非", "不算", "也不是", "又不是")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something said speaks for ``value`` (a topic or a type) with ``weight``, by ``rule``."""

    value: str
    weight: float
    rule: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """Urgent or abusive words of the caller."""

    kind: PointKind
    phrase: str


@dataclass(frozen=True, slots=True)
class HeardUtterance:
    """All that the rules find in one utterance."""

    utterance: Utterance
    text: str
    topics: tuple[Evidence, ...]
    types: tuple[Evidence, ...]
    things: tuple[Thing, ...]
    alarms: tuple[Alarm, ...]
    content_characters: int


class Ear:
    """The rules made ready: build it once, before the first call."""

    def __init__(self, rules: UnderstandingRules) -> None:
        self.rules = rules
        self.things = Things(rules.things)
        self._topics: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
        for topic in rules.topics:
            for weight, phrases in ((TOPIC_PHRASE, topic.phrases), (TOPIC_STRONG, topic.strong)):
                for phrase in phrases:
                    self._topics[phrase].append((topic.name, weight))
        self._types: defaultdict[str, list[tuple[RequestType, float]]] = defaultdict(list)
        for cue in rules.cues:
            for phrase in cue.phrases:
                self._types[phrase].append((cue.type, cue.weight))
        self._topic_book, self._type_book = PhraseBook(self._topics), PhraseBook(self._types)
        self._alarm_book = PhraseBook((*rules.urgent, *rules.abusive, *rules.harmless))
        self._kinds = dict.fromkeys(rules.urgent, PointKind.URGENT)
        self._kinds |= dict.fromkeys(rules.abusive, PointKind.ABUSIVE)
        self._denied = Before(_DENYING, DENIAL_CHARACTERS, fillers=True)
        self._negated = Before(rules.negations, DENIAL_CHARACTERS, fillers=True)
        self._distant = Before(rules.distant, DISTANCE_CHARACTERS, fillers=False)
        self._quoted = Before(rules.quoting, QUOTE_CHARACTERS, fillers=False)
        self._courtesy = sorted(rules.courtesy, key=len, reverse=True)

    def hear(self, utterance: Utterance, asked: str = "", before: str = "") -> HeardUtterance:
        """Understand one utterance.

        Args:
            utterance: it.
            asked: what the other side said last.
            before: what the same side said last.
        """
        text, of_caller = plain(utterance.text), utterance.side is Side.CALLER
        alarms = tuple(self._find_alarms(text, plain(before))) if of_caller else ()
        return HeardUtterance(
            utterance,
            text,
            tuple(self._find_topics(text, 1.0 if of_caller else AGENT_SHARE)),
            tuple(self._find_types(text, alarms)) if of_caller else (),
            tuple(self.things.find(text, plain(asked))),
            alarms,
            self._content(text) if of_caller else 0,
        )

    def _find_topics(self, text: str, share: float) -> list[Evidence]:
        return [
            Evidence(topic, weight * share, f"topic:{match.phrase}")
            for match in self._topic_book.find(text)
            if not self._denied(text, match.start)
            for topic, weight in self._topics[match.phrase]
        ]

    def _find_types(self, text: str, alarms: tuple[Alarm, ...]) -> list[Evidence]:
        found = [
            Evidence(RequestType.HELP, DANGER, f"urgent:{alarm.phrase}")
            for alarm in alarms
            if alarm.kind is PointKind.URGENT
        ]
        if text.rstrip(BREAKS).endswith(_ASKING):
            found.append(Evidence(RequestType.ENQUIRY, QUESTION, "a question"))
        for match in self._type_book.find(text):
            for kind, weight in self._types[match.phrase]:
                denial = self._denied if kind is RequestType.ENQUIRY else self._negated
                if denial(text, match.start):
                    found.append(Evidence(kind, weight * TAKEN_BACK, f"not:{match.phrase}"))
                else:
                    found.append(Evidence(kind, weight, f"cue:{match.phrase}"))
        return found

    def _find_alarms(self, text: str, before: str) -> list[Alarm]:
        alarms = []
        for match in self._alarm_book.find(text):
            kind = self._kinds.get(match.phrase)
            if kind is None or self._negated(text, match.start):
                continue
            if kind is PointKind.URGENT and self._is_distant(text, match):
                continue
            if kind is PointKind.ABUSIVE and self._is_quoted(text, match, before):
                continue
            alarms.append(Alarm(kind, match.phrase))
        return alarms

    def _is_distant(self, text: str, match: Match) -> bool:
        if any(word in text for word in self.rules.present):
            return False
        return self._distant(text, match.start)

    def _is_quoted(self, text: str, match: Match, before: str) -> bool:
        if self._quoted(text, match.start):
            return True
        begins = match.start <= 2
        return begins and any(before.rstrip(BREAKS).endswith(word) for word in self.rules.quoting)

    def _content(self, text: str) -> int:
        for word in self._courtesy:
            text = text.replace(word, "")
        return sum(character.isalnum() for character in text)
