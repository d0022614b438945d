"""What no single section can know: names given twice, references to nothing, circles, ports that collide."""

from __future__ import annotations

import wave
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path

from hotline.config.alert_checks import check_alerts
from hotline.config.caller_lists import check_caller_lists
from hotline.config.catalogue import known_line
from hotline.config.checker import Checker, Item, names
from hotline.config.engine_checks import check_engines
from hotline.config.menu_checks import check_menus, check_prompts
from hotline.config.ports import port_problems
from hotline.config.problems import KeyPath, Problem
from hotline.config.report_checks import check_reports
from hotline.config.shifts import read_roster
from hotline.config.survey import check_survey
from hotline.config.understanding_checks import check_understanding
from hotline.config.wording_checks import check_wording
from hotline.config.yaml_text import Document


def cross_check(document: Document) -> list[Problem]:
    """Return every problem between the sections of a file."""
    checker = Checker(document)
    for check in _CHECKS:
        check(checker)
    return checker.problems


def _once(checker: Checker) -> None:
    """Ids, names, numbers, DIDs and extensions are given once."""
    checker.given_once("line", [((*i.path, "id"), i.text("id")) for i in checker.lines])
    checker.given_once("DID", [pair for line in checker.lines for pair in line.texts("dids")])
    checker.given_once("agent", [((*i.path, "id"), i.text("id")) for i in checker.agents])
    checker.given_once("extension", [((*i.path, "extension"), i.text("extension")) for i in checker.agents])
    webhooks = checker.site.section("alerts").items("webhooks")
    for what, items in (
        ("queue", checker.queues), ("menu", checker.menus), ("prompt", checker.prompts),
        ("webhook", webhooks), ("engine", checker.site.section("asr").items("engines")),
        ("test call", checker.site.section("test_dialling").items("calls")),
    ):  # fmt: skip
        checker.given_once(what, [((*i.path, "name"), i.text("name")) for i in items])
    for menu in checker.menus:
        keys = [((*choice.path, "key"), choice.text("key")) for choice in menu.items("choices")]
        checker.given_once("key", keys)


def _numbers(checker: Checker) -> None:
    """A number is one line's, or a heading's and one of its own lines'; emergencies are nobody's here."""
    first: dict[str, Item] = {}
    for line in checker.lines:
        path, label = (*line.path, "number"), _label(line)
        known = known_line(label) if label else None
        if known is not None and known.never_merged:
            hint = "emergencies are transferred at once, never queued"
            checker.error(path, f"{label} ({known.name}) is never merged", hint)
        other = first.setdefault(label, line) if label else line
        family = line.text("parent") == other.text("id") or other.text("parent") == line.text("id")
        if other is not line and not family:
            where = checker.line_of((*other.path, "number"))
            message = f'line number "{label}" is given twice (first on line {where})'
            checker.error(path, message, "make one the other's parent, or give it a suffix")


def _label(line: Item) -> str | None:
    number, suffix = line.text("number"), line.text("suffix")
    return f"{number}-{suffix}" if number and suffix else number


def _lines(checker: Checker) -> None:
    """Lines refer to what exists, and those that callers reach have a queue."""
    ids = names(checker.lines, "id")
    if "lines" in checker.site.data and not checker.lines:
        checker.error(
            ("lines",), "the site has no line", "add at least one, with the number that callers dial"
        )
    reached = _reached_lines(checker)
    for plan in checker.site.section("test_dialling").items("calls"):
        checker.refer(plan, "line", ids, "line")
    for line in checker.lines:
        checker.refer(line, "parent", ids, "line")
        checker.refer(line, "closed_to", ids, "line")
        checker.refer(line, "menu", names(checker.menus), "menu")
        checker.refer(line, "queue", names(checker.queues), "queue")
        if line.text("suffix") and not line.text("number"):
            checker.error(
                (*line.path, "suffix"), "a suffix without a number", "give the number it belongs to"
            )
        if line.text("closed_to") and not line.items("hours"):
            checker.warn((*line.path, "closed_to"), "never used: the line has no hours", "give hours")
        _line_has_a_queue(checker, line, reached)
        for hours in line.items("hours"):
            opens = hours.text("opens")
            if opens is not None and opens == hours.text("closes"):
                hint = "a line without hours is open day and night; hours may pass midnight"
                checker.error((*hours.path, "closes"), f"opens and closes at {opens}", hint)
    _no_circle(checker, checker.lines, "id", "parent", "a line cannot be its own parent")
    _no_circle(checker, checker.lines, "id", "closed_to", "closed lines would hand callers round for ever")


def _reached_lines(checker: Checker) -> set[str]:
    chosen = {name for menu in checker.menus for c in menu.items("choices") if (name := c.text("line"))}
    return chosen | {name for line in checker.lines if (name := line.text("closed_to"))}


