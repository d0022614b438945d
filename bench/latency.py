"""From the end of a word at the caller to the text that holds it on the agent's page, beside raw Vosk.

    python -m bench.latency [--seconds 45] [--chunk-milliseconds 60] [--model FOLDER]

Both sides hear the same speech at the same time. One goes the whole way: SIP phone, Asterisk, tap,
recogniser process, server, WebSocket. The other is a process that holds the same model and nothing else, fed
the same samples (through the telephone's A-law) in chunks of the same length, paced in real time. A word
counts when it is right; its moment is that of the first text, partial or final, which held it in its place
for good.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import itertools
import json
import random
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from bench.common import head, machine, percentile, row
from bench.serving import Server, answered_call, frames, seats, serving
from hotline.asr.models import model_path
from hotline.config.schema import AsrSection
from hotline.core.events import Side
from hotline.server.demo.conversation import SaidWord
from hotline.server.demo.dialogues import load_dialogues, load_segmenter
from hotline.server.demo.scoring import align, cut, first_shown
from hotline.server.demo.speaking import Speaking, SpokenLine
from hotline.server.demo.watching import ShownText
from hotline.speech.segment import Segmenter
from hotline.speech.voice import Voice
from hotline.speech.voices import CALLER_VARIANTS
from hotline.telephony.phone.call import Call
from hotline.telephony.phone.codec import PCMA

AGENT = "1005"
RATE_HZ = 8000
QUIET_SECONDS = 1.4  # after each sentence: long enough for its final text
SEED = 12345


@dataclass(frozen=True, slots=True)
class Heard:
    """One right word: how long after its end it was shown, and where that time went (milliseconds)."""

    total: float
    audio: float = 0.0
    recognised: float = 0.0
    pushed: float = 0.0


class RawVosk:
    """The process beside; see `bench.raw_vosk`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def feed(self, line: SpokenLine, start: float) -> list[ShownText]:
        """Feed a sentence and the quiet behind it; return its texts."""
        assert self._process.stdin is not None
        samples = np.concatenate([line.samples, np.zeros(round(QUIET_SECONDS * RATE_HZ), np.int16)])
        pcm = PCMA.decode(PCMA.encode(samples)).astype("<i2").tobytes()
        order = {"pcm": base64.b64encode(pcm).decode(), "start": start}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        return await self.texts()

    async def texts(self) -> list[ShownText]:
        """Read until the empty line."""
        assert self._process.stdout is not None
        texts: list[ShownText] = []
        while given := json.loads(await self._process.stdout.readline()):
            utterance, text, final, at = given
            texts.append(ShownText(at, utterance, len(texts), text, final))
        return texts


@asynccontextmanager
async def raw_vosk(asr: AsrSection) -> AsyncIterator[RawVosk]:
    """A process that is ready to recognise as ``asr`` says; it ends with the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.raw_vosk", str(model_path(asr.model)), str(asr.chunk_milliseconds),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    raw = RawVosk(process)
    try:
        await raw.texts()
        yield raw
    finally:
        process.kill()
        await process.wait()


async def sentences(segmenter: Segmenter, seconds: float) -> list[SpokenLine]:
    """What citizens say in the demo, in several voices, until there is enough."""
    rng = random.Random(SEED)
    texts = [turn.text for one in load_dialogues() for turn in one.turns if turn.side is Side.CALLER]
    rng.shuffle(texts)
    speaking = Speaking(segmenter)
    lines: list[SpokenLine] = []
    for text, variant in zip(texts, itertools.cycle(CALLER_VARIANTS), strict=False):
        lines.append(await speaking.line(text, Voice(variant)))
        if sum(len(line.samples) / RATE_HZ + QUIET_SECONDS for line in lines) > seconds:
            break
    return lines


async def speak(
    call: Call, raw: RawVosk, line: SpokenLine
) -> tuple[list[SaidWord], list[SaidWord], list[ShownText]]:
    """Say a sentence on the phone and to raw Vosk at once: both sides' words with their ends, raw's texts."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    clip = call.play(line.samples)
    texts = await raw.feed(line, start)
    await clip.done()
    ends = [(word.text, clip.sent_at(word.end_seconds), start + word.end_seconds) for word in line.words]
    assert all(sent is not None for _, sent, _ in ends), "the call ended in the middle of a sentence"
    on_phone = [SaidWord(text, sent) for text, sent, _ in ends if sent is not None]
    return on_phone, [SaidWord(text, fed) for text, _, fed in ends], texts


