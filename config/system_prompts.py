"""Prompts that every site has without listing them, and the names under which a site replaces them.

A site replaces one (its words, or a recording) by a prompt of the same name.
"""

from __future__ import annotations

INVALID_KEY = "invalid-key"
TO_PERSON = "to-person"

SYSTEM_PROMPTS: dict[str, str] = {
    INVALID_KEY: "对不起，没有这个选项。",
    TO_PERSON: "请稍候，为您转人工服务。",
}
"""What menus say by themselves: to a wrong key, and to those whom silence or wrong keys bring to a person."""

DIALPLAN_PROMPTS = frozenset(
    {
        "please-wait",
        "thank-you",
        "position-next",
        "position-before",
        "position-after",
        "survey",
        "survey-thanks",
    }
)
"""What the dialplan says without this server; their words are kept beside the dialplan."""


def replaceable(name: str, menus: list[str]) -> bool:
    """Return whether a site's prompt ``name`` stands in for one of the product's own.

    ``fallback-<menu>`` is said in place of a menu while the menu server is away.
    """
    fallbacks = {f"fallback-{menu}" for menu in menus}
    return name in SYSTEM_PROMPTS or name in DIALPLAN_PROMPTS or name in fallbacks
