"""extensions.conf: every way a call can take, and how it reaches a person when our server is gone.

One context per line and per queue, so that the file reads like the site. Whatever the menu server does
(refuses the connection, is killed, closes, stays silent), the call goes on in ``hotline-fallback`` and then
to a queue: only ``HOTLINE_RESULT``, which the menu server sets last, says that a menu ended well; AGISTATUS
is SUCCESS even for a server that was killed in the middle.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hotline.config.menu_path import language
from hotline.config.menus import Menu
from hotline.config.schema import Hours, Line, Queue, Site
from hotline.core.errors import UsageError
from hotline.telephony.asterisk_config import recording, supervision, survey, transfer, wrap_up
from hotline.telephony.asterisk_config.callback import callback_contexts
from hotline.telephony.asterisk_config.context import at, context
from hotline.telephony.asterisk_config.hold import hold_contexts
from hotline.telephony.asterisk_config.prompts import PLEASE_WAIT, fallback_keys, fallback_prompt, sound
from hotline.telephony.asterisk_config.queue_keys import POSITION, keys_context
from hotline.telephony.asterisk_config.queues import EVERY_PENALTY
from hotline.telephony.asterisk_config.text import clock, digits, document, value, word

FALLBACK_KEY_SECONDS = 5
ECHO_TEST = "*43"
PATH_CHARACTERS = "A-Za-z0-9_.*#\\-"
NUMBER_CHARACTERS = "0-9+*#"
LANGUAGE_CHARACTERS = "A-Za-z0-9\\-"
LAST_MINUTE_OF_DAY = 24 * 60 - 1
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def extensions_conf(site: Site, *, name: str = "extensions.conf") -> str:
    """The whole dialplan of a site.

    Raises:
        UsageError: a name that Asterisk would read as something else, or a line whose queue is missing.
    """
    lines = _reachable(site)
    menus = sorted({line.menu for line in lines if line.menu})
    contexts = [
        _globals(site),
        _entry(site),
        *(_line(site, line) for line in lines),
        _fallback(),
        *(_fallback_menu(site, site.menu(menu)) for menu in menus),
        _to_queue(site),
        *recording.answered_context(site),
        *recording.asked_context(site),
        *(_queue(site, queue) for queue in site.queues),
        *(keys_context(queue) for queue in site.queues if queue.keys),
        wrap_up.release_context(site),
        transfer.transfer_context(site),
        hold_contexts(),
        callback_contexts(site),
        supervision.spy_context(site),
        *survey.survey_context(site),
        _agents(),
    ]
    return document(name, "How calls go: hotline-in is where the trunk's calls begin.", *contexts)


def _default_line(site: Site) -> Line:
    """The line of callers whose dialled number no line has: 12345's, else the first."""
    return site.line_of_did("12345") or site.lines[0]


def _reachable(site: Site) -> list[Line]:
    """The lines a call can arrive on: those with a number to dial, and those that take over out of hours."""
    taking_over = {line.closed_to for line in site.lines}
    default = _default_line(site)
    lines = [line for line in site.lines if line.dids or line.id in taking_over or line.id == default.id]
    queues = {queue.name for queue in site.queues}
    for line in lines:
        if line.queue_name not in queues:
            raise UsageError(
                f"line {line.id} waits in queue {line.queue_name}, which the site has not",
                hint="add it to queues",
            )
    return lines


def _globals(site: Site) -> str:
    """A line's priority, where ``hotline-queue`` finds it whoever chose the line."""
    rows = [f"{_priority(line.id)} = {line.priority}" for line in site.lines]
    rows += recording.line_policy(site.lines, site)
    rows += survey.line_policy(site)
    return "\n".join(["; A waiting caller with a higher number goes first.", "[globals]", *rows])


def _priority(line_id: str) -> str:
    return f"HOTLINE_PRIORITY_{word(line_id, 'line')}"


