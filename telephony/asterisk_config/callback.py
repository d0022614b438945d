"""The context ``hotline-callback``: an agent who has answered is connected with a citizen.

Only the server's Originate enters it; no phone's dialling does, so agents cannot dial the world. What becomes
of it is written into queue_log as well: the ledger has the callback though our server was gone meanwhile.
"""

from __future__ import annotations

import re

from hotline.config.schema import Site
from hotline.telephony.asterisk_config import recording
from hotline.telephony.asterisk_config.context import at, context
from hotline.telephony.asterisk_config.text import value

NAME = "hotline-callback"
REACHED = "hotline-reached"
PURPOSE = "callback"
"""What the id of the channel of an agent who calls back says: ``node1-callback-8001-1795242306935.1``."""

_CALL_ID = re.compile(rf".+-{PURPOSE}-[^-]+-[0-9]+\.[0-9]+")
CITIZEN_RING_SECONDS = 60


def is_callback(call_id: str) -> bool:
    """Whether a call is one by which an agent calls a citizen back: it is named after the agent's channel."""
    return _CALL_ID.fullmatch(call_id) is not None


def callback_contexts(site: Site) -> str:
    """The number is the extension; ``HOTLINE_CALLBACK_OF`` is the call it answers, HOTLINE_LINE that call's.

    Options of Dial: ``T`` the agent, who calls here, may transfer; ``g`` go on when the citizen hangs up
    first, which so is told apart from the agent's hang-up; ``U`` the citizen's channel runs
    ``hotline-reached``.
    """
    trunk = site.transfer.trunk
    if trunk is None:
        return context(NAME, "This site dials nobody outside.", ("_X.", "Hangup()"))
    dialled = value(trunk, "transfer.trunk").replace("{number}", "${EXTEN}")
    told = "CallId: ${HOTLINE_CALLBACK_OF},Agent: ${HOTLINE_CALLBACK_AGENT},Line: ${HOTLINE_LINE}"
    logged = "${HOTLINE_CALLBACK_OF}|${HOTLINE_LINE}|${EXTEN}"
    calling = context(
        NAME,
        "An agent calls a citizen back.",
        (
            "_X.",
            f"QueueLog(NONE,${{UNIQUEID}},${{HOTLINE_CALLBACK_AGENT}},HOTLINECALLBACK,{logged})",
            f"UserEvent(HotlineCallback,{told})",
            "Set(CALLERID(num)=${HOTLINE_CALLBACK_FROM})",
            "Set(HOTLINE_BY=agent)",
            *recording.calling(site),
            f"Dial({dialled},{CITIZEN_RING_SECONDS},TgU({REACHED}))",
            'ExecIf($["${DIALSTATUS}" = "ANSWER"]?Set(HOTLINE_BY=caller))',
            "Hangup()",
        ),
        (
            "h",
            "QueueLog(NONE,${UNIQUEID},NONE,HOTLINECALLBACKOVER,${DIALSTATUS}|${HOTLINE_BY})",
            "UserEvent(HotlineCallbackOver,Status: ${DIALSTATUS},By: ${HOTLINE_BY})",
        ),
    )
    reached = context(
        REACHED,
        "On the channel of the citizen who answers, before the two are joined.",
        (
            "s",
            "Set(CHANNEL(language)=zh)",
            *recording.called(site),
            at("reached", "QueueLog(NONE,${UNIQUEID},NONE,HOTLINEREACHED,${CHANNEL(linkedid)})"),
            "UserEvent(HotlineReached)",
            "Return()",
        ),
    )
    return f"{calling}\n{reached}"