def shown_first(
    said: Sequence[SaidWord], texts: Iterable[ShownText], segmenter: Segmenter
) -> dict[int, float]:
    """When each word that came out right was first shown, by its place among those said."""
    by_utterance: dict[int, list[ShownText]] = {}
    for text in texts:
        by_utterance.setdefault(text.utterance, []).append(text)
    heard: list[tuple[str, int, int]] = []
    for utterance, versions in sorted(by_utterance.items()):
        last = max(versions, key=lambda one: (one.final, one.revision))
        heard += [(word, utterance, place) for place, word in enumerate(cut(last.text, segmenter))]
    first = {}
    for said_place, heard_place in align([word.text for word in said], [word for word, _, _ in heard]):
        word, utterance, place = heard[heard_place]
        first[said_place] = first_shown(by_utterance[utterance], word, place, segmenter)
    return first


class Page:
    """The caller's texts as they come to the agent's page."""

    def __init__(self) -> None:
        self.texts: list[ShownText] = []
        self.stages: dict[
            float, tuple[float, float]
        ] = {}  # by arrival: since the audio came, since it was told

    def take(self, frame: dict[str, Any], now: float, wall: float) -> None:
        """Note a frame that came ``now``; ``wall`` is the same moment as seconds since 1970."""
        data = frame.get("data", {})
        if frame.get("name") != "transcript_segment" or data["side"] != Side.CALLER:
            return
        self.texts.append(ShownText(now, data["utterance"], data["revision"], data["text"], data["final"]))
        audio_at, told_at = (datetime.fromisoformat(data[name]).timestamp() for name in ("audio_at", "at"))
        self.stages[now] = (wall - audio_at, wall - told_at)


async def measure(server: Server, seconds: float) -> tuple[dict[int, Heard], dict[int, Heard], int]:
    """Right words of the page and of raw Vosk by their place, and how many were said."""
    segmenter = load_segmenter()
    lines = await sentences(segmenter, seconds)
    page = Page()
    said: list[SaidWord] = []
    fed: list[SaidWord] = []
    raw_texts: list[ShownText] = []
    async with (
        raw_vosk(server.site.asr) as raw,
        seats(server, [AGENT]) as ringing,
        frames(server, AGENT, page.take),
        answered_call(server, ringing, "13800001234") as (citizen, _),
    ):
        await asyncio.sleep(1.5)  # both legs are tapped by then
        for line in lines:
            on_phone, to_raw, texts = await speak(citizen, raw, line)
            said += on_phone
            fed += to_raw
            raw_texts += texts
        await asyncio.sleep(QUIET_SECONDS)
    shown = {}
    for place, at in shown_first(said, page.texts, segmenter).items():
        since_audio, since_told = page.stages[at]
        total = at - said[place].said_at
        shown[place] = Heard(
            *(1000 * part for part in (total, total - since_audio, since_audio - since_told, since_told))
        )
    raws = shown_first(fed, raw_texts, segmenter)
    return shown, {place: Heard(1000 * (at - fed[place].said_at)) for place, at in raws.items()}, len(said)


def show(page: dict[int, Heard], raw: dict[int, Heard], said: int) -> None:
    """Print both sides, the difference and the ratio."""
    head("word end to text", "right words", "p50 ms", "p95 ms")
    both = {}
    for name, words in (("raw Vosk", raw), ("agent's page", page)):
        totals = [word.total for word in words.values()]
        both[name] = [percentile(totals, share) for share in (0.5, 0.95)]
        row(name, f"{len(words)} of {said}", *(f"{value:.0f}" for value in both[name]))
    raws, pages = both.values()
    row("difference", "", *(f"{ours - theirs:+.0f}" for ours, theirs in zip(pages, raws, strict=True)))
    row("**ratio**", "", *(f"**{ours / theirs:.2f}**" for ours, theirs in zip(pages, raws, strict=True)))
    pairs = [page[place].total - raw[place].total for place in page.keys() & raw.keys()]
    row(
        "the same word, page - raw",
        len(pairs),
        f"{percentile(pairs, 0.5):+.0f}",
        f"{percentile(pairs, 0.95):+.0f}",
    )
    print("\nWhere the page's time goes (p50 / p95 ms):")
    for name, part in (
        ("word end to the audio that decides it at the recogniser", "audio"),
        ("recognition and the way to the server", "recognised"),
        ("server to the page", "pushed"),
    ):
        values = [getattr(word, part) for word in page.values()]
        print(f"- {name}: {percentile(values, 0.5):.0f} / {percentile(values, 0.95):.0f}")


async def main(seconds: float, **asr: object) -> None:
    """Measure and print."""
    machine()
    async with serving(asr={key: value for key, value in asr.items() if value is not None}) as server:
        print(f"chunks of {server.site.asr.chunk_milliseconds} ms on both sides\n")
        show(*await measure(server, seconds))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=45, help="of speech and the quiet between sentences")
    parser.add_argument("--chunk-milliseconds", type=int, help="asr.chunk_milliseconds, for both sides")
    parser.add_argument("--model", help="asr.model, for both sides")
    given = parser.parse_args()
    model = given.model and str(Path(given.model).resolve())
    asyncio.run(main(given.seconds, chunk_milliseconds=given.chunk_milliseconds, model=model))