def _entry(site: Site) -> str:
    """Dialled number to line. The number is taken from the site, never from what the caller sent."""
    known = [
        (digits(did, "DID"), f"Set(HOTLINE_DID={did})", f"Goto({_line_context(line.id)},s,1)")
        for line in site.lines
        for did in line.dids
    ]
    default = _default_line(site)
    did = default.dids[0] if default.dids else (default.number or "")
    unknown = (f"Set(HOTLINE_DID={did})", f"Goto({_line_context(default.id)},s,1)")
    patterns = ((pattern, *unknown) for pattern in ("_X", "_X.", "_+X.", "s", "i"))
    return context("hotline-in", "Calls from outside begin here.", *known, *patterns)


def _line_context(line_id: str) -> str:
    return f"hotline-line-{word(line_id, 'line')}"


def _line(site: Site, line: Line) -> str:
    """One line: announce the call, answer, play the notice, mind the hours, then the menu or the queue."""
    queue = word(line.queue_name, "queue")
    begin = [
        "Set(CHANNEL(language)=zh)",
        f"Set(CALLERID(num)=${{FILTER({NUMBER_CHARACTERS},${{CALLERID(num)}})}})",
        "Set(AGIEXITONHANGUP=yes)",
        "Set(HOTLINE_PATH=)",
        f"Set(HOTLINE_LANGUAGE={site.language_of(line)})",
        f"UserEvent(HotlineCall,Line: {line.id},Did: ${{HOTLINE_DID}},Spoken: ${{HOTLINE_LANGUAGE}})",
        "Answer()",
    ]
    begin += recording.notice(site)
    begin += _hours(site, line)
    serve = [
        at("open", f"Set(HOTLINE_LINE={line.id})"),
        f"Set(HOTLINE_QUEUE={queue})",
        *(_menu(site, line) if line.menu else ["Goto(hotline-queue,s,1)"]),
    ]
    extensions: list[Iterable[str]] = [("s", *begin, *serve)]
    if line.menu:  # TIMEOUT(absolute) ran out: the menu server hung
        extensions.append(("T", "Goto(s,failed)"))
    return context(_line_context(line.id), f"The line {line.label}.", *extensions)


def _menu(site: Site, line: Line) -> list[str]:
    """Ask the menu server, for at most the time an honest menu takes, and trust only what it set last."""
    menu = word(line.menu or "", "menu")
    host = value(site.fastagi.host, "fastagi.host")
    if any(character in host for character in "(),/?&\"' ;[]"):
        raise UsageError(f"fastagi.host {host!r} is no host", hint="write a name or an IPv4 address")
    return [
        f"Set(HOTLINE_MENU={menu})",
        "Set(HOTLINE_RESULT=)",
        f"Set(TIMEOUT(absolute)={site.fastagi.absolute_timeout_seconds})",
        f"AGI(agi://{host}:{site.fastagi.port}/menu?line={line.id}&menu={menu})",
        "Set(TIMEOUT(absolute)=0)",
        'GotoIf($["${HOTLINE_RESULT}" = "queue"]?hotline-queue,s,1)',
        'GotoIf($["${HOTLINE_RESULT}" = "operator"]?hotline-queue,s,1)',
        'GotoIf($["${HOTLINE_RESULT}" = "hangup"]?done)',
        at("failed", f"Set(HOTLINE_LINE={line.id})"),
        f"Set(HOTLINE_QUEUE={line.queue_name})",
        "Goto(hotline-fallback,s,1)",
        at("done", "Hangup()"),
    ]


def _hours(site: Site, line: Line) -> Iterator[str]:
    """Out of hours a line's calls go to ``closed_to``: one step only, so that two lines cannot circle."""
    if not line.hours or not line.closed_to:
        return
    other = site.line(line.closed_to)
    for times, days in (part for hours in line.hours for part in _ranges(hours)):
        yield f"GotoIfTime({times},{days},*,*,{value(site.site.timezone, 'site.timezone')}?open)"
    yield f"Goto({_line_context(other.id)},s,open)"


