"""Kept recordings on disk: read back in any part, and never silently wrong."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotline.store.recording_file import (
    CHUNK_BYTES,
    RecordingDamaged,
    RecordingReader,
    stored_sha256,
    write_recording,
)

KEY = "a key of at least thirty-two characters"
SOUND = bytes(range(256)) * 800  # 204,800 bytes: three chunks and a part


@pytest.fixture(params=[KEY, None], ids=["sealed", "plain"])
def key(request: pytest.FixtureRequest) -> str | None:
    value: str | None = request.param
    return value


def written(folder: Path, key: str | None, sound: bytes = SOUND) -> Path:
    path = folder / "2026" / "a.recording"
    write_recording(path, len(sound), [sound[:1000], sound[1000:]], key)
    return path


@given(start=st.integers(0, len(SOUND) + 10), count=st.integers(0, len(SOUND) + 10))
@settings(max_examples=60)
def test_any_part_is_read_alone(tmp_path_factory: pytest.TempPathFactory, start: int, count: int) -> None:
    """Whatever a browser asks for, across chunks and beyond the end, it gets just that."""
    for number, key in enumerate((KEY, None)):
        path = tmp_path_factory.getbasetemp() / f"shared-{number}"
        if not path.exists():
            write_recording(path, len(SOUND), [SOUND], key)
        with RecordingReader(path, key) as reader:
            assert reader.size_bytes == len(SOUND)
            assert reader.read(start, count) == SOUND[start : start + count]


@pytest.mark.parametrize("size_bytes", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1])
def test_sizes_at_the_edge_of_a_chunk(tmp_path: Path, key: str | None, size_bytes: int) -> None:
    """A recording that ends with a chunk, or holds nothing, is read back whole."""
    sound = SOUND[:size_bytes]
    with RecordingReader(written(tmp_path, key, sound), key) as reader:
        assert reader.read(0, CHUNK_BYTES * 3) == sound


def test_the_stored_digest_is_the_files(tmp_path: Path, key: str | None) -> None:
    """The row's size and digest are those of the file, so that it can be checked without the key."""
    told = write_recording(tmp_path / "a", len(SOUND), [SOUND], key)
    assert told.size_bytes == (tmp_path / "a").stat().st_size
    assert told.sha256 == stored_sha256(tmp_path / "a")


@pytest.mark.parametrize("place", [0, 9, 20, 38, 48, 5000, CHUNK_BYTES + 70, -1])
def test_a_changed_byte_is_found(tmp_path: Path, place: int) -> None:
    """One bit anywhere, in header, sound or tag, and the recording is refused instead of played."""
    path = written(tmp_path, KEY)
    stored = bytearray(path.read_bytes())
    stored[place] ^= 1
    path.write_bytes(stored)
    with pytest.raises(RecordingDamaged), RecordingReader(path, KEY) as reader:
        reader.read(0, reader.size_bytes)


def test_swapped_and_missing_chunks_are_found(tmp_path: Path) -> None:
    """Each chunk belongs to its place in its file: none can be moved, cut off or lent to another."""
    path = written(tmp_path, KEY)
    stored, chunk = path.read_bytes(), CHUNK_BYTES + 16
    head, rest = stored[:40], stored[40 + 2 * chunk :]
    first, second = stored[40 : 40 + chunk], stored[40 + chunk : 40 + 2 * chunk]
    swapped = head + second + first + rest
    other = written(tmp_path / "other", KEY).read_bytes()
    for broken in (swapped, stored[:-chunk], stored[:20], b"", stored[:40] + other[40:]):
        path.write_bytes(broken)
        with pytest.raises(RecordingDamaged), RecordingReader(path, KEY) as reader:
            reader.read(0, reader.size_bytes)


def test_another_key_opens_nothing(tmp_path: Path) -> None:
    """A file sealed with one key is refused with another."""
    with (
        pytest.raises(RecordingDamaged, match="another key"),
        RecordingReader(written(tmp_path, KEY), KEY + "!") as reader,
    ):
        reader.read(0, 1)


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, key: str | None) -> None:
    """A write that fails half-way leaves no draft, and what was there before stays."""
    path = written(tmp_path, key)
    before = path.read_bytes()

    def failing() -> Iterator[bytes]:
        yield SOUND[:1000]
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_recording(path, len(SOUND), failing(), key)
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert path.read_bytes() == before
