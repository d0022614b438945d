"""Outboxes, the throttle of sign-ins, and the rule of origins."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.agent_console.gate import own_origin
from hotline.agent_console.outbox import Outbox
from hotline.agent_console.pages import PAGES
from hotline.agent_console.throttle import MAX_KEYS, PER_ADDRESS, PER_PAIR, Throttle, network_of


def drain(outbox: Outbox) -> list[str]:
    return list(iter(outbox.take, None))


def test_events_leave_in_order() -> None:
    """First in, first out."""
    outbox = Outbox()
    assert all(outbox.push(str(n)) for n in range(5))
    assert drain(outbox) == ["0", "1", "2", "3", "4"]


def test_a_full_outbox_refuses_and_keeps_what_it_has() -> None:
    """Beyond the number of events the page is to be cut off; nothing is dropped from the middle."""
    outbox = Outbox(max_events=3)
    assert [outbox.push(str(n)) for n in range(4)] == [True, True, True, False]
    assert drain(outbox) == ["0", "1", "2"]
    assert outbox.push("again")


def test_bytes_are_bounded_as_they_go_out() -> None:
    """Chinese text counts with its three bytes a character."""
    outbox = Outbox(max_bytes=30)
    assert outbox.push("热线" * 5)
    assert not outbox.push("a")
    outbox.take()
    assert outbox.push("a")


def test_of_a_picture_only_the_newest_waits() -> None:
    """A newer live picture replaces one that still waits and goes behind the events it includes."""
    outbox = Outbox(max_events=2)
    outbox.put_picture("live", "live 1")
    outbox.push("event 1")
    outbox.put_picture("figures", "figures 1")
    outbox.put_picture("live", "live 2")
    assert outbox.push("event 2")
    assert not outbox.push("event 3")
    assert drain(outbox) == ["event 1", "figures 1", "live 2", "event 2"]


@given(st.lists(st.one_of(st.just("take"), st.just("push"), st.sampled_from(["live", "figures"]))))
def test_an_outbox_never_holds_more_than_its_bounds(steps: list[str]) -> None:
    """Whatever happens: events in order, each once, and at most the bound plus one picture of each kind."""
    outbox, pushed, taken = Outbox(max_events=4, max_bytes=100), [], []
    for number, step in enumerate(steps):
        if step == "take":
            taken.append(outbox.take())
        elif step == "push":
            if outbox.push(f"event {number}"):
                pushed.append(f"event {number}")
        else:
            outbox.put_picture(step, f"{step} {number}")
        assert len(outbox) <= 4 + 2
    taken += drain(outbox)
    assert [text for text in taken if text and text.startswith("event")] == pushed


def test_the_sixth_wrong_password_has_to_wait() -> None:
    """Five failures of a user from one address, then a wait that ends with the window."""
    throttle = Throttle()
    for _ in range(PER_PAIR):
        assert throttle.wait_seconds("zhang", "10.0.0.1", 100.0) == 0
        throttle.begin("zhang", "10.0.0.1", 100.0)
    assert throttle.wait_seconds("zhang", "10.0.0.1", 160.0) == pytest.approx(240.0)
    assert throttle.wait_seconds("ZHANG", "10.0.0.1", 160.0) > 0
    assert throttle.wait_seconds("zhang", "10.0.0.1", 400.0) == 0


def test_one_place_does_not_lock_a_user_out_elsewhere() -> None:
    """Guessing at a colleague's account from one address leaves the colleague's own desk alone."""
    throttle = Throttle()
    for _ in range(PER_PAIR):
        throttle.begin("zhang", "10.0.0.1", 0.0)
    assert throttle.wait_seconds("zhang", "10.0.0.2", 0.0) == 0
    assert throttle.wait_seconds("li", "10.0.0.1", 0.0) == 0


def test_one_place_cannot_try_many_users() -> None:
    """An address that fails with ever new names is stopped too."""
    throttle = Throttle()
    for number in range(PER_ADDRESS):
        throttle.begin(f"user{number}", "10.0.0.1", 0.0)
    assert throttle.wait_seconds("fresh", "10.0.0.1", 0.0) > 0


def test_a_right_password_clears_the_count() -> None:
    """Four slips and a success, over and over, never lead to a wait; nor does a whole shift signing in."""
    throttle = Throttle()
    for _ in range(PER_ADDRESS * 2):
        throttle.begin("zhang", "10.0.0.1", 0.0)
        throttle.succeeded("zhang", "10.0.0.1")
    assert throttle.wait_seconds("zhang", "10.0.0.1", 0.0) == 0


def test_an_attempt_that_could_not_be_tried_does_not_count() -> None:
    """A busy server or an absent database locks nobody out."""
    throttle = Throttle()
    for _ in range(PER_PAIR * 2):
        throttle.begin("zhang", "10.0.0.1", 0.0)
        throttle.undo("zhang", "10.0.0.1")
    throttle.begin("zhang", "10.0.0.1", 0.0)
    assert throttle.wait_seconds("zhang", "10.0.0.1", 0.0) == 0


def test_the_throttle_forgets_the_oldest_beyond_its_bound() -> None:
    """Ever new names from ever new addresses do not fill the memory."""
    throttle = Throttle()
    for number in range(MAX_KEYS):
        throttle.begin(f"user{number}", f"10.{number // 250 % 250}.{number % 250}.1", 0.0)
    assert len(throttle._counts) == MAX_KEYS


def test_an_ipv6_customer_is_one_place() -> None:
    """The 64 low bits are the customer's to choose."""
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") != network_of("2001:db8:0:1::1")
    assert network_of("::ffff:10.0.0.1") == "10.0.0.1"
    assert network_of("unix") == "unix"


@pytest.mark.parametrize(
    ("origins", "host", "own"),
    [
        ([], "hotline:8080", True),
        (["http://hotline:8080"], "hotline:8080", True),
        (["https://hotline"], "hotline", True),
        (["https://hotline"], "hotline:443", True),
        (["http://HOTLINE:8080"], "hotline:8080", True),
        (["http://[::1]:8080"], "[::1]:8080", True),
        (["https://pages.example"], "hotline:8080", True),
        (["http://hotline:8081"], "hotline:8080", False),
        (["http://evil.example"], "hotline:8080", False),
        (["http://hotline:8080.evil.example"], "hotline:8080", False),
        (["null"], "hotline:8080", False),
        (["null"], "", False),
        (["file://"], "", False),
        (["http://hotline:99999"], "hotline:99999", False),
        (["http://hotline:8080", "http://evil.example"], "hotline:8080", False),
        (["http://evil.example"], "evil.example/x", False),
    ],
)
def test_only_the_sites_own_pages_may_act(origins: list[str], host: str, own: bool) -> None:
    """Own is the host that was asked, an allowed origin, or no browser at all."""
    assert own_origin(origins, host, frozenset({"https://pages.example"})) is own


def test_every_page_of_the_app_is_served_when_it_is_reloaded() -> None:
    """What the app's router knows, the server knows by its first part."""
    router = Path(__file__).parents[2] / "agent_console/web/src/router.ts"
    paths = re.findall(r"path: '/([a-z-]*)", router.read_text(encoding="utf-8"))
    assert len(paths) > 5 and set(paths) <= PAGES
