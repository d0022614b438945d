"""Menus, interpreted: what the caller does goes in, what to do next comes out. No I/O, no clock.

A shell (``service.py`` over FastAGI, ``walk.py`` in a terminal, a property test) does one command at a time:

    visit = Visit(site, line="12345", menu="main")
    command = visit.start()
    while not isinstance(command, Finish):
        command = visit.receive(<what came of doing the command>)

Promises: ``0`` reaches a person from every menu; so do ``attempts`` silences or wrong keys in a row, a visit
of more than ``MAX_PLAYS`` prompts, and a visit that takes too long; the machine never hangs up.
"""

from __future__ import annotations

from dataclasses import dataclass

from hotline.config.menu_path import language, token
from hotline.config.menus import Choice, Menu
from hotline.config.schema import Line, Site
from hotline.config.system_prompts import INVALID_KEY, TO_PERSON
from hotline.core.events import MenuOutcome
from hotline.ivr.states import TABLE, IllegalInput, State, Turn

__all__ = [
    "MAX_PLAYS", "Collect", "Command", "Digit", "Fault", "Finish", "Hangup", "Input", "Play", "PlaybackDone",
    "Silence", "TimeUp", "Visit",
]  # fmt: skip

MAX_PLAYS = 20  # prompts in one visit; after them a person, whatever the keys say
OPERATOR_KEY = "0"


@dataclass(frozen=True, slots=True)
class Digit:
    """The caller pressed a key; it cut short whatever was being said."""

    key: str


@dataclass(frozen=True, slots=True)
class Silence:
    """The caller was listened to for as long as ``Collect`` said and pressed nothing."""


@dataclass(frozen=True, slots=True)
class PlaybackDone:
    """What ``Play`` named was said to its end."""


@dataclass(frozen=True, slots=True)
class TimeUp:
    """The visit has taken as long as a menu may."""


@dataclass(frozen=True, slots=True)
class Hangup:
    """The caller is gone."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The shell cannot go on; the dialplan's fallback takes the call."""


Input = Digit | Silence | PlaybackDone | TimeUp | Hangup | Fault


@dataclass(frozen=True, slots=True)
class Play:
    """Say these prompts one after another; a key cuts them short. Answer Digit or PlaybackDone.

    Attributes:
        then_seconds: if no key is pressed, ``PlaybackDone`` will be answered by a ``Collect`` of so many
            seconds: a shell that can say and listen in one go loses no key between the two. 0: no Collect.
    """

    prompts: tuple[str, ...]
    then_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Collect:
    """Wait for one key. Answer Digit or Silence."""

    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class Finish:
    """The visit is over.

    Attributes:
        line: the line chosen; the one that was dialled if none was.
        queue: where the caller waits; None if there is no caller any more, or the fallback decides.
        path: the way through the menus as one word (``config.menu_path``).
        language: what the caller speaks, as chosen or as the line's callers do.
        say: prompts for the caller on the way out, not to be cut short.
    """

    outcome: MenuOutcome
    line: str
    queue: str | None
    path: str
    language: str
    say: tuple[str, ...] = ()


Command = Play | Collect | Finish


