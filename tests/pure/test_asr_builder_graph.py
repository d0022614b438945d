"""Phones, word pairs and the decoding graph of the small model."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.asr.builder.bigram import SENTENCE_END, SENTENCE_START, Bigram, count_bigrams
from hotline.asr.builder.filler import UNKNOWN_WORD
from hotline.asr.builder.fst import EPSILON, Fst
from hotline.asr.builder.graph import build_graph, word_ids
from hotline.asr.builder.phones import SILENCE, PhoneSet, Place
from hotline.asr.builder.syllables import syllable_costs

PRONUNCIATIONS = {"您好": ("n", "i", "n", "X", "Au"), "再见": ("ts", "ai"), "二": ("@r",)}
SYLLABLES = {"ni3": ("n", "i"), "hao3": ("X", "Au"), "hai1": ("X", "ai"), "ai1": ("ai",)}
COSTS = syllable_costs(SYLLABLES, {"ni3": 3, "hao3": 2, "hai1": 4, "ai1": 1})
SENTENCES = [["您好"], ["您好", "二"], ["再见"], ["您好"]]


def test_places_in_a_word() -> None:
    """First, last, middle and only phones are told apart."""
    assert [Place.of(index, 3) for index in range(3)] == [Place.BEGIN, Place.INTERNAL, Place.END]
    assert Place.of(0, 1) is Place.SINGLETON


def test_phone_numbers_are_dense_and_reversible() -> None:
    """Kaldi's numbers run from 1 without a gap, silence first, and lead back to their phones."""
    phones = PhoneSet(PRONUNCIATIONS)
    assert phones.phone_id(SILENCE, Place.SINGLETON) == 1
    ids = [phones.phone_id(phone, place) for phone in phones.phones for place in Place]
    assert sorted(ids) == list(range(2, 2 + 4 * len(phones.phones)))
    assert all(
        phones.phone_of(phones.phone_id(phone, place)) == phone for phone in phones.phones for place in Place
    )
    assert len(phones.word_boundaries()) == 1 + len(ids)


def test_places_share_pdfs_but_not_transitions() -> None:
    """A phone sounds the same wherever it stands; its transition ids differ, two to a state."""
    phones = PhoneSet(PRONUNCIATIONS)
    pdfs = {triple.pdf for triple in phones.triples if phones.phone_of(triple.phone_id) == "Au"}
    assert pdfs == {phones.pdf("Au", 0), phones.pdf("Au", 1)}
    transitions = [
        transition
        for triple in phones.triples
        for transition in (
            phones.loop_id(triple.phone_id, triple.state),
            phones.forward_id(triple.phone_id, triple.state),
        )
    ]
    assert transitions == list(range(1, 2 * len(phones.triples) + 1))


vocabulary = st.sampled_from(list(PRONUNCIATIONS))


@given(st.lists(st.lists(vocabulary, max_size=5), min_size=1, max_size=20))
def test_what_follows_a_word_adds_up_to_one(sentences: list[list[str]]) -> None:
    """After any word, the chances of all the words and of the end are a whole."""
    bigram = count_bigrams(sentences, list(PRONUNCIATIONS))
    for first in (SENTENCE_START, *PRONUNCIATIONS):
        chances = [math.exp(-bigram.cost(first, second)) for second in (*PRONUNCIATIONS, SENTENCE_END)]
        assert sum(chances) == pytest.approx(1.0)


def test_pairs_said_often_cost_less() -> None:
    """What the sentences say is cheaper than what they never say, and nothing is impossible."""
    bigram = count_bigrams(SENTENCES, list(PRONUNCIATIONS))
    assert bigram.cost("您好", "二") < bigram.cost("您好", "再见") < math.inf


def cheapest(fst: Fst, transitions: Sequence[int]) -> tuple[float, tuple[int, ...]]:
    """Return the cost and the labels of the cheapest way through ``fst`` that takes ``transitions``."""
    heap: list[tuple[float, int, int, tuple[int, ...]]] = [(0.0, 0, fst.start, ())]
    seen: set[tuple[int, int]] = set()
    best: tuple[float, tuple[int, ...]] = (math.inf, ())
    while heap:
        cost, position, state, labels = heapq.heappop(heap)
        if (position, state) in seen:
            continue
        seen.add((position, state))
        if position == len(transitions) and cost + fst.final_costs[state] < best[0]:
            best = (cost + fst.final_costs[state], labels)
        for arc in fst.arcs[state]:
            out = (*labels, arc.output_label) if arc.output_label != EPSILON else labels
            if arc.input_label == EPSILON:
                heapq.heappush(heap, (cost + arc.cost, position, arc.target, out))
            elif position < len(transitions) and arc.input_label == transitions[position]:
                heapq.heappush(heap, (cost + arc.cost, position + 1, arc.target, out))
    return best


