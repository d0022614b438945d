r"""The small Mandarin model, made from nothing but espeak's voices: `build_model`.

corpus -> utterances (spoken, with the state of every frame) -> network -> am/final.mdl
\---> bigram ------------------------------------------------> graph/HCLG.fst
"""

from __future__ import annotations

import json
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hotline.asr.builder.acoustic_file import pack_acoustic_model
from hotline.asr.builder.bigram import Bigram, count_bigrams
from hotline.asr.builder.corpus import Corpus, load_corpus
from hotline.asr.builder.features import MFCC
from hotline.asr.builder.fst import Fst, pack_fst
from hotline.asr.builder.graph import build_graph, word_ids
from hotline.asr.builder.network import Network, TrainingPlan, train
from hotline.asr.builder.phones import SILENCE_ID, PhoneSet
from hotline.asr.builder.syllables import common_syllables, syllable_costs
from hotline.asr.builder.utterances import Utterances, collect_pronunciations, plan_shards, speak_shards
from hotline.core.errors import SetupError

__all__ = ["BuildProgress", "BuildReport", "build_model"]

MODEL_NAME = "hotline-small-cn"
MODEL_VERSION = "2"
DEFAULT_SEED = 12345
DEFAULT_SENTENCES = 8000
_BIGRAM_SENTENCES = 30000

_MODEL_CONF = f"""\
--min-active=200
--max-active=4000
--beam=16.0
--lattice-beam=5.0
--acoustic-scale=0.55
--frame-subsampling-factor=3
--frames-per-chunk=3
--endpoint.silence-phones={SILENCE_ID}
--endpoint.rule2.min-trailing-silence=0.5
--endpoint.rule3.min-trailing-silence=0.75
--endpoint.rule4.min-trailing-silence=1.0
"""


@dataclass(frozen=True, slots=True)
class BuildProgress:
    """How far a stage of the build has come.

    Attributes:
        stage: ``speech``, ``training`` or ``writing``.
        done: units of the stage done, of ``total``.
    """

    stage: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build made.

    Attributes:
        words: in the vocabulary.
        sentences: spoken to train on.
        audio_hours: heard in training, silence and tones included.
        parameters: numbers in the network.
        frame_accuracy: share of frames told right among those kept out of training.
        size_bytes: of all the files.
        build_seconds: it took.
    """

    words: int
    sentences: int
    audio_hours: float
    parameters: int
    frame_accuracy: float
    size_bytes: int
    build_seconds: float


def build_model(
    out_dir: Path,
    progress: Callable[[BuildProgress], None] = lambda _: None,
    *,
    seed: int = DEFAULT_SEED,
    sentences: int = DEFAULT_SENTENCES,
    processes: int = 2,
    plan: TrainingPlan | None = None,
) -> BuildReport:
    """Build the model into ``out_dir``, which must be new or empty, or hold such a model, which is replaced.

    Args:
        out_dir: gets ``am/``, ``conf/``, ``graph/``, ``model.json`` and ``README.md``.
        progress: told of each step.
        seed: the same seed draws the same sentences, voices and noises.
        sentences: how many to speak; fewer make a quicker and worse model.
        processes: that speak at once.
        plan: of the training.

    Raises:
        EspeakMissingError: if libespeak-ng is not installed.
        CorpusError: if the word list and the sentences do not fit.
        SetupError: if ``out_dir`` holds something else.
    """
    began = time.monotonic()
    _check_out_dir(out_dir)
    corpus = load_corpus()
    pronunciations = collect_pronunciations(corpus.readings)
    counts = common_syllables(seed)
    syllables = collect_pronunciations({syllable: syllable for syllable in counts})
    sounds = {**pronunciations, **syllables}
    phones = PhoneSet(sounds)
    utterances: list[Utterances] = []
    shards = plan_shards(sounds, sentences=sentences, seed=seed)
    progress(BuildProgress("speech", 0, len(shards)))
    for spoken in speak_shards(shards, processes=processes):
        utterances.append(spoken)
        progress(BuildProgress("speech", len(utterances), len(shards)))
    network = train(
        utterances,
        phones.pdf_count,
        seed=seed,
        plan=plan,
        progress=lambda done, total: progress(BuildProgress("training", done, total)),
    )
    progress(BuildProgress("writing", 0, 1))
    graph = build_graph(
        pronunciations, phones, _count_sentences(corpus, seed), syllable_costs(syllables, counts)
    )
    figures: dict[str, float] = {
        "sentences": sentences,
        "audio_hours": round(sum(spoken.seconds for spoken in utterances) / 3600, 2),
        "parameters": network.parameter_count,
        "frame_accuracy": round(network.frame_accuracy, 4),
    }
    _write_model(out_dir, list(pronunciations), phones, network, graph, {"seed": seed, **figures})
    size_bytes = sum(path.stat().st_size for path in out_dir.rglob("*") if path.is_file())
    progress(BuildProgress("writing", 1, 1))
    return BuildReport(
        words=len(pronunciations),
        sentences=sentences,
        audio_hours=figures["audio_hours"],
        parameters=network.parameter_count,
        frame_accuracy=network.frame_accuracy,
        size_bytes=size_bytes,
        build_seconds=time.monotonic() - began,
    )


def _check_out_dir(out_dir: Path) -> None:
    if out_dir.exists() and not out_dir.is_dir():
        raise SetupError(f"{out_dir} is a file", hint="name a folder that does not exist yet")
    if out_dir.is_dir() and any(out_dir.iterdir()) and not (out_dir / "model.json").is_file():
        raise SetupError(f"{out_dir} holds something that is no model of ours", hint="name an empty folder")


def _count_sentences(corpus: Corpus, seed: int) -> Bigram:
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    sentences = ([word.text for word in corpus.sentence(rng)] for _ in range(_BIGRAM_SENTENCES))
    return count_bigrams(sentences, list(corpus.readings))


def _write_model(
    out_dir: Path,
    words: list[str],
    phones: PhoneSet,
    network: Network,
    graph: Fst,
    figures: dict[str, float],
) -> None:
    """Write all files beside ``out_dir``, then put them in place: a broken build leaves the old model."""
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out_dir.parent, prefix=f".{out_dir.name}-") as work:
        folder = Path(work) / "model"
        for name in ("am", "conf", "graph/phones"):
            (folder / name).mkdir(parents=True)
        (folder / "am/final.mdl").write_bytes(pack_acoustic_model(network, phones))
        _write_lines(folder / "conf/mfcc.conf", MFCC.kaldi_lines())
        (folder / "conf/model.conf").write_text(_MODEL_CONF, encoding="utf-8")
        (folder / "graph/HCLG.fst").write_bytes(pack_fst(graph))
        labels = word_ids(words)
        _write_lines(folder / "graph/words.txt", ["<eps> 0", *(f"{word} {n}" for word, n in labels.items())])
        _write_lines(folder / "graph/phones/word_boundary.int", phones.word_boundaries())
        (folder / "model.json").write_text(_description(words, figures), encoding="utf-8")
        shutil.copy(Path(__file__).parent / "data/model-readme.md", folder / "README.md")
        if out_dir.exists():
            shutil.rmtree(out_dir)
        folder.rename(out_dir)


def _write_lines(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _description(words: list[str], figures: dict[str, float]) -> str:
    description = {
        "name": MODEL_NAME,
        "version": MODEL_VERSION,
        "language": "zh-CN",
        "licence": "Apache-2.0",
        "sample_rate_hz": MFCC.sample_rate_hz,
        "build": figures,
        "words": words,
    }
    return json.dumps(description, ensure_ascii=False, indent=1) + "\n"