class Visit:
    """One caller's time in the menus.

    Args:
        site: a checked site: its references hold.
        line: the id of the line that was dialled; a person is one of its queue.
        menu: the menu to begin with.

    Raises:
        KeyError: if the site has no such line or menu.
    """

    def __init__(self, site: Site, line: str, menu: str) -> None:
        self._site = site
        self._line: Line = site.line(line)
        self._menus: list[Menu] = [site.menu(menu)]  # outermost first
        self._keys: list[str] = []  # the key that led from each menu to the next
        self._misses = 0  # in a row
        self._plays = 0
        self._announced: str | None = None  # the key of the announcement being said
        self._served: str | None = None  # the key of one heard to its end, with no key pressed since
        self.state = State.NEW

    @property
    def menu(self) -> Menu:
        """The menu the caller is in."""
        return self._menus[-1]

    def start(self) -> Command:
        """Begin the visit; do the command that is returned.

        Raises:
            IllegalInput: if it has begun.
        """
        return self._go(Turn.BEGIN, self._say_menu(), "the beginning")

    def receive(self, happened: Input) -> Command:
        """Take what came of the last command; do the command that is returned. Nothing follows a ``Finish``.

        Raises:
            IllegalInput: if that cannot have happened now.
        """
        what = type(happened).__name__
        if self.state in (State.NEW, State.LEFT):
            raise IllegalInput(self.state, what)
        if isinstance(happened, TimeUp | Hangup | Fault):
            return self.end(happened)
        match happened:
            case Digit(key):
                return self._key(key)
            case PlaybackDone():
                return self._played(what)
            case Silence():
                if self.state is not State.LISTENING:
                    raise IllegalInput(self.state, what)
                return self._miss((), what)

    def end(self, why: TimeUp | Hangup | Fault) -> Finish:
        """End the visit for a reason that no menu decides; the same as `receive`.

        Raises:
            IllegalInput: if it has not begun or has ended.
        """
        if self.state in (State.NEW, State.LEFT):
            raise IllegalInput(self.state, type(why).__name__)
        match why:
            case TimeUp():
                return self._person(say=(TO_PERSON,))
            case Hangup():
                return self._gone()
            case Fault():
                return self._leave(MenuOutcome.FAULT, self._line, None, self._keys)

    def _played(self, what: str) -> Command:
        if self.state is State.ANNOUNCING:
            served = self._announced
            command = self._go(Turn.PLAYED, self._say_menu(), what)
            self._served = served
            return command
        return self._go(Turn.PLAYED, Collect(self.menu.timeout_seconds), what)

    def _key(self, key: str) -> Command:
        choice = next((choice for choice in self.menu.choices if choice.key == key), None)
        if choice is None and key != OPERATOR_KEY:
            return self._miss((self.menu.invalid_prompt or INVALID_KEY,), "a key")
        self._misses = 0
        self._served = None
        if choice is None or choice.operator:
            return self._person(key)
        return self._choose(choice)

    def _choose(self, choice: Choice) -> Command:
        keys = [*self._keys, choice.key]
        if choice.line is not None:
            line = self._site.line(choice.line)
            return self._leave(MenuOutcome.QUEUE, line, line.queue_name, keys)
        if choice.queue is not None:
            return self._leave(MenuOutcome.QUEUE, self._line, choice.queue, keys)
        if choice.say is not None:
            self._announced = choice.key
            return self._go(Turn.INFORM, self._play(Play((choice.say,))), "a key")
        if choice.menu is not None:
            self._menus.append(self._site.menu(choice.menu))
            self._keys.append(choice.key)
        elif choice.back and self._keys:
            self._menus.pop()
            self._keys.pop()
        return self._go(Turn.TURN, self._say_menu(), "a key")

    def _miss(self, said_first: tuple[str, ...], what: str) -> Command:
        self._misses += 1
        if self._misses >= self.menu.attempts:
            return self._person(say=(TO_PERSON,))
        return self._go(Turn.MISS, self._say_menu(*said_first), what)

    def _say_menu(self, *said_first: str) -> Play | None:
        return self._play(Play((*said_first, self.menu.prompt), self.menu.timeout_seconds))

    def _play(self, play: Play) -> Play | None:
        """Return what is to be said, or None when this visit has said enough."""
        self._plays += 1
        return play if self._plays <= MAX_PLAYS else None

    def _go(self, turn: Turn, command: Play | Collect | None, what: str) -> Command:
        if command is None:
            return self._person(say=(TO_PERSON,))
        following = TABLE[self.state].get(turn)
        if following is None:
            raise IllegalInput(self.state, what)
        self.state = following
        return command

    def _person(self, key: str | None = None, say: tuple[str, ...] = ()) -> Finish:
        keys = [*self._keys, key] if key is not None else self._keys
        return self._leave(MenuOutcome.OPERATOR, self._line, self._line.queue_name, keys, say)

    def _gone(self) -> Finish:
        if self._served is None:
            return self._leave(MenuOutcome.HANGUP, self._line, None, self._keys)
        return self._leave(MenuOutcome.SELF_SERVICE, self._line, None, [*self._keys, self._served])

    def _leave(
        self, outcome: MenuOutcome, line: Line, queue: str | None, keys: list[str], say: tuple[str, ...] = ()
    ) -> Finish:
        self.state = TABLE[self.state][Turn.LEAVE]
        path = token(self._menus[0].name, keys)
        spoken = language(self._site, path) or self._site.language_of(self._line)
        return Finish(outcome, line.id, queue, path, spoken, say)
