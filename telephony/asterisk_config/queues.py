"""queues.conf and musiconhold.conf: how callers wait and what they hear meanwhile."""

from __future__ import annotations

from hotline.config.schema import Queue, Site
from hotline.telephony.asterisk_config import queue_keys
from hotline.telephony.asterisk_config.places import Places
from hotline.telephony.asterisk_config.prompts import (
    MAX_ANNOUNCED_POSITION,
    POSITION_AFTER,
    POSITION_BEFORE,
    POSITION_NEXT,
    THANK_YOU,
    keys_prompt,
    sound,
)
from hotline.telephony.asterisk_config.text import document, section, value, word

EVERY_PENALTY = 10
"""As QUEUE_MAX_PENALTY: nobody is left out. Levels go to 10, penalties to 9."""
PERIODIC_ANNOUNCEMENT_SECONDS = 30
POSITION_ANNOUNCEMENT_SECONDS = 45
BRIDGE_WRAP_UP_SECONDS = 2
"""How long app_queue itself leaves an agent alone after a talk: until the server's pause for the wrap-up has
arrived. app_queue counts whole seconds, so 2 are at least 1."""


def queues_conf(site: Site, *, name: str = "queues.conf", managed: bool = True) -> str:
    """Every queue. Members are dynamic: agents join when they sign in.

    Raises:
        UsageError: a queue name Asterisk would read as something else.
    """
    general = section(
        "general",
        [
            ("persistentmembers", "yes"),
            ("autofill", "yes"),
            ("shared_lastcall", "yes"),
            ("log_membername_as_agent", "yes"),
        ],
    )
    parts = [general] if managed else []
    parts += [_queue(queue, site.figures.answer_within_seconds) for queue in site.queues]
    return document(name, "Queues: agents join and leave them as they sign in and out.", *parts)


def queuerules_conf(site: Site, *, name: str = "queuerules.conf") -> str:
    """How the circle of agents widens while a caller waits: a level's penalty is the level less one.

    Level 1 is asked from the start: the dialplan sets the first bound, since app_queue takes no rule for it.
    """
    rules = []
    for queue in site.queues:
        steps: list[tuple[str, str | int]] = [
            ("penaltychange", f"{after},{penalty}")
            for penalty, after in enumerate(queue.widen_after_seconds, start=1)
        ]
        if steps:
            steps[-1] = ("penaltychange", f"{queue.widen_after_seconds[-1]},{EVERY_PENALTY}")
            rules.append(section(_rule(queue), steps))
    return document(name, "Agents of a lower level are asked only after a while.", *rules)


def _rule(queue: Queue) -> str:
    return f"widen-{word(queue.name, 'queue')}"


def _queue(queue: Queue, answer_within_seconds: int) -> str:
    """One queue. Of the wrap-up only its first moment is app_queue's own."""
    options: list[tuple[str, str | int]] = [
        ("strategy", queue.strategy),
        ("timeout", queue.ring_seconds),
        ("retry", queue.retry_seconds),
        ("maxlen", queue.max_waiting),
        ("servicelevel", answer_within_seconds),
        ("ringinuse", "no"),
        ("joinempty", "yes"),
        ("leavewhenempty", "no"),
        ("wrapuptime", min(BRIDGE_WRAP_UP_SECONDS, queue.wrap_up_seconds)),
        ("autopause", "no"),
        ("timeoutpriority", "app"),
        ("musicclass", "default"),
        ("announce-holdtime", "no"),
        ("periodic-announce", sound(keys_prompt(queue.name) if queue.keys else THANK_YOU)),
        ("periodic-announce-frequency", PERIODIC_ANNOUNCEMENT_SECONDS),
    ]
    if queue.keys:
        options.append(("context", queue_keys.context_name(queue)))
    if queue.widen_after_seconds:
        options.append(("defaultrule", _rule(queue)))
    if queue.announce_position:
        options += [
            ("announce-frequency", POSITION_ANNOUNCEMENT_SECONDS),
            ("announce-position", "limit"),
            ("announce-position-limit", MAX_ANNOUNCED_POSITION),
            ("queue-youarenext", sound(POSITION_NEXT)),
            ("queue-thereare", sound(POSITION_BEFORE)),
            ("queue-callswaiting", sound(POSITION_AFTER)),
            ("queue-thankyou", sound(THANK_YOU)),
        ]
    return section(word(queue.name, "queue"), options)


def musiconhold_conf(places: Places) -> str:
    """What a waiting caller hears between announcements."""
    return document(
        "musiconhold.conf",
        "Any WAV files (8 kHz, mono, 16 bit) in that folder are played in turn.",
        section(
            "default",
            [("mode", "files"), ("directory", value(str(places.music_dir), "data_dir")), ("sort", "alpha")],
        ),
    )
