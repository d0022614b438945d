"""Following queue_log while it is rotated, truncated, cut off in mid-line: every line once, in order."""

from __future__ import annotations

import gzip
import itertools
import os
import random
from pathlib import Path

import pytest

from hotline.queue.queue_log.follower import CHUNK_BYTES, QueueLogFollower
from hotline.store.ledger import TailRecord


class Follower:
    """Reads like the exchange does: on and on, keeping only the position."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tail = TailRecord("queue_log", 0, 0)

    def read(self) -> list[str]:
        """Everything new, by a follower that has just been started."""
        follower, lines = QueueLogFollower(self.path), []
        while batch := follower.read(self.tail):
            lines += [line.rstrip("\n") for _, line in batch.lines]
            self.tail = batch.tail
            if not batch.more:
                break
        return lines


@pytest.fixture
def follower(tmp_path: Path) -> Follower:
    return Follower(tmp_path / "queue_log")


def write(path: Path, *lines: str, end: str = "\n") -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write("\n".join(lines) + end)


def rotate(path: Path, *, keep: int = 9) -> None:
    """As Asterisk's sequential rotation and logrotate do: .1 is the newest."""
    for number, end in itertools.product(range(keep, 0, -1), ("", ".gz")):
        older = path.with_name(f"{path.name}.{number}{end}")
        if older.exists():
            older.rename(path.with_name(f"{path.name}.{number + 1}{end}"))
    path.rename(path.with_name(f"{path.name}.1"))
    path.touch()


