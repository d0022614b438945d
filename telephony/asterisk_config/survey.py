"""The context ``hotline-survey``: after the talk the caller says by a key how satisfied they are.

Who comes here was left by an agent: of a talk that a queue made (option ``c`` of Queue), or to whom the
caller had been handed (option ``g`` of Dial). Whoever hangs up first themselves is not asked, nor whom
somebody outside has left. All of it is the dialplan's own and works with no server: ``HOTLINESURVEY`` in
queue_log is what the ledger's row is made of, and the event tells the same. The agent's talk is over, and so
is the recording.
"""

from __future__ import annotations

from collections.abc import Iterator

from hotline.config.schema import Site
from hotline.config.survey import KEYS
from hotline.core.events import SurveyOutcome
from hotline.telephony.asterisk_config import recording
from hotline.telephony.asterisk_config.context import at, context
from hotline.telephony.asterisk_config.prompts import SURVEY_ASK, SURVEY_THANKS, sound
from hotline.telephony.asterisk_config.text import digits, word

NAME = "hotline-survey"
_ASKED = "HOTLINE_SURVEY_ASKED"
_PHONE = "HOTLINE_SURVEY_PHONE"
_SEAT = "HOTLINE_SEAT_"
_SAID = "HOTLINE_SURVEY_SAID"


def line_policy(site: Site) -> Iterator[str]:
    """Globals: the lines whose callers are asked, and the phones that are agents'."""
    if site.survey is not None:
        yield from (f"HOTLINE_SURVEY_{word(line.id, 'line')} = yes" for line in site.lines if site.asks(line))
        yield from (f"{_SEAT}{digits(agent.extension, 'extension')} = yes" for agent in site.agents)


def next_after_talk(site: Site) -> str:
    """Where a caller goes on whom an agent has left; ``done`` is a label of that place."""
    return f"{NAME},s,1" if site.survey else "done"


def going_on(site: Site) -> str:
    """The option of Dial by which a caller goes on when who was dialled hangs up."""
    return "g" if site.survey else ""


def survey_context(site: Site) -> Iterator[str]:
    """One question, again after a wrong key, and a word of thanks.

    The connected line is whom the caller talked with last, also after transfers: an agent's extension, or a
    number outside (BRIDGEPEER is empty by now). Where an agent put the caller through to a queue, the Local
    channel that waited there is not asked, but the caller is.
    """
    survey = site.survey
    if survey is None:
        return
    ask = f"Read(HOTLINE_KEY,{sound(SURVEY_ASK)},1,,1,{survey.wait_seconds})"
    yield context(
        NAME,
        "The agent has hung up: the caller alone is asked how satisfied they are.",
        (
            "s",
            'GotoIf($["${HOTLINE_SURVEY_${HOTLINE_LINE}}" = ""]?done)',
            'GotoIf($["${CHANNEL(channeltype)}" = "Local"]?done)',
            f"Set({_PHONE}=${{FILTER(0-9,${{CONNECTEDLINE(num)}})}})",
            f'GotoIf($["${{{_SEAT}${{{_PHONE}}}}}" = ""]?done)',
            *(["StopMixMonitor()"] if site.records else []),
            f"Set({_ASKED}={recording.NOW})",
            f"Set({_SAID}={SurveyOutcome.NO_ANSWER})",
            "Set(HOTLINE_KEY=)",
            f"Set(HOTLINE_SURVEY_TRIES={1 + survey.tries_after_wrong_key})",
            "UserEvent(HotlineAsked)",
            at("ask", ask),
            'GotoIf($["${READSTATUS}" = "TIMEOUT"]?over)',
            f'GotoIf($["${{FILTER({KEYS},${{HOTLINE_KEY}})}}" != ""]?answered)',
            f"Set({_SAID}={SurveyOutcome.WRONG_KEY})",
            "Set(HOTLINE_KEY=)",
            "Set(HOTLINE_SURVEY_TRIES=$[${HOTLINE_SURVEY_TRIES} - 1])",
            "GotoIf($[${HOTLINE_SURVEY_TRIES} > 0]?ask:over)",
            at("answered", f"Set({_SAID}={SurveyOutcome.ANSWERED})"),
            at("over", f"Gosub({NAME},told,1)"),  # before the thanks, which not everybody waits for
            f"Playback({sound(SURVEY_THANKS)})",
            at("done", "Hangup()"),
        ),
        ("told", *_told(f"${{{_SAID}}}", "${HOTLINE_KEY}"), f"Set({_ASKED}=)", "Return()"),
        (
            "h",
            f'GotoIf($["${{{_ASKED}}}" = ""]?done)',
            *_told(SurveyOutcome.HUNG_UP, ""),
            at("done", "NoOp()"),
        ),
    )


def _told(outcome: str, key: str) -> Iterator[str]:
    """queue_log and the event say the same."""
    asked, phone = f"${{{_ASKED}}}", f"${{{_PHONE}}}"
    yield f"QueueLog(NONE,${{UNIQUEID}},NONE,HOTLINESURVEY,{asked}|{phone}|{outcome}|{key})"
    yield f"UserEvent(HotlineSurvey,Asked: {asked},Phone: {phone},Outcome: {outcome},Key: {key})"
