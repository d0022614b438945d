"""A menu walked by hand: the same interpreter that serves callers, driven by a list of keys or a keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from hotline.config.menu_path import titles
from hotline.config.problems import did_you_mean
from hotline.config.schema import Line, Site
from hotline.config.system_prompts import SYSTEM_PROMPTS
from hotline.core.errors import UsageError
from hotline.core.events import MenuOutcome
from hotline.ivr.interpreter import (
    Collect,
    Digit,
    Finish,
    Hangup,
    Input,
    Play,
    PlaybackDone,
    Silence,
    Visit,
)

SILENCE = "-"
HANG_UP = "h"
KEYS = frozenset("0123456789*#")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing said or awaited, and what the caller did.

    Attributes:
        prompts: what is said, by name; empty where the caller is listened to.
        key: the key pressed; ``-`` for silence, ``h`` for hanging up, None where all was heard to its end.
    """

    menu: str
    prompts: tuple[str, ...]
    texts: tuple[str, ...]
    key: str | None


@dataclass(frozen=True, slots=True)
class Walked:
    """A whole walk, and where it led.

    Attributes:
        menu: the menu it began with; None where callers go straight through.
        queue: where the caller waits; None if the caller hung up.
        language: what the caller speaks, as whoever answers is told.
        farewell: the words a caller hears on the way to a person.
        unused_keys: keys given after the walk had ended.
    """

    did: str
    dialled_line: str
    menu: str | None
    notice: str | None
    steps: tuple[Step, ...]
    outcome: MenuOutcome
    line: str
    queue: str | None
    path: str
    titles: tuple[str, ...]
    language: str
    farewell: tuple[str, ...]
    unused_keys: tuple[str, ...] = ()


def parse_keys(text: str) -> list[str]:
    """Return the keys of ``1,0,,*``: ``-`` or nothing between commas is silence, ``h`` is hanging up.

    Raises:
        UsageError: for anything else.
    """
    keys = [key.strip() or SILENCE for key in text.split(",")] if text.strip() else []
    for key in keys:
        if key not in KEYS | {SILENCE, HANG_UP}:
            raise UsageError(f'"{key}" is no key', hint="use 0 to 9, * and #, - for silence, h to hang up")
    return keys


def line_dialled(site: Site, did: str) -> Line:
    """Return the line of a dialled number.

    Raises:
        UsageError: if no line has it.
    """
    line = site.line_of_did(did)
    if line is None:
        known = [did for line in site.lines for did in line.dids]
        hint = did_you_mean(did, known) or f"the site's numbers are {', '.join(known)}"
        raise UsageError(f"no line is reached by dialling {did}", hint=hint)
    return line


def walk(site: Site, did: str, keys: Iterable[str]) -> Walked:
    """Dial ``did`` and press ``keys`` in order; when there are no more, the caller stays silent.

    Raises:
        UsageError: if no line is reached by dialling ``did``.
    """
    left = iter(keys)
    walked = walk_with(site, did, lambda command: next(left, SILENCE))
    return replace(walked, unused_keys=tuple(left))


def walk_with(site: Site, did: str, answer: Callable[[Play | Collect], str]) -> Walked:
    """Dial ``did`` and ask ``answer`` for a key whenever something is said or the caller is awaited.

    A silence while a menu is said lasts until the caller has been awaited in vain.

    Raises:
        UsageError: if no line is reached by dialling ``did``.
    """
    line = line_dialled(site, did)
    if line.menu is None:
        straight = Finish(MenuOutcome.QUEUE, line.id, line.queue_name, "", site.language_of(line))
        return _walked(site, did, line, [], straight)
    visit = Visit(site, line.id, line.menu)
    command = visit.start()
    steps: list[Step] = []
    silent = False
    while not isinstance(command, Finish):
        key = SILENCE if silent else answer(command)
        menu = visit.menu.name
        prompts = command.prompts if isinstance(command, Play) else ()
        heard_out = isinstance(command, Play) and key == SILENCE
        steps.append(Step(menu, prompts, texts_of(site, prompts), None if heard_out else key))
        command = visit.receive(PlaybackDone() if heard_out else _meaning(key))
        silent = heard_out and isinstance(command, Collect)
    return _walked(site, did, line, steps, command)


def _meaning(key: str) -> Input:
    if key == HANG_UP:
        return Hangup()
    return Silence() if key == SILENCE else Digit(key)


def _walked(site: Site, did: str, line: Line, steps: list[Step], finish: Finish) -> Walked:
    return Walked(
        did=did,
        dialled_line=line.id,
        menu=line.menu,
        notice=site.notice,
        steps=tuple(steps),
        outcome=finish.outcome,
        line=finish.line,
        queue=finish.queue,
        path=finish.path,
        titles=titles(site, finish.path),
        language=finish.language,
        farewell=texts_of(site, finish.say),
    )


def texts_of(site: Site, prompts: Iterable[str]) -> tuple[str, ...]:
    """Return the words of prompts, a site's own or the product's."""
    own = {prompt.name: prompt.text for prompt in site.prompts}
    return tuple(own.get(name) or SYSTEM_PROMPTS.get(name, "") for name in prompts)