def transitions_of(
    words: Sequence[str], phones: PhoneSet, *, frames_per_state: int = 2, pause: bool
) -> list[int]:
    """Return the transitions of words said slowly: each state once forward, then its loops."""
    silence = phones.phone_id(SILENCE, Place.SINGLETON)
    taken: list[int] = []

    def stay(phone_id: int, state: int) -> None:
        taken.append(phones.forward_id(phone_id, state))
        taken.extend([phones.loop_id(phone_id, state)] * (frames_per_state - 1))

    if pause:
        stay(silence, 0)
    for word in words:
        pronunciation = PRONUNCIATIONS[word]
        for index, phone in enumerate(pronunciation):
            for state in range(phones.state_count(phone)):
                stay(phones.phone_id(phone, Place.of(index, len(pronunciation))), state)
        if pause:
            stay(silence, 0)
    return taken


@pytest.fixture(name="parts")
def fixture_parts() -> tuple[Fst, PhoneSet, Bigram]:
    """A graph of three words."""
    phones = PhoneSet(PRONUNCIATIONS)
    bigram = count_bigrams(SENTENCES, list(PRONUNCIATIONS))
    return build_graph(PRONUNCIATIONS, phones, bigram, COSTS), phones, bigram


@given(words=st.lists(vocabulary, max_size=4), frames=st.integers(1, 3), pause=st.booleans())
def test_every_word_string_is_heard_as_itself(words: list[str], frames: int, pause: bool) -> None:
    """The graph takes any words, at any speed, with or without pauses, and gives back exactly those words."""
    phones = PhoneSet(PRONUNCIATIONS)
    fst = build_graph(PRONUNCIATIONS, phones, count_bigrams(SENTENCES, list(PRONUNCIATIONS)), COSTS)
    labels = word_ids(list(PRONUNCIATIONS))
    taken = transitions_of(words, phones, frames_per_state=frames, pause=pause)
    cost, heard = cheapest(fst, taken)
    assert cost < math.inf
    assert heard == tuple(labels[word] for word in words)


def test_likely_sentences_are_cheaper(parts: tuple[Fst, PhoneSet, Bigram]) -> None:
    """Between two strings of the same words, the graph prefers the order that people use."""
    fst, phones, _ = parts
    usual, _ = cheapest(fst, transitions_of(["您好", "二"], phones, pause=True))
    odd, _ = cheapest(fst, transitions_of(["二", "您好"], phones, pause=True))
    assert usual < odd


def test_silence_is_no_word(parts: tuple[Fst, PhoneSet, Bigram]) -> None:
    """Nothing but silence is accepted and heard as nothing."""
    fst, phones, _ = parts
    cost, heard = cheapest(fst, transitions_of([], phones, frames_per_state=50, pause=True))
    assert cost < math.inf
    assert heard == ()


def test_impossible_sounds_have_no_way(parts: tuple[Fst, PhoneSet, Bigram]) -> None:
    """Half a word is not accepted."""
    fst, phones, _ = parts
    half = transitions_of(["您好"], phones, pause=False)[:4]
    assert cheapest(fst, half)[0] == math.inf


def phones_taken(said: Sequence[str], phones: PhoneSet) -> list[int]:
    """Return the transitions of one word that sounds so."""
    return [
        phones.forward_id(phones.phone_id(phone, Place.of(index, len(said))), state)
        for index, phone in enumerate(said)
        for state in range(phones.state_count(phone))
    ]


@given(st.lists(st.sampled_from(["ni3", "hao3", "hai1", "ai1"]), min_size=2, max_size=5))
def test_other_syllables_are_one_unknown_word(syllables: list[str]) -> None:
    """Any run of syllables is heard as the unknown word, once, unless it is a word of the list."""
    phones = PhoneSet(PRONUNCIATIONS)
    fst = build_graph(PRONUNCIATIONS, phones, count_bigrams(SENTENCES, list(PRONUNCIATIONS)), COSTS)
    said = [phone for syllable in syllables for phone in SYLLABLES[syllable]]
    cost, heard = cheapest(fst, phones_taken(said, phones))
    assert cost < math.inf
    assert heard == (word_ids(list(PRONUNCIATIONS))[UNKNOWN_WORD],)


def test_what_is_no_syllable_is_not_accepted(parts: tuple[Fst, PhoneSet, Bigram]) -> None:
    """The unknown word is made of syllables: phones in another order have no way."""
    fst, phones, _ = parts
    assert cheapest(fst, phones_taken(["Au", "X"], phones))[0] == math.inf


def test_a_word_of_the_list_is_cheaper_than_the_unknown_one() -> None:
    """What sounds as a word of the list and as syllables too is heard as the word."""
    words = {**PRONUNCIATIONS, "你好": ("n", "i", "X", "Au")}
    phones = PhoneSet(words)
    bigram = count_bigrams([*SENTENCES, ["你好"]], list(words))
    fst = build_graph(words, phones, bigram, COSTS)
    _, heard = cheapest(fst, phones_taken(words["你好"], phones))
    assert heard == (word_ids(list(words))["你好"],)


def test_costs_of_syllables_add_up() -> None:
    """After each phone, going on within the syllable and ending it are a whole; so are the first phones."""
    assert sum(math.exp(-cost) for cost in COSTS.first.values()) == pytest.approx(1.0)
    for phone, following in COSTS.following.items():
        chances = [math.exp(-cost) for cost in following.values()]
        assert sum(chances) + math.exp(-COSTS.last.get(phone, math.inf)) == pytest.approx(1.0)