def _line_has_a_queue(checker: Checker, line: Item, reached: set[str]) -> None:
    line_id, has_dids = line.text("id"), any(True for _ in line.texts("dids"))
    if line_id is None or line.text("queue") is not None:
        return
    if (has_dids or line_id in reached) and line_id not in names(checker.queues):
        hint = "add a queue of that name, or say which: queue: ..."
        checker.error(line.path, f'line "{line_id}" has no queue: there is none named "{line_id}"', hint)
    if not has_dids and line_id not in reached and line.text("merge") in ("双号并行", "设分中心"):
        hint = "give its dids, or choose it in a menu"
        checker.warn(
            line.path, f'nobody can reach line "{line_id}", which still rings ({line.text("merge")})', hint
        )


def _no_circle(checker: Checker, items: list[Item], name: str, key: str, why: str) -> None:
    """Every chain of ``key`` ends; a circle is told once, at its first member in the file."""
    onward = {own: (item, item.text(key)) for item in items if (own := item.text(name)) is not None}
    told: set[str] = set()
    for start in onward:
        chain: list[str] = []
        here: str | None = start
        while here in onward and here not in chain and here not in told:
            chain.append(here)
            here = onward[here][1]
        if here in chain:
            circle = chain[chain.index(here) :]
            item = onward[circle[0]][0]
            checker.error((*item.path, key), f"a circle: {' -> '.join([*circle, circle[0]])}", why)
        told.update(chain)


def _queues(checker: Checker) -> None:
    """Overflow goes somewhere and ends; every queue has somebody."""
    known = names(checker.queues)
    for queue in checker.queues:
        checker.refer(queue, "overflow", known, "queue")
        bounds = [key for key in ("max_wait_seconds", "max_waiting") if queue.number(key, 0)]
        if queue.text("overflow") and not bounds:
            hint = "give max_wait_seconds or max_waiting"
            checker.warn((*queue.path, "overflow"), "never used: callers may wait without end", hint)
        for key in () if queue.text("overflow") else bounds:
            hint = "say where they go: overflow: QUEUE; or delete it"
            checker.error((*queue.path, key), "callers would join the end of the same queue again", hint)
        _queue_keys(checker, queue, known)
    _no_circle(
        checker, checker.queues, "name", "overflow", "callers would go round: let the last queue hold them"
    )
    skills = [agent.section("skills") for agent in checker.agents]
    served = Counter(queue for one in skills for queue in one.data)
    first_level = {queue for one in skills for queue in one.data if one.number(queue, 0) == 1}
    for queue in checker.queues if checker.agents else ():
        name = queue.text("name")
        if name is not None and not served[name] and not queue.text("overflow"):
            checker.warn(queue.path, f'no agent serves queue "{name}"', "give an agent the skill")
        if queue.data.get("widen_after_seconds") and name is not None and name not in first_level:
            path, hint = (
                (*queue.path, "widen_after_seconds"),
                "callers wait for level 1 first: give it to somebody",
            )
            checker.warn(path, f'queue "{name}" has no agent of level 1', hint)


def _queue_keys(checker: Checker, queue: Item, known: Collection[str]) -> None:
    """Keys of waiting callers are given once and lead elsewhere; callbacks have a trunk to be dialled by."""
    keys = queue.items("keys")
    checker.given_once("key", [((*item.path, "key"), item.text("key")) for item in keys])
    for item in keys:
        checker.refer(item, "queue", known, "queue")
        if item.text("queue") is not None and item.text("queue") == queue.text("name"):
            checker.error((*item.path, "queue"), "callers would leave for the same queue", "name another one")
        if item.yes("callback") and checker.site.section("transfer").text("trunk") is None:
            hint = "give transfer.trunk, by which agents call back"
            checker.error((*item.path, "callback"), "nobody could call back", hint)


def _agents(checker: Checker) -> None:
    """Skills name queues; extensions are nobody's number."""
    known = names(checker.queues)
    dids = {did for line in checker.lines for _, did in line.texts("dids")}
    for agent in checker.agents:
        skills = agent.section("skills")
        for queue in skills.data:
            checker.refer_name((*skills.path, queue), queue, known, "queue")
        extension = agent.text("extension")
        if extension in dids:
            hint = "give the agent another extension"
            checker.error((*agent.path, "extension"), f"{extension} is a line's DID already", hint)
        if not skills.data and agent.text("role") in (None, "agent"):
            checker.warn(agent.path, f'agent "{agent.text("id")}" has no skills and will get no call')