def _ranges(hours: Hours) -> Iterator[tuple[str, str]]:
    """``(times, days)`` for GotoIfTime: whole minutes, the last one included, nothing over midnight."""
    first = hours.opens.hour * 60 + hours.opens.minute
    end_seconds = (hours.closes.hour * 60 + hours.closes.minute) * 60 + hours.closes.second
    last = (end_seconds - 1) // 60 if end_seconds else LAST_MINUTE_OF_DAY
    days = sorted(set(hours.days))
    if first <= last:
        yield f"{clock(hours.opens)}-{_minute(last)}", _weekdays(days)
        return
    yield f"{clock(hours.opens)}-{_minute(LAST_MINUTE_OF_DAY)}", _weekdays(days)
    yield f"00:00-{_minute(last)}", _weekdays(sorted(day % 7 + 1 for day in days))


def _minute(of_day: int) -> str:
    return f"{of_day // 60:02d}:{of_day % 60:02d}"


def _weekdays(days: Iterable[int]) -> str:
    return "&".join(DAYS[day - 1] for day in days)


def _fallback() -> str:
    """No answer from the menu server: one prompt, one digit, then a person."""
    return context(
        "hotline-fallback",
        "The menu server failed this caller. HOTLINE_LINE, _QUEUE and _MENU say who it is.",
        (
            "s",
            "Set(TIMEOUT(absolute)=0)",
            "UserEvent(HotlineFallback,Line: ${HOTLINE_LINE})",
            "Set(HOTLINE_PATH=)",
            "Goto(hotline-fallback-${HOTLINE_MENU},s,1)",
        ),
    )


def _fallback_menu(site: Site, menu: Menu) -> str:
    """The fallback of one menu: its keys 1 to 9 that lead straight to a line or queue."""
    name = word(menu.name, "menu")
    ask = (
        "s",
        f"Read(HOTLINE_KEY,{sound(fallback_prompt(name))},1,,1,{FALLBACK_KEY_SECONDS})",
        'GotoIf($["${FILTER(1-9,${HOTLINE_KEY})}" = ""]?hotline-queue,s,1)',
        f"GotoIf(${{DIALPLAN_EXISTS(hotline-fallback-{name},${{HOTLINE_KEY}},1)}}?${{HOTLINE_KEY}},1)",
        "Goto(hotline-queue,s,1)",
    )
    keys = []
    for key, (line, queue) in sorted(fallback_keys(site, menu).items()):
        sets = [f"Set(HOTLINE_LINE={word(line.id, 'line')})"] if line else []
        path = f"{name}.{key}"
        sets += [f"Set(HOTLINE_QUEUE={word(queue, 'queue')})", f"Set(HOTLINE_PATH={path})"]
        if spoken := language(site, path):
            sets.append(f"Set(HOTLINE_LANGUAGE={spoken})")
        keys.append((key, *sets, "Goto(hotline-queue,s,1)"))
    return context(f"hotline-fallback-{name}", f"What the keys of menu {name} do then.", ask, *keys)


