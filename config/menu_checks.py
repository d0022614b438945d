"""Checks of what callers hear and press: prompts that exist, menus that lead to a person and are no maze."""

from __future__ import annotations

from hotline.config.checker import Checker, names
from hotline.config.problems import KeyPath
from hotline.config.system_prompts import SYSTEM_PROMPTS, replaceable

MAX_MENU_DEPTH = 3


def check_prompts(checker: Checker) -> None:
    """Prompts that are named exist; prompts that exist are used."""
    known = [*names(checker.prompts), *SYSTEM_PROMPTS]
    checker.refer(checker.site, "notice", known, "prompt")
    used = {checker.site.text("notice")}
    for menu in checker.menus:
        for section, key in (
            (menu, "prompt"),
            (menu, "invalid_prompt"),
            *((c, "say") for c in menu.items("choices")),
        ):
            checker.refer(section, key, known, "prompt")
            used.add(section.text(key))
    for prompt in checker.prompts:
        name = prompt.text("name")
        if name is not None and name not in used and not replaceable(name, names(checker.menus)):
            checker.warn(prompt.path, f'prompt "{name}" is never played', "delete it or name it in a menu")


def check_menus(checker: Checker) -> None:
    """Menus lead somewhere, never in a circle, and are not a maze."""
    known = names(checker.menus)
    for menu in checker.menus:
        choices = menu.items("choices")
        if "choices" in menu.data and not choices:
            checker.error(
                (*menu.path, "choices"), "a menu without choices", "delete it: callers go straight through"
            )
        for choice in choices:
            checker.refer(choice, "menu", known, "menu")
            checker.refer(choice, "line", names(checker.lines, "id"), "line")
            checker.refer(choice, "queue", names(checker.queues), "queue")
            if choice.text("key") == "0" and not (
                choice.yes("operator") or choice.text("line") or choice.text("queue")
            ):
                hint = "use operator: true, a line or a queue, and another key for this"
                checker.error((*choice.path, "key"), "0 must reach a person", hint)
    _menu_tree(checker)


Inner = dict[str, list[tuple[KeyPath, str]]]
"""Menu -> the menus that its choices open, each with the choice's place in the file."""


def _menu_tree(checker: Checker) -> None:
    menus = {name: menu for menu in checker.menus if (name := menu.text("name")) is not None}
    inner: Inner = {
        name: [
            ((*choice.path, "menu"), to)
            for choice in menu.items("choices")
            if (to := choice.text("menu")) is not None and to in menus
        ]
        for name, menu in menus.items()
    }
    order = _innermost_first(checker, inner)
    place = {name: index for index, name in enumerate(order)}
    levels = {name: 1 for line in checker.lines if (name := line.text("menu")) is not None and name in menus}
    for name in reversed(order):
        for _, to in inner[name]:
            if name in levels and place[to] < place[name]:
                levels[to] = max(levels.get(to, 0), levels[name] + 1)
    for name, menu in menus.items():
        if name not in levels:
            checker.warn(menu.path, f'no caller can reach menu "{name}"', "name it in a line or a choice")
        elif levels[name] > MAX_MENU_DEPTH:
            hint = f"keep menus to {MAX_MENU_DEPTH} levels; older callers get lost"
            checker.warn(menu.path, f'menu "{name}" is level {levels[name]}', hint)


def _innermost_first(checker: Checker, inner: Inner) -> list[str]:
    """Return the menus so that each comes after those it opens; tell the circles that forbid it."""
    order: dict[str, None] = {}
    for root in inner:
        trail = [root] if root not in order else []
        ways = [iter(inner[root])]
        while trail:
            for place, to in ways[-1]:
                if to in trail:
                    way = " -> ".join([*trail[trail.index(to) :], to])
                    checker.error(place, f"menus in a circle: {way}", "use back: true to go back")
                elif to not in order:
                    trail.append(to)
                    ways.append(iter(inner[to]))
                    break
            else:
                order[trail.pop()] = None
                ways.pop()
    return list(order)
