"""The hearing from AudioSocket to bus, beside raw Vosk decoding the same audio.

    python -m bench.hearing [--seconds 40] [--legs 8] [--model FOLDER]

Three comparisons in one run:

* what the path hears beside what Vosk alone makes of the file, over a good network and over bad ones;
* the time from a word's end to its text on the bus, and from an utterance's end to its final text, for one
  call, at half of what the recogniser was measured to carry, and at nine tenths;
* processor time: voices that a core carries through the whole path (recogniser process and server), at half
  load, beside raw decoding of the same files: chunk by chunk as they are spoken, in turns without a pause,
  and one after another.

Phones are `bench.feeder`'s. One recogniser process with one thread, as in the product.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.common import cpu_seconds, head, machine, percentile, row, write_site
from bench.feeder import NETWORKS, RATE_HZ
from hotline.asr.admission import FULL_SHARE
from hotline.asr.hearing import Hearing
from hotline.asr.models import model_path
from hotline.config.loading import load_site
from hotline.config.schema import AsrSection
from hotline.core.bus import MemoryBus
from hotline.core.clock import SystemClock
from hotline.core.events import CallAnswered, CallEnded, Event, LegTapped, Side, TranscriptSegment
from hotline.server.demo.conversation import SaidWord
from hotline.server.demo.dialogues import load_dialogues, load_segmenter
from hotline.server.demo.scoring import align, cut, first_shown
from hotline.server.demo.speaking import TELEPHONE_RATE_HZ, Speaking
from hotline.server.demo.watching import ShownText
from hotline.speech.g711 import alaw_decode, alaw_encode
from hotline.speech.resample import resample
from hotline.speech.scoring import WordScore, score_words
from hotline.speech.segment import Segmenter
from hotline.speech.voice import Voice
from hotline.speech.voices import CALLER_VARIANTS
from hotline.store.database import open_engine, sessions_of
from hotline.store.migrate import upgrade
from hotline.store.transcripts import TranscriptStore

QUIET_SECONDS = 1.4  # after each sentence: long enough for its final text
TRACKS = 8
AFTER_SECONDS = 4.0  # for the last final texts
SEED = 12345
HALF, MOST = 0.5, 0.9
RAW = (
    ("raw Vosk, as many voices when they are spoken", "spent_live"),
    ("raw Vosk, the voices in turns", "spent_in_turns"),
    ("raw Vosk, one file after another", "spent"),
)


@dataclass(frozen=True, slots=True)
class Track:
    """What one voice says: a file of 16-bit samples, its words with their ends, its sentences' ends."""

    file: Path
    seconds: float
    words: tuple[tuple[str, float], ...]


@dataclass(slots=True)
class Voiced:
    """A leg that was fed: what was said on it and when, and what the bus told."""

    track: Track
    begin: float
    shown: list[ShownText] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All its final texts."""
        return "".join(one.text for one in sorted(self.shown, key=lambda one: one.utterance) if one.final)

    def said(self) -> list[SaidWord]:
        return [SaidWord(text, self.begin + end) for text, end in self.track.words]


async def tracks(folder: Path, seconds: float, segmenter: Segmenter) -> list[Track]:
    """What citizens say in the demo, in several voices over a telephone, each track in its own order."""
    texts = [turn.text for one in load_dialogues() for turn in one.turns if turn.side is Side.CALLER]
    speaking = Speaking(segmenter)
    made = []
    for number, variant in zip(range(TRACKS), itertools.cycle(CALLER_VARIANTS), strict=False):
        random.Random(SEED + number).shuffle(texts)
        sound = np.zeros(TELEPHONE_RATE_HZ // 2, np.int16)
        words: list[tuple[str, float]] = []
        for text in itertools.cycle(texts):
            line = await speaking.line(text, Voice(variant))
            begun = len(sound) / TELEPHONE_RATE_HZ
            words += [(word.text, begun + word.end_seconds) for word in line.words]
            quiet = np.zeros(round(QUIET_SECONDS * TELEPHONE_RATE_HZ), np.int16)
            sound = np.concatenate([sound, line.samples, quiet])
            if len(sound) / TELEPHONE_RATE_HZ > seconds:
                break
        heard = resample(alaw_decode(alaw_encode(sound)), TELEPHONE_RATE_HZ, RATE_HZ)
        file = folder / f"track{number}.raw"
        file.write_bytes(heard.astype("<i2").tobytes())
        made.append(Track(file, len(heard) / RATE_HZ, tuple(words)))
    return made


class Exchange:
    """Asterisk's part: taps are connected by the feeder, each with its own track."""

    def __init__(self, feeder: asyncio.subprocess.Process, made: Sequence[Track]) -> None:
        self.voices: dict[str, Voiced] = {}
        self.network = "clean"
        self._feeder, self._tracks = feeder, made
        self._turns = itertools.count()

    async def originate(
        self, channel: str, *, application: str = "", data: str = "", ring_timeout_seconds: float = 30
    ) -> object:
        """Feed the channel that the tap is for."""
        _, address, leg, _ = channel.split("/")
        track = self._tracks[next(self._turns) % len(self._tracks)]
        voice = self.voices[data.partition(",")[0]] = Voiced(track, time.monotonic() + 0.3)
        order: dict[str, object] = {"leg": leg, "address": address, "file": str(track.file)}
        order |= {"begin": voice.begin, "network": self.network}
        assert self._feeder.stdin is not None
        self._feeder.stdin.write(json.dumps(order).encode() + b"\n")
        return None