def _to_queue(site: Site) -> str:
    """Every way into a queue leads through here, so that queue_log alone can tell the whole story."""
    message = "${HOTLINE_LINE}|${HOTLINE_DID}|${CHANNEL(linkedid)}|${HOTLINE_PATH}|${HOTLINE_LANGUAGE}"
    trace = (  # Spoken, for every event of a channel has a Language already: that of its sounds
        "Line: ${HOTLINE_LINE},Did: ${HOTLINE_DID},Queue: ${HOTLINE_QUEUE},Path: ${HOTLINE_PATH},"
        "Spoken: ${HOTLINE_LANGUAGE}"
    )
    return context(
        "hotline-queue",
        "HOTLINE_LINE, HOTLINE_QUEUE and HOTLINE_PATH are set: note them down, then wait for an agent.",
        (
            "s",
            "GotoIf(${DIALPLAN_EXISTS(hotline-queue-${HOTLINE_QUEUE},s,1)}?known)",
            f"Set(HOTLINE_QUEUE={word(_default_line(site).queue_name, 'queue')})",
            at("known", f"Set(HOTLINE_PATH=${{FILTER({PATH_CHARACTERS},${{HOTLINE_PATH}})}})"),
            # __: a consult about this call, which is a channel of its own, knows them too
            "Set(__HOTLINE_LINE=${HOTLINE_LINE})",
            "Set(__HOTLINE_DID=${HOTLINE_DID})",
            f"Set(__HOTLINE_LANGUAGE=${{FILTER({LANGUAGE_CHARACTERS},${{HOTLINE_LANGUAGE}})}})",
            'Set(QUEUE_PRIO=${IF($["${HOTLINE_PRIORITY_${HOTLINE_LINE}}" = ""]?'
            "0:${HOTLINE_PRIORITY_${HOTLINE_LINE}})})",
            *wrap_up.GUARD,
            f"QueueLog(${{HOTLINE_QUEUE}},${{UNIQUEID}},NONE,HOTLINE,{message})",
            f"UserEvent(HotlineQueue,{trace})",
            *recording.begin(site),
            "Goto(hotline-queue-${HOTLINE_QUEUE},s,1)",
        ),
    )


def _queue(site: Site, queue: Queue) -> str:
    """One queue. A caller leaves it answered, by hanging up, or for another queue: never lost.

    Options: ``t`` the agent may transfer, ``c`` go on here when the agent hangs up first, ``i`` ignore a
    phone that forwards, ``C`` tell the other phones that the call was answered.
    """
    name = word(queue.name, "queue")
    wait = queue.max_wait_seconds or ""
    arguments = [name, "tciC", "", "", wait, "", recording.ANSWERED if site.records else ""]
    begun = []
    if queue.keys:  # somebody who comes back from its keys may have a place to begin at
        arguments += ["", f"${{{POSITION}}}"]
        begun = [f"Set({POSITION}=)"]
    rest = (
        [f"Set(HOTLINE_QUEUE={word(queue.overflow, 'queue')})", "Wait(1)"]
        if queue.overflow
        else [f"Playback({sound(PLEASE_WAIT)})", "Wait(2)"]
    )
    return context(
        f"hotline-queue-{name}",
        f"Waiting in {name}.",
        (
            "s",
            # its own first bound in any case: the queue before may have left another one there
            f"Set(QUEUE_MAX_PENALTY={0 if queue.widen_after_seconds else EVERY_PENALTY})",
            f"Queue({','.join(str(one) for one in arguments).rstrip(',')})",
            *begun,
            f'GotoIf($["${{QUEUESTATUS}}" = "CONTINUE"]?{survey.next_after_talk(site)})',
            f"QueueLog({name},${{UNIQUEID}},NONE,HOTLINEEXIT,${{QUEUESTATUS}})",
            f"UserEvent(HotlineExit,Queue: {name},Status: ${{QUEUESTATUS}})",
            'GotoIf($["${QUEUESTATUS}" = "WITHDRAW"]?moved)',
            *rest,
            "Goto(hotline-queue,s,1)",
            at("moved", "Set(HOTLINE_QUEUE=${QUEUE_WITHDRAW_INFO})"),  # a supervisor said where to
            "Goto(hotline-queue,s,1)",
            at("done", "Hangup()"),
        ),
    )


def _agents() -> str:
    """What agents' phones may dial: the echo test, and whomever a call can be handed to."""
    echo = (ECHO_TEST, "Answer()", "Echo()", "Hangup()")
    return context("hotline-agents", "What agents' phones may dial.", echo) + f"\ninclude => {transfer.NAME}"
