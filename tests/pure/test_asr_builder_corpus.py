"""The word list and the sentence patterns of the small model."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from hotline.asr.builder.corpus import Corpus, CorpusError, load_corpus
from hotline.asr.builder.measure import outside_sentences
from hotline.asr.builder.phones import SILENCE_PDF, PhoneSet
from hotline.asr.builder.sounds import DTMF_HZ, not_speech, telephone
from hotline.asr.builder.syllables import common_syllables, draw_phrases, syllables_of
from hotline.asr.builder.utterances import (
    HARD_VARIANTS,
    HELD_OUT_VARIANTS,
    TRAINING_VARIANTS,
    sample_pdfs,
)
from hotline.speech.pinyin import PinyinWord
from hotline.speech.segment import is_spoken
from hotline.speech.voice import Speech, SpokenPhone
from hotline.speech.voices import DEMO_VARIANTS, PROMPT_VARIANT

WORDS = "您好\n我\n要\n投诉\n换 huan4 # with its reading\n一\n二\n"


def corpus_of(folder: Path, sentences: str, words: str = WORDS) -> Corpus:
    """Load a corpus from text."""
    (folder / "words.txt").write_text(words, encoding="utf-8")
    (folder / "sentences.yaml").write_text(sentences, encoding="utf-8")
    return load_corpus(folder)


def test_the_shipped_corpus_is_whole() -> None:
    """Every pattern can be said with the words of the list, and there is a call for each theme."""
    corpus = load_corpus()
    assert len(corpus.readings) >= 400
    assert len(corpus.dialogues) >= 12
    rng = random.Random(3)
    for _ in range(300):
        assert all(word.pinyin == corpus.readings[word.text] for word in corpus.sentence(rng))


def test_every_word_is_said() -> None:
    """No word of the list is missing from the sentences: it would be heard by chance only."""
    corpus = load_corpus()
    rng = random.Random(5)
    lines = (*corpus.patterns, *(line for dialogue in corpus.dialogues.values() for line in dialogue))
    said = {word.text for _ in range(25) for line in lines for word in expanded(corpus, line, rng)}
    assert set(corpus.readings) - said == set()


def expanded(corpus: Corpus, pattern: str, rng: random.Random) -> list[PinyinWord]:
    """Return the words of a pattern, drawn once."""
    return corpus.words_of(corpus.expand(pattern, rng))


def test_numbers_of_any_length_are_said() -> None:
    """Mobile numbers have eleven digits, 1 as 幺 or 一; identity numbers eighteen places, some with an X."""
    corpus = load_corpus()
    rng = random.Random(2)
    mobiles = ["".join(word.text for word in expanded(corpus, "{mobile}", rng)) for _ in range(100)]
    assert {len(mobile) for mobile in mobiles} == {11}
    assert {mobile[0] for mobile in mobiles} == {"一", "幺"}
    identities = ["".join(word.text for word in expanded(corpus, "{identity}", rng)) for _ in range(100)]
    assert {len(identity) for identity in identities} == {18}
    assert any(identity.endswith("X") for identity in identities)
    assert len({len(expanded(corpus, "{digits}", rng)) for _ in range(200)}) >= 6


def test_other_speech_is_made_of_known_syllables() -> None:
    """Phrases to train on hold no syllable that has no pronunciation; rare syllables are left out."""
    counts = common_syllables(7)
    assert 500 < len(counts) < 1400
    assert counts["shi4"] > 50
    rng = random.Random(4)
    for _ in range(50):
        phrases = draw_phrases(rng, counts)
        assert 1 <= len(phrases) <= 4
        assert all(set(syllables_of(phrase.pinyin)) <= set(counts) for phrase in phrases)
    assert syllables_of("lv4shi1") == ["lv4", "shi1"]


def test_sentences_outside_the_list_are_outside_it() -> None:
    """Sentences that measure the unknown word hold hardly a word of the list, and none is in both parts."""
    corpus = load_corpus()
    parts = {part: outside_sentences(part) for part in ("tuning", "held_out")}
    assert not set(parts["tuning"]) & set(parts["held_out"])
    for sentences in parts.values():
        assert len(sentences) >= 24
        unknown = sum(len(corpus.segmenter.unknown(sentence)) for sentence in sentences)
        assert unknown > 0.75 * sum(map(is_spoken, "".join(sentences)))


def test_patterns_are_drawn(tmp_path: Path) -> None:
    """Slots, options and alternatives all come out."""
    corpus = corpus_of(
        tmp_path,
        "slots: {n: [一, 二]}\n"
        "patterns: {a: ['[您好，]我要(投诉|换{n})。']}\n"
        "dialogues: {d: ['C: 您好。']}\n",
    )
    rng = random.Random(1)
    drawn = {corpus.expand(corpus.patterns[0], rng) for _ in range(200)}
    assert drawn == {f"{hello}我要{what}。" for hello in ("", "您好，") for what in ("投诉", "换一", "换二")}
    assert corpus.readings["换"] == "huan4"
    assert [word.text for word in corpus.words_of("您好，我要换二。")] == ["您好", "我", "要", "换", "二"]


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [("我要吃", "'吃'.*in no word"), ("我要{nothing}", "unknown slot 'nothing'"), ("{loop}", "never ends")],
)
def test_wrong_patterns_stop_the_build(tmp_path: Path, pattern: str, complaint: str) -> None:
    """A word nobody listed, a slot nobody wrote and an endless pattern are named."""
    sentences = f"slots: {{loop: ['{{loop}}']}}\npatterns: {{a: ['{pattern}']}}\ndialogues: {{}}\n"
    if pattern != "{loop}":
        sentences = sentences.replace("{loop: ['{loop}']}", "{}")
    with pytest.raises(CorpusError, match=complaint):
        corpus_of(tmp_path, sentences)


def test_held_out_voices_are_held_out() -> None:
    """No voice that measures the model was trained on, and the demo's voices were."""
    measured = {*HELD_OUT_VARIANTS, *HARD_VARIANTS}
    assert len(measured) == len(HELD_OUT_VARIANTS) + len(HARD_VARIANTS)
    assert not measured & {*TRAINING_VARIANTS, *DEMO_VARIANTS}
    assert {*DEMO_VARIANTS, PROMPT_VARIANT} <= set(TRAINING_VARIANTS)


