"""A caller's way through the menus as one safe word: ``main.1.2``.

Asterisk carries the word in a channel variable and in queue_log, where ``|``, commas and spaces would cut it;
``*`` and ``#`` are written ``s`` and ``h``. ``titles`` turns it back into what the menu called each choice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from hotline.config.menus import Choice
from hotline.config.schema import Site

OPERATOR_TITLE = "人工服务"
"""What 0 is called where a menu does not list it."""

_LETTERS = {"*": "s", "#": "h"}
_KEYS = {letter: key for key, letter in _LETTERS.items()}
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}(\.[0-9sh]){0,20}")


def token(menu: str, keys: Sequence[str]) -> str:
    """Return the word for the keys chosen from ``menu`` on: ``token("main", ["1", "2"])`` is ``main.1.2``."""
    return ".".join([menu, *(_LETTERS.get(key, key) for key in keys)])


def titles(site: Site, token: str) -> tuple[str, ...]:
    """Return the titles of the choices of a token, outermost first."""
    return tuple(choice.title for choice in _choices(site, token))


def language(site: Site, token: str) -> str | None:
    """Return the language that was chosen on the way of a token, by a key or by the line it led to."""
    for choice in reversed(list(_choices(site, token))):
        if said := choice.language or (site.line(choice.line).language if choice.line else None):
            return said
    return None


def _choices(site: Site, token: str) -> Iterator[Choice]:
    """The choices of a token, outermost first.

    The token comes back from Asterisk and may be older than the site file: what the menus no longer know is
    left out, and a token of another shape has no choices.
    """
    if not _TOKEN.fullmatch(token):
        return
    name, *letters = token.split(".")
    for letter in letters:
        key = _KEYS.get(letter, letter)
        menu = next((menu for menu in site.menus if menu.name == name), None)
        choice = next((c for c in menu.choices if c.key == key), None) if menu else None
        if choice is not None:
            yield choice
            name = choice.menu or name
        elif menu is not None and key == "0":
            yield Choice(key=key, title=OPERATOR_TITLE, operator=True)
        else:
            return
