"""Hold by the exchange itself, for phones that cannot be told to hold: also by keys, and with no server.

The key runs an application on the other side, inside its bridge: the queue's talk goes on. The caller hears
music until the shared variable is 0, or until the agent's channel is gone: nobody is left in the music.
"""

from __future__ import annotations

from hotline.telephony.asterisk_config.context import context

VARIABLE = "HOTLINE_HELD"
MAX_HOLD_SECONDS = 3600
LOOK_SECONDS = 0.1


def hold_contexts() -> str:
    """The applications behind the keys for hold and its end."""
    over = f'#["#{{SHARED({VARIABLE})}}" = "0" | #{{CHANNEL_EXISTS(#{{HOTLINE_HOLDER}})}} = 0]'
    hold = context(
        "hotline-hold",
        "Runs on the caller's channel when the agent holds.",
        (
            "s",
            f"Set(SHARED({VARIABLE})=1)",
            "Set(HOTLINE_HOLDER=${BRIDGEPEER})",
            "UserEvent(HotlineHold)",
            "StartMusicOnHold()",
            f"WaitForCondition(#,{over},{MAX_HOLD_SECONDS},{LOOK_SECONDS})",
            "StopMusicOnHold()",
            "UserEvent(HotlineUnhold)",
            "Return()",
        ),
    )
    unhold = context(
        "hotline-unhold",
        "Runs on the agent's channel.",
        ("s", f"Set(SHARED({VARIABLE},${{BRIDGEPEER}})=0)", "Return()"),
    )
    return f"{hold}\n{unhold}"
