"""Menus, interpreted: what a caller's keys lead to."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.config import samples
from hotline.config.loading import load_site
from hotline.config.schema import Site
from hotline.core.events import MenuOutcome
from hotline.ivr.interpreter import (
    MAX_PLAYS,
    Collect,
    Command,
    Digit,
    Fault,
    Finish,
    Hangup,
    Input,
    Play,
    PlaybackDone,
    Silence,
    TimeUp,
    Visit,
)
from hotline.ivr.states import TABLE, IllegalInput, State, Turn

DEMO = load_site(samples.path("demo"), {})

TREE: dict[str, Any] = {
    "lines": [
        {"id": "12345", "name": "热线", "dids": ["12345"], "menu": "top", "queue": "all"},
        {"id": "12315", "name": "市场监管", "parent": "12345", "queue": "market"},
    ],
    "queues": [
        {"name": "all", "title": "综合"},
        {"name": "market", "title": "市场"},
        {"name": "english", "title": "English"},
    ],
    "menus": [
        {
            "name": "top",
            "prompt": "top",
            "attempts": 3,
            "choices": [
                {"key": "1", "title": "中", "menu": "middle"},
                {"key": "2", "title": "English", "queue": "english"},
                {"key": "3", "title": "公告", "say": "news"},
                {"key": "#", "title": "重听", "repeat": True},
                {"key": "*", "title": "返回", "back": True},
            ],
        },
        {
            "name": "middle",
            "prompt": "middle",
            "invalid_prompt": "wrong",
            "choices": [
                {"key": "1", "title": "下", "menu": "bottom"},
                {"key": "*", "title": "返回", "back": True},
            ],
        },
        {
            "name": "bottom",
            "prompt": "bottom",
            "attempts": 1,
            "timeout_seconds": 2,
            "choices": [
                {"key": "1", "title": "市场", "line": "12315"},
                {"key": "0", "title": "专席", "queue": "market"},
                {"key": "*", "title": "返回", "back": True},
            ],
        },
    ],
    "prompts": [{"name": n, "text": "请按键"} for n in ("top", "middle", "bottom", "news", "wrong")],
}


@pytest.fixture
def site() -> Site:
    return Site.model_validate(TREE)


def left(
    outcome: MenuOutcome,
    line: str,
    queue: str | None,
    path: str,
    say: tuple[str, ...] = (),
    spoken: str = "zh-CN",
) -> Finish:
    """How a visit ended: in the site's own language, if nothing else was chosen."""
    return Finish(outcome, line, queue, path, spoken, say)


def press(visit: Visit, keys: str) -> Command:
    """Press keys, each cutting short what is said; ``.`` lets the prompt end, ``-`` is silence."""
    command = visit.start()
    for key in keys:
        happened: Input = PlaybackDone() if key == "." else Silence() if key == "-" else Digit(key)
        command = visit.receive(happened)
    return command


def test_the_menu_is_said_and_then_the_caller_is_listened_to(site: Site) -> None:
    """A visit begins with the menu's prompt; once it is over, a key is awaited for the menu's time."""
    visit = Visit(site, "12345", "top")
    assert visit.start() == Play(("top",), then_seconds=5.0)
    assert visit.receive(PlaybackDone()) == Collect(5.0)


def test_three_levels_lead_to_the_line_chosen(site: Site) -> None:
    """Keys pressed ahead of the prompts lead through three menus to a line and its queue."""
    assert press(Visit(site, "12345", "top"), "111") == left(
        MenuOutcome.QUEUE, line="12315", queue="market", path="top.1.1.1"
    )


def test_a_choice_may_name_a_queue_and_the_line_stays(site: Site) -> None:
    """A queue chosen keeps the line that was dialled."""
    assert press(Visit(site, "12345", "top"), "2") == left(MenuOutcome.QUEUE, "12345", "english", "top.2")


def test_a_language_is_chosen_by_a_key_by_a_line_or_not_at_all() -> None:
    """The newest choice that says a language holds, in menus below it too; else the dialled line's."""
    tree = copy.deepcopy(TREE)
    tree["menus"][0]["choices"][0]["language"] = "yue"
    tree["menus"][0]["choices"][1]["language"] = "en"
    tree["lines"][1]["language"] = "bo"
    site = Site.model_validate(tree)

    def spoken(line: str, keys: str) -> str:
        finish = press(Visit(site, line, "top"), keys)
        assert isinstance(finish, Finish)
        return finish.language

    assert spoken("12345", "2") == "en"
    assert spoken("12345", "10") == "yue"
    assert spoken("12345", "1*0") == "zh-CN", "going back takes the choice back"
    assert spoken("12345", "111") == "bo", "the line that was chosen knows better than the menu before"
    assert spoken("12315", "0") == "bo"