@dataclass
class Room:
    """The hearing and its bus."""

    asr: AsrSection
    hearing: Hearing
    exchange: Exchange
    bus: MemoryBus
    clock: SystemClock
    voices: dict[tuple[str, Side], Voiced] = field(default_factory=dict)
    tapped: asyncio.Condition = field(default_factory=asyncio.Condition)
    count: int = 0

    async def follow(self) -> None:
        """Note every text at the moment it is told."""
        with self.bus.subscribe("bench", limit=1_000_000) as feed:
            async for envelope in feed:
                await self._take(envelope.event)

    async def _take(self, event: Event) -> None:
        match event:
            case LegTapped():
                async with self.tapped:
                    self.count += 1
                    self.tapped.notify_all()
            case TranscriptSegment(call_id=call_id, side=side):
                voice = self.exchange.voices[f"{call_id}-{side}.1"]
                voice.shown.append(
                    ShownText(time.monotonic(), event.utterance, event.revision, event.text, event.final)
                )

    def spent(self) -> tuple[float, float]:
        """Processor seconds so far, of the recogniser and of this process; seconds of audio recognised."""
        (pid,) = self.hearing.pool.pids
        assert pid is not None
        counts = self.hearing.stats.counts
        audio_ms = counts["audio_ms"] + counts["filled_audio_ms"] - counts["dropped_audio_ms"]
        return cpu_seconds(pid) + time.process_time(), audio_ms / 1000

    async def talk(self, legs: int, network: str = "clean") -> list[Voiced]:
        """So many voices speak their tracks to the end."""
        self.exchange.network = network
        self.exchange.voices.clear()
        self.count = 0
        calls = [f"{network}{legs}-{time.monotonic_ns()}-{number}" for number in range((legs + 1) // 2)]
        for call in calls:
            self.bus.publish(
                CallAnswered(
                    call,
                    self.clock.now(),
                    call,
                    "12345",
                    "12345",
                    "1001",
                    1.0,
                    f"{call}-caller.1",
                    f"{call}-agent.1",
                )
            )
        async with asyncio.timeout(30), self.tapped:
            await self.tapped.wait_for(lambda: self.count >= 2 * len(calls))
        voices = list(self.exchange.voices.values())
        end = max(voice.begin + voice.track.seconds for voice in voices)
        await asyncio.sleep(end + AFTER_SECONDS - time.monotonic())
        for call in calls:
            self.bus.publish(CallEnded(call, self.clock.now()))
        await asyncio.sleep(1)
        return voices


@asynccontextmanager
async def room(folder: Path, made: Sequence[Track], model: str | None) -> AsyncIterator[Room]:
    """A hearing with one recogniser process, its database, and the phones."""
    site = load_site(write_site(folder, asr={"workers": 1} | ({"model": model} if model else {})), {})
    site.data_dir.mkdir(parents=True, exist_ok=True)
    feeder = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.feeder",
        *(str(track.file) for track in made),
        stdin=asyncio.subprocess.PIPE,
    )
    database = open_engine(f"sqlite+aiosqlite:///{site.data_dir / 'hotline.db'}")
    await upgrade(database)
    bus, clock, exchange = MemoryBus(), SystemClock(), Exchange(feeder, made)
    hearing = Hearing(site, exchange, bus, TranscriptStore(sessions_of(database)), clock)
    await hearing.start()
    here = Room(site.asr, hearing, exchange, bus, clock)
    following = asyncio.create_task(here.follow())
    try:
        yield here
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await hearing.aclose()
        await database.dispose()
        with contextlib.suppress(ProcessLookupError):
            feeder.kill()
        await feeder.wait()


async def raw(asr: AsrSection, made: Sequence[Track], voices: int) -> dict[str, Any]:
    """Vosk alone on every track, and as so many live voices."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.raw_decode", str(model_path(asr.model)), str(asr.chunk_milliseconds),
        str(voices), *(str(track.file) for track in made), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    found: dict[str, Any] = json.loads(output)
    return found


def errors(track: Track, text: str, segmenter: Segmenter) -> tuple[WordScore, WordScore]:
    """Of words, and of characters."""
    said, heard = [text for text, _ in track.words], cut(text, segmenter)
    return score_words(said, heard), score_words(list("".join(said)), list("".join(heard)))


def rates(scores: Sequence[tuple[WordScore, WordScore]]) -> tuple[str, str]:
    """Word and character error rates of all of them together."""
    nothing = WordScore(0, 0, 0, 0, 0)
    words, characters = (sum((one[place] for one in scores), nothing) for place in (0, 1))
    return f"{words.word_error_rate:.2%}", f"{characters.word_error_rate:.2%}"


def latencies(voice: Voiced, segmenter: Segmenter) -> tuple[list[float], list[float]]:
    """Milliseconds from each right word's end to its first text; from each utterance's end to its final."""
    said = voice.said()
    by_utterance: dict[int, list[ShownText]] = {}
    for text in voice.shown:
        by_utterance.setdefault(text.utterance, []).append(text)
    heard = []
    for utterance, texts in sorted(by_utterance.items()):
        last = max(texts, key=lambda one: (one.final, one.revision))
        heard += [(word, utterance, place) for place, word in enumerate(cut(last.text, segmenter))]
    words, ends = [], {}
    for said_place, heard_place in align([word.text for word in said], [word for word, _, _ in heard]):
        word, utterance, place = heard[heard_place]
        words.append(
            1000 * (first_shown(by_utterance[utterance], word, place, segmenter) - said[said_place].said_at)
        )
        ends[utterance] = said[said_place].said_at
    finals = [
        1000 * (text.at - ends[utterance])
        for utterance, texts in by_utterance.items()
        for text in texts
        if text.final and utterance in ends
    ]
    return words, finals


async def compare_texts(here: Room, made: Sequence[Track], alone: Sequence[str], legs: int) -> None:
    """What is heard."""
    segmenter = load_segmenter()
    head("what is heard", "words wrong", "characters wrong")
    row("raw Vosk on the file", *rates([errors(*one, segmenter) for one in zip(made, alone, strict=True)]))
    for network in NETWORKS:
        voices = await here.talk(legs, network)
        row(f"the path, {network}", *rates([errors(one.track, one.text, segmenter) for one in voices]))


async def compare_latencies(here: Room, full: float) -> float:
    """How soon texts come, under what load; processor seconds for a second of audio at half load."""
    segmenter = load_segmenter()
    prices = {}
    head("load", "voices", "word p50 ms", "p95", "final p50 ms", "p95", "processor time of a second")
    for name, count in (("one call", 2), ("half", int(HALF * full)), ("nine tenths", int(MOST * full))):
        before = here.spent()
        voices = await here.talk(max(2, count // 2 * 2))
        spent, audio = (after - earlier for after, earlier in zip(here.spent(), before, strict=True))
        prices[name] = spent / audio
        both = [latencies(one, segmenter) for one in voices]
        words, finals = ([value for one in both for value in one[place]] for place in (0, 1))
        figures = [percentile(values, share) for values in (words, finals) for share in (0.5, 0.95)]
        row(name, len(voices), *(f"{value:.0f}" for value in figures), f"{1000 * spent / audio:.1f} ms")
    return prices["half"]


def compare_prices(path: float, raw_runs: Sequence[dict[str, Any]]) -> None:
    """Voices a core carries."""
    print()
    head("voices a core", "processor time of a second", "voices", "the path's share")
    row("the path", f"{1000 * path:.1f} ms", f"{1 / path:.0f}", "")
    for name, key in RAW:
        plain = statistics.fmean(run[key] for run in raw_runs)
        row(name, f"{1000 * plain:.1f} ms", f"{1 / plain:.0f}", f"**{plain / path:.2f}**")


async def main(seconds: float, legs: int, model: str | None) -> None:
    """Measure and print."""
    machine()
    with tempfile.TemporaryDirectory() as folder:
        made = await tracks(Path(folder), seconds, load_segmenter())
        async with room(Path(folder), made, model) as here:
            asr = here.asr
            print(f"chunks of {asr.chunk_milliseconds} ms on both sides; {legs} voices of {seconds:.0f} s\n")
            alone = await raw(asr, made, legs)
            await compare_texts(here, made, alone["texts"], legs)
            price = here.hearing.stats.leg_price
            print(f"\nadmission: a voice takes {price:.3f} of the recogniser's thread here\n")
            full = FULL_SHARE / price
            path = await compare_latencies(here, full)
            compare_prices(path, [await raw(asr, made, int(HALF * full)) for _ in range(2)])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=40, help="of each track")
    parser.add_argument("--legs", type=int, default=8, help="voices in the first two comparisons")
    parser.add_argument("--model", help="asr.model, for both sides")
    given = parser.parse_args()
    asyncio.run(main(given.seconds, given.legs, given.model and str(Path(given.model).resolve())))
