"""Menus and prompts, as the site file writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from hotline.config.section import Key, LanguageTag, Name, Section, Text


class Choice(Section):
    """What a key does. Exactly one of line, queue, menu, say, operator, repeat or back.

    ``language`` is the caller's from here on ("for English, press 8"): whoever gets the call is told.
    """

    key: Key
    title: Text
    line: Name | None = None
    queue: Name | None = None
    menu: Name | None = None
    say: Name | None = None  # a prompt played as an announcement (self-service), then the menu again
    operator: bool = False
    repeat: bool = False
    back: bool = False
    language: LanguageTag | None = None

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        targets = [self.line, self.queue, self.menu, self.say, self.operator, self.repeat, self.back]
        if sum(bool(target) for target in targets) != 1:
            raise ValueError("a choice does exactly one of: line, queue, menu, say, operator, repeat, back")
        if self.language and (self.say or self.repeat or self.back):
            raise ValueError("a language goes with line, queue, menu or operator only; delete it here")
        return self


class Menu(Section):
    """A menu as data. ``0`` reaches a person from every menu whether listed or not."""

    name: Name
    prompt: Name
    choices: tuple[Choice, ...]
    timeout_seconds: Annotated[float, Field(ge=1, le=30)] = 5.0
    attempts: Annotated[int, Field(ge=1, le=5)] = 2  # silences or wrong keys before a person is given
    invalid_prompt: Name | None = None

    @model_validator(mode="after")
    def _keys_once(self) -> Self:
        keys = [choice.key for choice in self.choices]
        for key in keys:
            if keys.count(key) > 1:
                raise ValueError(f"key {key} is given twice in menu {self.name}")
        return self


class Prompt(Section):
    """What is said: text for the synthesiser, or a recording (WAV) that takes its place.

    ``language`` is that of the text; the synthesiser has voices for Mandarin and English.
    """

    name: Name
    text: Annotated[str, Field(min_length=1, max_length=600)]
    recording: Path | None = None
    language: LanguageTag = "zh-CN"

    @property
    def english(self) -> bool:
        """Whether an English voice says it."""
        return self.language.partition("-")[0].lower() == "en"

    @model_validator(mode="after")
    def _has_a_voice(self) -> Self:
        mandarin = self.language.lower() in ("zh", "zh-cn", "cmn")
        if self.recording is None and not (self.english or mandarin):
            raise ValueError(f"there is no voice for {self.language}; give a recording of it")
        return self
