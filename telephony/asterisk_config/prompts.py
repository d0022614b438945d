"""The few sentences the dialplan itself speaks, with no server behind it.

They are synthesised (or recorded) before Asterisk needs them, like a site's own prompts; their names begin
with ``_``, which no prompt of a site file can.
"""

from __future__ import annotations

from hotline.config.menus import Menu
from hotline.config.schema import Line, Queue, Site

PLEASE_WAIT = "_please_wait"
THANK_YOU = "_thank_you"
POSITION_NEXT = "_position_next"
POSITION_BEFORE = "_position_before"
POSITION_AFTER = "_position_after"
TRANSFER_ASK = "_transfer_ask"
TRANSFER_FAILED = "_transfer_failed"
TRANSFER_INVALID = "_transfer_invalid"
SURVEY_ASK = "_survey"
SURVEY_THANKS = "_survey_thanks"
CALLBACK_PROMISED = "_callback_promised"
CALLBACK_UNKNOWN = "_callback_unknown"
MAX_ANNOUNCED_POSITION = 9  # digits/1 to digits/9: a longer announcement keeps a freed agent waiting


def sound(name: str) -> str:
    """How the dialplan names a prompt: its language folder is Asterisk's business."""
    return f"hotline/{name}"


def fallback_prompt(menu: str) -> str:
    """The prompt played in place of ``menu`` when the menu server fails."""
    return f"_fallback_{menu}"


def keys_prompt(queue: str) -> str:
    """The announcement to those who wait in ``queue``: that they are not forgotten, and what keys do."""
    return f"_keys_{queue}"


def keys_text(site: Site, queue: Queue) -> str:
    """What that announcement says."""
    titles = {one.name: one.title for one in site.queues}
    offers = [
        f"需要坐席稍后给您回电请按{key.key}" if key.callback else f"转{titles[key.queue or '']}请按{key.key}"
        for key in queue.keys
    ]
    return "，".join(["感谢您的耐心等候", *offers]) + "。"


def fallback_keys(site: Site, menu: Menu) -> dict[str, tuple[Line | None, str]]:
    """What a digit does in the fallback of ``menu``: key -> (line or None, queue).

    Only keys 1 to 9 that lead straight to a line or a queue; everything else waits in the line's own queue.
    """
    keys: dict[str, tuple[Line | None, str]] = {}
    for choice in menu.choices:
        if choice.key not in "123456789":
            continue
        if choice.line:
            line = site.line(choice.line)
            keys[choice.key] = (line, line.queue_name)
        elif choice.queue:
            keys[choice.key] = (None, choice.queue)
    return keys


def fallback_text(site: Site, menu: Menu) -> str:
    """What the caller hears when the menu server fails: the direct choices, then patience."""
    titles = {choice.key: choice.title for choice in menu.choices}
    offers = [f"{titles[key]}请按{key}" for key in sorted(fallback_keys(site, menu))]
    return "，".join([*offers, "其他诉求请稍候，为您转接人工服务。"])


def static_prompts(site: Site) -> dict[str, str]:
    """Every sentence the dialplan needs beside the site's prompts: path below ``<sounds>/zh/`` -> text.

    The path has no extension: ``hotline/_please_wait`` is ``zh/hotline/_please_wait.wav`` (and ``.wav16``).
    """
    said = {
        sound(PLEASE_WAIT): "坐席正忙，请您继续等候。",
        sound(THANK_YOU): "感谢您的耐心等候。",
        sound(TRANSFER_ASK): "请输入转接号码。",
        sound(TRANSFER_FAILED): "转接未成功。",
        sound(TRANSFER_INVALID): "号码有误。",
    }
    for name in sorted({line.menu for line in site.lines if line.menu}):
        menu = site.menu(name)
        said[sound(fallback_prompt(name))] = fallback_text(site, menu)
    for queue in site.queues:
        if queue.keys:
            said[sound(keys_prompt(queue.name))] = keys_text(site, queue)
    if any(key.callback for queue in site.queues for key in queue.keys):
        said[sound(CALLBACK_PROMISED)] = "好的，坐席会尽快给您回电，请保持电话畅通，再见。"
        said[sound(CALLBACK_UNKNOWN)] = "没有收到您的来电号码，请您继续等候。"
    if site.survey is not None:
        said |= {sound(SURVEY_ASK): site.survey.prompt, sound(SURVEY_THANKS): site.survey.thanks}
    if any(queue.announce_position for queue in site.queues):
        said[sound(POSITION_NEXT)] = "您是下一位。"
        said |= {sound(POSITION_BEFORE): "您排在第", sound(POSITION_AFTER): "位。"}
        said |= {f"digits/{n}": "零一二三四五六七八九"[n] for n in range(1, MAX_ANNOUNCED_POSITION + 1)}
    return said