def test_zero_reaches_the_dialled_lines_queue_where_no_menu_lists_it(site: Site) -> None:
    """0 is a person even where no choice says so, and the path tells from where it was pressed."""
    assert press(Visit(site, "12345", "top"), "10") == left(MenuOutcome.OPERATOR, "12345", "all", "top.1.0")


def test_zero_may_have_a_desk_of_its_own(site: Site) -> None:
    """A site gives 0 to a special desk by listing it."""
    assert press(Visit(site, "12345", "top"), "110") == left(
        MenuOutcome.QUEUE, "12345", "market", "top.1.1.0"
    )


def test_back_returns_to_the_menu_before_and_out_of_its_path(site: Site) -> None:
    """Back undoes the last choice; at the top it says the menu again."""
    visit = Visit(site, "12345", "top")
    assert press(visit, "1*") == Play(("top",), 5.0)
    assert visit.receive(Digit("*")) == Play(("top",), 5.0)
    finish = visit.receive(Digit("2"))
    assert isinstance(finish, Finish) and finish.path == "top.2"


def test_repeat_says_the_same_again_without_counting_as_a_mistake(site: Site) -> None:
    """Asking for the menu again is no mistake, however often within the bound."""
    visit = Visit(site, "12345", "top")
    assert press(visit, "#####") == Play(("top",), 5.0)
    assert visit.receive(Digit("2")) == left(MenuOutcome.QUEUE, "12345", "english", "top.2")


def test_a_wrong_key_is_told_and_the_menu_said_again(site: Site) -> None:
    """A wrong key is answered by the menu's own words for it, or the product's."""
    assert press(Visit(site, "12345", "top"), "8") == Play(("invalid-key", "top"), 5.0)
    assert press(Visit(site, "12345", "top"), "18") == Play(("wrong", "middle"), 5.0)


@pytest.mark.parametrize("keys", [".-.-.-", "9.-9", "999", ".-99"])
def test_silences_and_wrong_keys_together_reach_a_person(site: Site, keys: str) -> None:
    """The menu's number of attempts, however they were wasted, ends at a person who was announced."""
    assert press(Visit(site, "12345", "top"), keys) == left(
        MenuOutcome.OPERATOR, "12345", "all", "top", say=("to-person",)
    )


def test_a_right_key_forgives_the_mistakes_before_it(site: Site) -> None:
    """Mistakes are counted in a row: a caller who found the way is not sent off for an old one."""
    assert press(Visit(site, "12345", "top"), "991*9") == Play(("invalid-key", "top"), 5.0)


def test_an_announcement_leads_back_to_its_menu(site: Site) -> None:
    """Self-service information is said to its end, then the menu again."""
    visit = Visit(site, "12345", "top")
    assert press(visit, "3") == Play(("news",))
    assert visit.receive(PlaybackDone()) == Play(("top",), 5.0)


def test_hanging_up_after_an_announcement_is_self_service(site: Site) -> None:
    """Whoever heard the announcement out and left was served; the path says what they heard."""
    assert press_and_hang_up(site, "3.") == left(MenuOutcome.SELF_SERVICE, "12345", None, "top.3")
    assert press_and_hang_up(site, "3..") == left(MenuOutcome.SELF_SERVICE, "12345", None, "top.3")


@pytest.mark.parametrize("keys", ["", ".", "1", "3", "3.1", "3.#"])
def test_hanging_up_otherwise_is_leaving(site: Site, keys: str) -> None:
    """Leaving in a menu, within an announcement, or after choosing on is a hang-up."""
    finish = press_and_hang_up(site, keys)
    assert finish.outcome is MenuOutcome.HANGUP
    assert finish.queue is None


def press_and_hang_up(site: Site, keys: str) -> Finish:
    visit = Visit(site, "12345", "top")
    press(visit, keys)
    return visit.end(Hangup())


def test_a_visit_that_takes_too_long_ends_at_a_person(site: Site) -> None:
    """When the shell's time is up the caller gets a person, not a fault."""
    visit = Visit(site, "12345", "top")
    press(visit, "1")
    assert visit.receive(TimeUp()) == left(MenuOutcome.OPERATOR, "12345", "all", "top.1", say=("to-person",))


