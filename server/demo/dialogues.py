"""The calls that the demo acts out, read from ``dialogues.yaml``."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

import yaml

from hotline.core.errors import HotlineError
from hotline.core.events import Side
from hotline.speech.segment import Segmenter

#: The model's vocabulary: what a dialogue may be made of, and what its words are counted by.
WORDS = "asr/builder/data/words.txt"
_SPEAKERS = {"A": Side.AGENT, "C": Side.CALLER}


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side says before the other speaks."""

    side: Side
    text: str


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One call.

    Attributes:
        dial: the number the citizen dials.
        keys: pressed in the menus, one a level; empty where the line rings straight through.
        line: the id of the line that the call must arrive on.
    """

    name: str
    dial: str
    keys: str
    line: str
    turns: tuple[Turn, ...]


def load_dialogues() -> tuple[Dialogue, ...]:
    """Read every dialogue of the package.

    Raises:
        HotlineError: the file is not as its own head says.
    """
    text = files("hotline").joinpath("server/demo/dialogues.yaml").read_text(encoding="utf-8")
    return tuple(_dialogue(entry) for entry in yaml.safe_load(text)["dialogues"])


def load_segmenter() -> Segmenter:
    """Cuts text into the words that the shipped model knows."""
    text = files("hotline").joinpath(WORDS).read_text(encoding="utf-8")
    columns = (line.partition("#")[0].split() for line in text.splitlines())
    return Segmenter(column[0] for column in columns if column)


def programme(dialogues: tuple[Dialogue, ...], rng: random.Random) -> Iterator[Dialogue]:
    """Yield dialogues for ever, so that any few in a row show every way in.

    A line without a menu comes first (its text is the first to be seen), then a menu, then the special line's
    own menu, then a menu again; within each, all dialogues in a shuffled order before one comes again.
    """
    straight = [dialogue for dialogue in dialogues if not dialogue.keys]
    general = [dialogue for dialogue in dialogues if dialogue.keys and dialogue.dial == "12345"]
    special = [dialogue for dialogue in dialogues if dialogue.keys and dialogue.dial != "12345"]
    kinds = [_shuffled(kind, rng) for kind in (straight, general, special) if kind]
    order = [kinds[0], kinds[1], kinds[2], kinds[1]] if len(kinds) == 3 else kinds
    while True:
        for kind in order:
            yield next(kind)


def _shuffled(dialogues: list[Dialogue], rng: random.Random) -> Iterator[Dialogue]:
    while True:
        yield from rng.sample(dialogues, len(dialogues))


def _dialogue(entry: dict[str, object]) -> Dialogue:
    unknown = entry.keys() - {"name", "dial", "keys", "line", "lines"}
    lines = entry.get("lines")
    if unknown or not isinstance(lines, list) or not lines:
        raise HotlineError(f"dialogue {entry.get('name')} has unknown keys or no lines")
    return Dialogue(
        name=str(entry["name"]),
        dial=str(entry["dial"]),
        keys=str(entry.get("keys", "")),
        line=str(entry["line"]),
        turns=tuple(_turn(str(line)) for line in lines),
    )


def _turn(line: str) -> Turn:
    speaker, colon, text = line.partition(":")
    if not colon or speaker not in _SPEAKERS or not text.strip():
        raise HotlineError("a line of a dialogue begins with A: or C:")
    return Turn(_SPEAKERS[speaker], text.strip())