def _transfer(checker: Checker) -> None:
    """A number outside is listed once, and is nobody's inside: agents would be dialled in its place."""
    transfer = checker.site.section("transfer")
    inside = {agent.text("extension"): f'agent "{agent.text("id")}"' for agent in checker.agents}
    inside |= {queue.text("name"): "a queue" for queue in checker.queues}
    checker.given_once("number", [((*i.path, "number"), i.text("number")) for i in transfer.items("numbers")])
    for item in transfer.items("numbers"):
        number = item.text("number")
        if number is not None and number in inside:
            checker.error(
                (*item.path, "number"), f"{number} is {inside[number]} already", "give another number"
            )
    if transfer.text("trunk") and not transfer.items("numbers"):
        checker.warn(
            (*transfer.path, "trunk"), "never used: no numbers are listed", "list numbers, or delete it"
        )


def _shifts(checker: Checker) -> None:
    """Shifts name agents; the roster can be read, row by row."""
    known = names(checker.agents, "id")
    for shift in checker.site.items("shifts"):
        for path, agent in shift.texts("agents"):
            checker.refer_name(path, agent, known, "agent")
    file = checker.site.text("roster")
    if file is None:
        return
    try:
        roster = read_roster(checker.folder / Path(file).expanduser(), known)
    except OSError as error:
        hint = "until then only the shifts count"
        checker.warn(("roster",), f"{file} cannot be read: {error.strerror}", hint)
        return
    for problem in roster.problems:
        checker.warn(("roster",), problem)


def _surroundings(checker: Checker) -> None:
    """What this machine and a running Asterisk must add to the file."""
    asterisk, web = checker.site.section("asterisk"), checker.site.section("web")
    if asterisk.text("managed") is not None and not asterisk.yes("managed"):
        for key, lost in (
            ("sounds_dir", "Asterisk will find no prompts"),
            ("queue_log", "outages leave gaps"),
        ):
            if asterisk.text(key) is None:
                hint = f"say where it keeps them: {key}: ..."
                checker.warn((*asterisk.path, "managed"), f"without {key} {lost}", hint)
    if (web.text("host") or "127.0.0.1") not in ("127.0.0.1", "::1", "localhost"):
        if not web.yes("secure_cookies"):
            hint = "put it behind TLS and say secure_cookies: true"
            checker.warn((*web.path, "host"), "sign-ins can be read on the way", hint)
    for section in (
        asterisk.section("ami").section("secret"),
        checker.site.section("database").section("password"),
        checker.site.section("recording").section("key"),
        *checker.site.section("recording").items("old_keys"),
        *(agent.section("sip_secret") for agent in checker.agents),
        *(
            hook.section(key)
            for hook in checker.site.section("alerts").items("webhooks")
            for key in ("key", "secret")
        ),
    ):
        file = section.text("file")
        if file is not None and not (checker.folder / Path(file).expanduser()).is_file():
            checker.warn((*section.path, "file"), f"there is no file {file} on this machine")


def _recordings(checker: Checker) -> None:
    """The law wants callers told before they are recorded."""
    if checker.site.text("notice") is not None:
        return
    places = [checker.site.section("recording"), *checker.lines]
    for key, item in zip(("lines", *["recording"] * len(checker.lines)), places, strict=True):
        recorded = item.text(key)
        if recorded == "on":
            hint = "give the prompt that says so: notice: ..."
            checker.warn((*item.path, key), "callers are recorded without being told", hint)
        elif recorded == "by notice":
            checker.warn((*item.path, key), "nothing is recorded: the site has no notice", "give notice: ...")


def _files(checker: Checker) -> None:
    """Recordings that are named exist and can be played."""
    for prompt in checker.prompts:
        recording = prompt.text("recording")
        if recording is not None:
            _recording(checker, (*prompt.path, "recording"), checker.folder / Path(recording).expanduser())


def _recording(checker: Checker, path: KeyPath, file: Path) -> None:
    try:
        with wave.open(str(file), "rb") as sound:
            if sound.getsampwidth() != 2:
                checker.error(
                    path, f"{file.name} has {8 * sound.getsampwidth()} bits", "save it as 16-bit PCM WAV"
                )
    except FileNotFoundError:
        checker.error(path, f"there is no file {file}", "paths count from the site file's folder")
    except (OSError, EOFError, wave.Error):
        checker.error(path, f"{file.name} is not a PCM WAV file", "save it as 16-bit PCM WAV")


def _ports(checker: Checker) -> None:
    for path, message, hint in port_problems(checker.site):
        checker.error(path, message, hint)


_CHECKS: tuple[Callable[[Checker], None], ...] = (
    _once, _numbers, _lines, _queues, _agents, _shifts, _transfer, check_prompts, check_menus, _recordings,
    _files, _surroundings, _ports, check_alerts, check_wording, check_understanding, check_engines,
    check_reports, check_caller_lists, check_survey,
)  # fmt: skip
