r"""``graph/HCLG.fst``: from transition ids to words, written directly instead of composed.

What may follow a word depends on that word alone (a bigram), so each word's sounds stand once in the graph:

    ended(w) --------eps-------> history(w) --pair's cost--> entry(v) -phones of v-> ended(v)
        \--SIL--> silence(w) --eps--^   \--back-off--> back --unigram's cost--> entry(v)

A word's label stands on the first arc of its LAST phone: earlier, and partial results change their mind about
words more often. One word more, reached and left by backing off alone, takes speech outside
the list (`filler`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hotline.asr.builder.bigram import SENTENCE_END, SENTENCE_START, Bigram
from hotline.asr.builder.chain import add_phone
from hotline.asr.builder.filler import UNKNOWN_WORD, UnknownCosts, add_filler
from hotline.asr.builder.fst import EPSILON, Fst
from hotline.asr.builder.phones import SILENCE, PhoneSet, Place
from hotline.asr.builder.syllables import SyllableCosts

__all__ = ["build_graph", "word_ids"]

_SILENCE_COST = 1.6  # after a word: about one in five
_NO_SILENCE_COST = 0.2
_NOTHING_SAID_COST = 2.0
_WORD_COST = 1.5  # against words heard in breath and echo
_UNKNOWN = UnknownCosts()


@dataclass(frozen=True, slots=True)
class _Node:
    """Where the graph stands after a word: just ended, in the pause after it, or ready for the next one."""

    ended: int
    silence: int
    history: int


def word_ids(vocabulary: Sequence[str]) -> dict[str, int]:
    """Return the label of each word, and of the unknown one; 0 is no word."""
    return {word: number for number, word in enumerate((*vocabulary, UNKNOWN_WORD), start=1)}


def build_graph(
    pronunciations: Mapping[str, Sequence[str]],
    phones: PhoneSet,
    bigram: Bigram,
    syllables: SyllableCosts,
    unknown: UnknownCosts = _UNKNOWN,
) -> Fst:
    """Return the decoding graph of the words in ``pronunciations``, and of the unknown one."""
    labels = word_ids(list(pronunciations))
    fst = Fst()
    nodes = {SENTENCE_START: _add_node(fst, phones)}
    fst.start = nodes[SENTENCE_START].ended
    back = fst.add_state(bigram.unigram[SENTENCE_END])
    entries: dict[str, int] = {}
    for word, pronunciation in pronunciations.items():
        nodes[word] = _add_node(fst, phones)
        entries[word] = fst.add_state()
        _add_word(fst, phones, entries[word], nodes[word].ended, pronunciation, labels[word])
    for word, entry in entries.items():
        fst.add_arc(back, entry, cost=bigram.unigram[word] + _WORD_COST)
    for first, node in nodes.items():
        for second, cost in bigram.pairs[first].items():
            if second == SENTENCE_END:
                fst.final_costs[node.history] = cost
            else:
                fst.add_arc(node.history, entries[second], cost=cost + _WORD_COST)
        fst.add_arc(node.history, back, cost=bigram.backoff[first])
    fst.final_costs[nodes[SENTENCE_START].history] = _NOTHING_SAID_COST
    _add_unknown(fst, phones, back, labels[UNKNOWN_WORD], syllables, unknown)
    return fst


def _add_unknown(
    fst: Fst, phones: PhoneSet, back: int, label: int, syllables: SyllableCosts, costs: UnknownCosts
) -> None:
    """Add the unknown word: any word may stand before it and after it, at the same price."""
    node = _add_node(fst, phones)
    entry = fst.add_state()
    fst.add_arc(back, entry, cost=costs.begin)
    add_filler(fst, phones, syllables, costs.phone_scale, entry=entry, ended=node.ended, label=label)
    fst.add_arc(node.history, back, cost=costs.go_on)
    fst.final_costs[node.history] = costs.end


def _add_node(fst: Fst, phones: PhoneSet) -> _Node:
    node = _Node(fst.add_state(), fst.add_state(), fst.add_state())
    silence = phones.phone_id(SILENCE, Place.SINGLETON)
    fst.add_arc(node.ended, node.history, cost=_NO_SILENCE_COST)
    fst.add_arc(node.ended, node.silence, inp=phones.forward_id(silence, 0), cost=_SILENCE_COST)
    fst.add_arc(node.silence, node.silence, inp=phones.loop_id(silence, 0))
    fst.add_arc(node.silence, node.history)
    return node


def _add_word(
    fst: Fst, phones: PhoneSet, entry: int, ended: int, pronunciation: Sequence[str], label: int
) -> None:
    """Add the chain of a word's HMM states from ``entry`` to ``ended``."""
    here = entry
    last = len(pronunciation) - 1
    for index, phone in enumerate(pronunciation):
        there = ended if index == last else fst.add_state()
        place = Place.of(index, len(pronunciation))
        add_phone(fst, phones, here, there, phone, place, label=label if index == last else EPSILON)
        here = there
