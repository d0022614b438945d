"""The context ``hotline-callback``: an agent who has answered is connected with a citizen.

Only the server's Originate enters it; no phone's dialling does, so agents cannot dial the world.
"""

from __future__ import annotations

from hotline.config.schema import Site
from hotline.telephony.asterisk_config.context import context
from hotline.telephony.asterisk_config.text import value

NAME = "hotline-callback"
CITIZEN_RING_SECONDS = 60


def callback_context(site: Site) -> str:
    """The number is the extension; ``HOTLINE_CALLBACK_OF`` is the call it answers."""
    trunk = site.transfer.trunk
    dial = (
        ("_X.", "Set(DIALSTATUS=CHANUNAVAIL)")
        if trunk is None
        else (
            "_X.",
            "UserEvent(HotlineCallback,CallId: ${HOTLINE_CALLBACK_OF},Agent: ${HOTLINE_CALLBACK_AGENT})",
            "Set(CALLERID(num)=${HOTLINE_CALLBACK_FROM})",
            f"Dial({value(trunk, 'transfer.trunk').replace('{number}', '${EXTEN}')},{CITIZEN_RING_SECONDS})",
        )
    )
    return context(NAME, "An agent calls a citizen back.", (*dial, "Hangup()"))
