"""What the keys of a waiting caller do: ask for a callback, or wait in another queue.

app_queue takes the caller out (queue_log: EXITWITHKEY) and goes on here. The dialplan's own word that follows
says which of the two it was, since a request for a callback is a class of its own in the ledger.
"""

from __future__ import annotations

from hotline.config.schema import Queue, QueueKey
from hotline.telephony.asterisk_config.context import at, context
from hotline.telephony.asterisk_config.prompts import CALLBACK_PROMISED, CALLBACK_UNKNOWN, sound
from hotline.telephony.asterisk_config.text import word

POSITION = "HOTLINE_POSITION"
"""Where in the queue the caller's next wait begins; empty: at its end."""


def context_name(queue: Queue) -> str:
    """The context that ``queues.conf`` names."""
    return f"hotline-keys-{word(queue.name, 'queue')}"


def keys_context(queue: Queue) -> str:
    """The keys of one queue."""
    return context(
        context_name(queue),
        f"What callers who wait in {queue.name} may press.",
        *((key.key, *_does(queue, key)) for key in queue.keys),
    )


def _does(queue: Queue, key: QueueKey) -> list[str]:
    name = word(queue.name, "queue")
    if key.queue is not None:
        return [
            *_left(name, "KEY"),
            f"Set(HOTLINE_QUEUE={word(key.queue, 'queue')})",
            "Goto(hotline-queue,s,1)",
        ]
    return [
        'GotoIf($["${CALLERID(num)}" = ""]?unknown)',
        *_left(name, "CALLBACK"),
        f"Playback({sound(CALLBACK_PROMISED)})",
        "Hangup()",
        at("unknown", f"Playback({sound(CALLBACK_UNKNOWN)})"),
        *_left(name, "KEY"),
        f"Set({POSITION}=1)",  # they have waited already
        f"Set(HOTLINE_QUEUE={name})",
        "Goto(hotline-queue,s,1)",
    ]


def _left(queue: str, status: str) -> list[str]:
    return [
        f"QueueLog({queue},${{UNIQUEID}},NONE,HOTLINEEXIT,{status})",
        f"UserEvent(HotlineExit,Queue: {queue},Status: {status})",
    ]
