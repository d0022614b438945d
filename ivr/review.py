"""Menus that are correct but hard on callers: mazes, long speeches, more time than a menu is given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hotline.config.problems import KeyPath, Problem, Severity, dotted
from hotline.config.schema import Site
from hotline.config.yaml_text import read_document
from hotline.ivr.interpreter import MAX_PLAYS
from hotline.ivr.prompts import CHARACTERS_A_MINUTE, ENGLISH_WORDS_A_MINUTE, characters
from hotline.ivr.walk import texts_of

MAX_CHOICES = 6  # to be remembered after one hearing; back, repeat and 0 are not counted
MAX_PROMPT_SECONDS = 30


def review(site: Site, file: Path) -> list[Problem]:
    """Return a warning for each thing in the menus of ``file`` that callers would suffer from."""
    document = read_document(file)
    return [
        Problem(file, document.line_of(path), dotted(path), message, hint, Severity.WARNING)
        for path, message, hint in [*_menus(site), *_visits(site)]
    ]


def _menus(site: Site) -> Iterator[tuple[KeyPath, str, str]]:
    for index, menu in enumerate(site.menus):
        seconds = spoken_seconds(site, menu.prompt)
        if seconds > MAX_PROMPT_SECONDS:
            hint = "say less: what most callers want comes first, 0 brings the rest to a person"
            yield ("menus", index, "prompt"), f"it takes {seconds:.0f} seconds to say", hint
        offered = [c for c in menu.choices if not (c.back or c.repeat or c.operator)]
        if len(offered) > MAX_CHOICES:
            hint = "let rare choices come through a person"
            yield (
                ("menus", index, "choices"),
                f"{len(offered)} choices are more than a caller remembers",
                hint,
            )
        for number, choice in enumerate(menu.choices):
            said = "".join(texts_of(site, [menu.prompt]))
            if choice.key not in "*#" and choice.key not in said:
                hint = f"say it: {choice.title}请按{choice.key}"
                yield ("menus", index, "choices", number), f"the prompt does not offer key {choice.key}", hint


def _visits(site: Site) -> Iterator[tuple[KeyPath, str, str]]:
    """Hearing every prompt down to the deepest menu must fit the time Asterisk gives a menu."""
    limit = site.fastagi.absolute_timeout_seconds
    longest = _longest(site)
    for index, line in enumerate(site.lines):
        if line.menu is None:
            continue
        seconds = longest[line.menu]
        if seconds > limit:
            message = f"hearing the longest way through its menus takes {seconds:.0f} seconds"
            yield (
                ("lines", index, "menu"),
                message,
                f"say less, or raise fastagi.absolute_timeout_seconds above {limit}",
            )


def _longest(site: Site) -> dict[str, float]:
    """Return how long hearing each menu and the longest way below it takes, announcements included."""
    own = {
        menu.name: spoken_seconds(site, menu.prompt)
        + menu.timeout_seconds
        + max((spoken_seconds(site, choice.say) for choice in menu.choices if choice.say), default=0.0)
        for menu in site.menus
    }
    longest = dict(own)
    for _ in range(MAX_PLAYS):  # no visit hears more than so many prompts
        longest = {
            menu.name: own[menu.name]
            + max((longest[choice.menu] for choice in menu.choices if choice.menu), default=0.0)
            for menu in site.menus
        }
    return longest


def spoken_seconds(site: Site, prompt: str) -> float:
    """Return about how long a prompt takes at the pace of the product's voice."""
    text = "".join(texts_of(site, [prompt]))
    if any(own.name == prompt and own.english for own in site.prompts):
        return 60 * len(text.split()) / ENGLISH_WORDS_A_MINUTE
    return 60 * characters(text) / CHARACTERS_A_MINUTE