def test_short_pauses_belong_to_the_next_phone() -> None:
    """A closure before a stop is part of it; a real pause is silence; vowels are halved."""
    phones = PhoneSet({"大": ("t", "A")})
    names = ("_|", "t", "A", "_:", "t", "A")
    edges = (0, 40, 100, 200, 400, 460, 500)  # at 1000 Hz: 40 ms closure, 200 ms pause
    spoken = tuple(
        SpokenPhone(name, 0, start, end) for name, start, end in zip(names, edges, edges[1:], strict=False)
    )
    speech = Speech(np.zeros(500, np.int16), 1000, (), spoken)
    labels = sample_pdfs(speech, 1.0, 520, phones)
    t, first, second = phones.pdf("t", 0), phones.pdf("A", 0), phones.pdf("A", 1)
    assert labels.tolist() == (
        [t] * 100
        + [first] * 50
        + [second] * 50
        + [SILENCE_PDF] * 200
        + [t] * 60
        + [first] * 20
        + [second] * 20
        + [SILENCE_PDF] * 20
    )


def test_the_same_seed_makes_the_same_noise() -> None:
    """Telephone sound and tones are drawn from the generator alone."""
    clean = np.sin(np.arange(4000) * 0.1) * 5000
    assert (
        telephone(clean, np.random.default_rng(5)).tolist()
        == telephone(clean, np.random.default_rng(5)).tolist()
    )
    one, two = (not_speech(np.random.default_rng(7), 8000, 1.0) for _ in range(2))
    assert one.tolist() == two.tolist()


def test_dtmf_is_the_recommendations() -> None:
    """ITU-T Q.23's frequencies."""
    assert DTMF_HZ["1"] == (697, 1209)
    assert DTMF_HZ["0"] == (941, 1336)
    assert DTMF_HZ["#"] == (941, 1477)
    assert len(DTMF_HZ) == 16