def test_a_fault_decides_nothing(site: Site) -> None:
    """A broken session names no queue: the dialplan's fallback decides."""
    visit = Visit(site, "12345", "top")
    press(visit, "1")
    assert visit.receive(Fault()) == left(MenuOutcome.FAULT, "12345", None, "top.1")


def test_what_cannot_have_happened_changes_nothing(site: Site) -> None:
    """An input that the state does not allow raises, and the visit goes on as if it had not come."""
    visit = Visit(site, "12345", "top")
    with pytest.raises(IllegalInput):
        visit.receive(PlaybackDone())  # nothing was begun
    visit.start()
    with pytest.raises(IllegalInput):
        visit.start()
    with pytest.raises(IllegalInput):
        visit.receive(Silence())  # nobody was listening
    assert visit.receive(PlaybackDone()) == Collect(5.0)
    with pytest.raises(IllegalInput):
        visit.receive(PlaybackDone())  # nothing is being said
    assert visit.receive(Digit("2")) == left(MenuOutcome.QUEUE, "12345", "english", "top.2")
    for happened in (Digit("1"), Hangup(), Fault(), TimeUp(), Silence(), PlaybackDone()):
        with pytest.raises(IllegalInput):
            visit.receive(happened)


def test_an_unknown_line_or_menu_is_refused(site: Site) -> None:
    """A visit cannot begin in a menu that the site does not have."""
    with pytest.raises(KeyError):
        Visit(site, "12345", "none")
    with pytest.raises(KeyError):
        Visit(site, "none", "top")


def test_every_state_can_be_left() -> None:
    """From every state of a visit that has begun, the table leads out; nothing leads on from the end."""
    for state in State:
        if state is State.LEFT:
            assert not TABLE[state]
        elif state is not State.NEW:
            assert TABLE[state][Turn.LEAVE] is State.LEFT


acts = st.sampled_from([*"0123456789*#AZ", ".", "-"])


@given(st.lists(acts, max_size=80), st.booleans())
def test_every_visit_ends_at_a_person_or_by_the_callers_own_hangup(keys: list[str], full_tree: bool) -> None:
    """Whatever a caller does or leaves undone, a person is reached in bounded time; no machine hangs up."""
    site = Site.model_validate(TREE) if full_tree else DEMO
    visit = Visit(site, "12345", "top" if full_tree else "main")
    queues = {queue.name for queue in site.queues}
    command = visit.start()
    left = iter(keys)
    done = 0
    while not isinstance(command, Finish):
        done += 1
        assert done <= 2 * MAX_PLAYS
        key = next(left, "-")
        if isinstance(command, Play):
            command = visit.receive(Digit(key) if key not in ".-" else PlaybackDone())
        else:
            command = visit.receive(Digit(key) if key not in ".-" else Silence())
    assert command.outcome in (MenuOutcome.QUEUE, MenuOutcome.OPERATOR)
    assert command.queue in queues


@given(st.lists(st.sampled_from([*"123456789*#", ".", "-"]), max_size=12))
def test_zero_reaches_a_person_at_once_from_wherever_a_caller_is(keys: list[str]) -> None:
    """After any way through the menus, 0 ends the visit in a queue."""
    site = Site.model_validate(TREE)
    visit = Visit(site, "12345", "top")
    command = visit.start()
    for key in keys:
        if isinstance(command, Finish):
            return
        waits = PlaybackDone() if isinstance(command, Play) else Silence()
        command = visit.receive(waits if key in ".-" else Digit(key))
    if not isinstance(command, Finish):
        command = visit.receive(Digit("0"))
    assert isinstance(command, Finish)
    assert command.queue in {"all", "market", "english"}


@given(st.lists(acts, max_size=30), st.sampled_from([Hangup(), Fault(), TimeUp()]))
def test_a_visit_can_end_at_any_moment(keys: list[str], why: Hangup | Fault | TimeUp) -> None:
    """Hang-up, fault and the end of time are possible in every state of an open visit."""
    visit = Visit(Site.model_validate(TREE), "12345", "top")
    command = visit.start()
    for key in keys:
        if isinstance(command, Finish):
            return
        waits = PlaybackDone() if isinstance(command, Play) else Silence()
        command = visit.receive(waits if key in ".-" else Digit(key))
    if not isinstance(command, Finish):
        finish = visit.end(why)
        assert (finish.queue is not None) == isinstance(why, TimeUp)