def compress(path: Path) -> None:
    """As gzip does it: a new file with the old one's time; the old one goes."""
    packed = path.with_name(f"{path.name}.gz")
    with gzip.open(packed, "wb") as file:
        file.write(path.read_bytes())
    os.utime(packed, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    path.unlink()


def test_a_line_without_its_end_waits_for_it(follower: Follower) -> None:
    """Asterisk may be in the middle of writing it, or have died there."""
    write(follower.path, "a", "b|ha", end="")
    assert follower.read() == ["a"]
    assert follower.read() == []
    write(follower.path, "lf", "c")
    assert follower.read() == ["b|half", "c"]


def test_rotation_while_we_are_away_loses_nothing(follower: Follower) -> None:
    """What was written before the rotation is read from the rotated file, then the new one from its start."""
    write(follower.path, "a", "b")
    assert follower.read() == ["a", "b"]
    write(follower.path, "c")
    rotate(follower.path)
    write(follower.path, "d")
    assert follower.read() == ["c", "d"]
    assert follower.read() == []


def test_several_rotations_while_we_are_away_lose_nothing(follower: Follower) -> None:
    """Also the files that came and went whole in between, in the order in which they were written."""
    write(follower.path, "a")
    assert follower.read() == ["a"]
    for number in range(12):
        write(follower.path, f"b{number}")
        os.utime(follower.path, ns=(number * 10**9, number * 10**9))  # rotations are never of one moment
        rotate(follower.path, keep=20)
    write(follower.path, "c")
    assert follower.read() == [*(f"b{number}" for number in range(12)), "c"]


def test_truncation_is_noticed(follower: Follower) -> None:
    """The file begins anew under the same inode: what stands in it now is read from its start."""
    write(follower.path, "first", "second", "third")
    follower.read()
    os.truncate(follower.path, 0)
    assert follower.read() == []
    write(follower.path, "new")
    assert follower.read() == ["new"]


def test_truncation_is_noticed_though_the_file_has_outgrown_the_position(follower: Follower) -> None:
    """Truncated and written on while we were away, until it was longer than before."""
    write(follower.path, "first", "second", "third")
    follower.read()
    os.truncate(follower.path, 0)
    longer = [f"a line of another length {number}" for number in range(9)]
    write(follower.path, *longer)
    assert follower.read() == longer


def test_truncated_and_rotated_while_we_are_away(follower: Follower) -> None:
    """Both at once, in either order of what follows."""
    write(follower.path, "first", "second", "third")
    follower.read()
    os.truncate(follower.path, 0)
    write(follower.path, "after the truncation")
    rotate(follower.path)
    write(follower.path, "after the rotation")
    assert follower.read() == ["after the truncation", "after the rotation"]


def test_a_rotated_file_that_is_gone_leaves_the_new_one(follower: Follower) -> None:
    """Deleted or compressed before we came back: begin with what there is."""
    write(follower.path, "a")
    follower.read()
    rotate(follower.path)
    follower.path.with_name("queue_log.1").unlink()
    write(follower.path, "b")
    assert follower.read() == ["b"]


@pytest.mark.parametrize("name", ["queue_log.1", "queue_log-20261121"])
def test_rotated_and_compressed_while_we_are_away(follower: Follower, name: str) -> None:
    """Known again by its first line, whatever it is called; one compressed whole is read too."""
    write(follower.path, "a", "b")
    assert follower.read() == ["a", "b"]
    write(follower.path, "c")
    os.utime(follower.path, ns=(1, 1))
    follower.path.rename(follower.path.with_name(name))
    compress(follower.path.with_name(name))
    assert follower.read() == [], "until there is a new one"
    write(follower.path, "d")
    os.utime(follower.path, ns=(2, 2))
    follower.path.rename(follower.path.with_name("queue_log.0"))
    compress(follower.path.with_name("queue_log.0"))
    follower.path.touch()
    assert follower.read() == ["c", "d"]
    write(follower.path, "e")
    assert follower.read() == ["e"]
    assert follower.read() == []


def test_rotated_while_empty_and_compressed_later(follower: Follower) -> None:
    """The new file has no first line yet when it is looked at; by the next look it is rotated and packed."""
    write(follower.path, "a")
    follower.read()
    rotate(follower.path)
    assert follower.read() == []
    write(follower.path, "b")
    rotate(follower.path)
    compress(follower.path.with_name("queue_log.1"))
    write(follower.path, "c")
    assert follower.read() == ["b", "c"]


def test_copied_and_truncated(follower: Follower) -> None:
    """Logrotate's copytruncate: the copy is another file, the truncated one the same."""
    write(follower.path, "a")
    follower.read()
    write(follower.path, "b")
    copy = follower.path.with_name("queue_log.1")
    copy.write_bytes(follower.path.read_bytes())
    os.truncate(follower.path, 0)
    write(follower.path, "c")
    assert follower.read() == ["b", "c"]


def test_a_file_that_is_just_being_compressed_is_read_once(follower: Follower) -> None:
    """The original counts as long as it is there."""
    write(follower.path, "a")
    follower.read()
    write(follower.path, "b")
    rotate(follower.path)
    original = follower.path.with_name("queue_log.1")
    half = gzip.compress(original.read_bytes())
    original.with_name("queue_log.1.gz").write_bytes(half[: len(half) // 2])
    write(follower.path, "c")
    assert follower.read() == ["b", "c"]


def test_a_broken_compressed_file_does_not_stop_what_follows(follower: Follower) -> None:
    """What cannot be read of it is lost, and said."""
    write(follower.path, "a")
    follower.read()
    pick = random.Random(1)
    write(follower.path, *(f"{pick.random()}" for _ in range(20_000)))
    rotate(follower.path)
    packed = gzip.compress(follower.path.with_name("queue_log.1").read_bytes())
    follower.path.with_name("queue_log.1").unlink()
    follower.path.with_name("queue_log.1.gz").write_bytes(packed[: len(packed) // 2])
    write(follower.path, "z")
    lines = follower.read()
    assert lines[-1] == "z" and len(lines) > 5_000


def test_no_file_is_no_lines(follower: Follower) -> None:
    """Before Asterisk has ever written, and while it is being rotated."""
    assert follower.read() == []


def test_a_megabyte_without_a_newline_is_skipped(follower: Follower) -> None:
    """A disk full of rubbish does not stop the lines after it."""
    write(follower.path, "x" * (CHUNK_BYTES + 100), "good")
    assert follower.read()[-1] == "good"


@pytest.mark.parametrize("seed", range(30))
def test_any_mix_of_writing_rotating_and_restarting(follower: Follower, seed: int) -> None:
    """Lines of all lengths, in pieces, over rotations, read at any moment: each once and in order."""
    pick = random.Random(seed)
    write(follower.path, "first")  # before the first reading there is nothing to lose
    written, read, clock = ["first"], follower.read(), 0
    for number in range(200):
        match pick.choices(("line", "rotate", "compress", "read"), (8, 1, 1, 2))[0]:
            case "line":
                written.append(f"{number}" + "." * pick.randrange(60))
                write(follower.path, written[-1])
            case "rotate":
                clock += 1
                os.utime(follower.path, ns=(clock * 10**9, clock * 10**9))
                rotate(follower.path, keep=50)
            case "compress":
                for path in follower.path.parent.glob("queue_log.*[0-9]"):
                    compress(path)
            case _:
                read += follower.read()
    read += follower.read()
    assert read == written
