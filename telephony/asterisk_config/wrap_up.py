"""Wrap-ups that nobody ends: the server paused agents for a while, and died before that while was over.

With each such pause the server notes in global variables until when it is meant to last. A caller on the way
to a queue who finds the latest of these moments long past lets those agents go, since the server evidently
does not. It costs a living server's callers one comparison.
"""

from __future__ import annotations

from hotline.config.schema import Site
from hotline.telephony.asterisk_config.context import at, context
from hotline.telephony.asterisk_config.text import digits

DUE = "HOTLINE_WRAP_UPS_DUE"
"""Global variable: seconds since 1970 after which no noted wrap-up should be left; empty: none is noted."""
GRACE_SECONDS = 10
"""How long after the end of a wrap-up the server may take to end the pause, being started anew in between."""
RELEASE = "hotline-wrap-ups"

GUARD = (f'GosubIf($["${{{DUE}}}" != "" & ${{EPOCH}} > 0${{{DUE}}}]?{RELEASE},s,1)',)


def until_variable(extension: str) -> str:
    """Global variable: seconds since 1970 at which the wrap-up of this phone's agent ends; empty: none."""
    return f"HOTLINE_WRAP_UP_{extension}"


def release_context(site: Site) -> str:
    """End the noted pauses that are over. What is on a break is not noted.

    A server that has been started anew knows only its own moments, so a later one may be noted beside them:
    that wrap-up goes on, and its moment is the next to wait for.
    """
    rows = [f"Set(GLOBAL({DUE})=)"]
    label = ""
    for agent in site.agents:
        number = digits(agent.extension, "extension")
        until = until_variable(number)
        due = f"$[0${{{until}}} + {GRACE_SECONDS}]"
        rows += [
            _labelled(label, f'GotoIf($["${{{until}}}" = ""]?past{number})'),
            f"GotoIf($[${{EPOCH}} > {due}]?over{number})",
            f"Set(GLOBAL({DUE})=${{IF($[{due} > 0${{{DUE}}}]?{due}:${{{DUE}}})}})",
            f"Goto(past{number})",
            at(f"over{number}", f"UnpauseQueueMember(,PJSIP/{number})"),
            f"Set(GLOBAL({until})=)",
        ]
        label = f"past{number}"
    rows.append(_labelled(label, "Return()"))
    return context(RELEASE, "The server died in somebody's wrap-up: they get calls again.", ("s", *rows))


def _labelled(label: str, application: str) -> str:
    return at(label, application) if label else application
