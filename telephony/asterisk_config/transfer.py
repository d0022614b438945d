"""The context ``hotline-transfer``: whom a caller can be handed to, and where a caller goes whom nobody took.

Whoever transfers ends here: REFER and feature codes (``TRANSFER_CONTEXT`` of the agents' endpoints), the
console's BlindTransfer and Atxfer, and the phones' own dialling. Targets are agents' extensions, ``q<queue>``
(also the queue's name where it is digits, for a phone's keys) and the numbers outside that the site lists.
"""

from __future__ import annotations

from collections.abc import Iterable

from hotline.config.schema import OutsideNumber, Queue, Site
from hotline.telephony.asterisk_config import recording, survey
from hotline.telephony.asterisk_config.context import at, context
from hotline.telephony.asterisk_config.text import digits, value, word

NAME = "hotline-transfer"
MOVED = "hotline-moved"
NOTE = f"Gosub({MOVED},s,1)"
AGENT_RING_SECONDS = 30
OUTSIDE_RING_SECONDS = 60
QUEUE_PREFIX = "q"


def transfer_context(site: Site) -> str:
    """The targets, and what happens when one was not reached."""
    agents = [digits(agent.extension, "extension") for agent in site.agents]
    note, answering = (NOTE, *recording.asking(site)), recording.answering(site)
    options = f"t{survey.going_on(site)}{answering}"
    extensions: list[Iterable[str]] = [_agent(extension, note, options) for extension in agents]
    for queue in site.queues:
        extensions += _queue(queue, taken=agents)
    trunk = site.transfer.trunk or ""
    extensions += [_outside(trunk, number, note, answering) for number in site.transfer.numbers]
    invalid = ("i", "Set(DIALSTATUS=INVALIDARGS)", f"Goto({NAME},unreached,1)")
    targets = context(NAME, "Whom a call can be handed to.", *extensions, _unreached(site), invalid)
    return f"{targets}\n{_moved()}"


def _moved() -> str:
    """Note that the caller goes on: a wait that was cut short for this was not given up."""
    note = "QueueLog(NONE,${UNIQUEID},NONE,HOTLINEMOVED,)"
    return context(
        MOVED, "A call goes to whom it was handed.", ("s", note, "UserEvent(HotlineMoved)", "Return()")
    )


def _agent(extension: str, note: Iterable[str], options: str) -> Iterable[str]:
    """An agent's phone; ``t`` of its options: who is called so may transfer in turn."""
    return (
        extension,
        *note,
        f"Dial(PJSIP/{extension},{AGENT_RING_SECONDS},{options})",
        f"Goto({NAME},unreached,1)",
    )


def _queue(queue: Queue, taken: Iterable[str]) -> Iterable[Iterable[str]]:
    name = word(queue.name, "queue")
    wait = (NOTE, f"Set(HOTLINE_QUEUE={name})", "Goto(hotline-queue,s,1)")
    yield f"{QUEUE_PREFIX}{name}", *wait
    if name.isdigit() and name not in taken:
        yield name, *wait


def _outside(trunk: str, outside: OutsideNumber, note: Iterable[str], answering: str) -> Iterable[str]:
    number = digits(outside.number, "transfer.numbers: number")
    dialled = value(trunk, "transfer.trunk").replace("{number}", number)
    options = f",{answering}" if answering else ""
    return number, *note, f"Dial({dialled},{OUTSIDE_RING_SECONDS}{options})", f"Goto({NAME},unreached,1)"


def _unreached(site: Site) -> Iterable[str]:
    """Nobody took the call, or the talk is over: an agent has hung up.

    A caller who was put through and reached nobody goes back to wait in the queue they came from. A consult
    (a Local channel) or an agent's own call just ends.
    """
    return (
        "unreached",
        f'GotoIf($["${{DIALSTATUS}}" = "ANSWER"]?{survey.next_after_talk(site)})',
        'GotoIf($["${CHANNEL(channeltype)}" = "Local" | "${HOTLINE_LINE}" = ""]?done)',
        "Goto(hotline-queue,s,1)",
        at("done", "Hangup()"),
    )
