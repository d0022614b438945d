"""Text is cut into words, given pinyin, and compared word by word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.speech.pinyin import PinyinWord, is_numbered_pinyin, text_to_pinyin, word_to_pinyin
from hotline.speech.scoring import WordScore, score_words
from hotline.speech.segment import Segmenter

WORDS = (
    "没有",
    "没有人",
    "人",
    "社保卡",
    "社保",
    "怎么",
    "换",
    "我们",
    "我",
    "小区",
    "不亮",
    "了",
    "的",
    "路灯",
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("社保卡怎么换？", ["社保卡", "怎么", "换"]),
        ("我们小区的路灯不亮了", ["我们", "小区", "的", "路灯", "不亮", "了"]),
        ("没有人，没有了", ["没有人", "没有", "了"]),
        ("没有，人", ["没有", "人"]),
        ("社保卡 丢", ["社保卡", "丢"]),
        ("，。！", []),
        ("", []),
    ],
)
def test_longest_words_win(text: str, words: list[str]) -> None:
    """Long words are preferred, punctuation separates, unknown characters stand alone."""
    assert Segmenter(WORDS).cut(text) == words


def test_unknown_characters_are_named() -> None:
    """A writer of dialogues is told what no word covers."""
    assert Segmenter(WORDS).unknown("社保卡丢了吗") == ["丢", "吗"]


@given(st.lists(st.sampled_from(WORDS), max_size=12))
def test_known_text_is_covered(words: list[str]) -> None:
    """Text made of known words is cut without an unknown rest and without loss."""
    text = "".join(words)
    segmenter = Segmenter(WORDS)
    assert segmenter.unknown(text) == []
    assert "".join(segmenter.cut(text)) == text


@pytest.mark.parametrize(
    ("word", "pinyin"),
    [
        ("社保卡", "she4bao3ka3"),
        ("银行", "yin2hang2"),
        ("重庆", "chong2qing4"),
        ("还有", "hai2you3"),
        ("女士", "nv3shi4"),
        ("孩子", "hai2zi5"),
        ("嗯", "en2"),
        ("A", "ei1"),
        ("！", ""),
    ],
)
def test_pinyin_of_words(word: str, pinyin: str) -> None:
    """Words are read by context and spelt the way espeak can say them."""
    assert word_to_pinyin(word) == pinyin


def test_pauses_follow_punctuation() -> None:
    """A comma is a short pause, a full stop a long one; the numbers are spelt out."""
    words = text_to_pinyin("您好，按1。", segmenter=Segmenter(["您好", "按"]))
    assert words == [
        PinyinWord("您好", "nin2hao3", ","),
        PinyinWord("按", "an4"),
        PinyinWord("一", "yi1", "."),
    ]


def test_readings_override() -> None:
    """A reading given by the caller wins."""
    (word,) = text_to_pinyin("行", segmenter=Segmenter(["行"]), readings={"行": "hang2"})
    assert word.pinyin == "hang2"


def test_pinyin_goes_through() -> None:
    """Text that is numbered pinyin already is only split into words."""
    words = text_to_pinyin("she4bao3 ka3, zen3me5")
    assert [(word.pinyin, word.pause) for word in words] == [("she4bao3", ""), ("ka3", ","), ("zen3me5", "")]
    assert not is_numbered_pinyin("hello 12345")


@pytest.mark.parametrize(
    ("spoken", "heard", "score"),
    [
        ("a b c", "a b c", WordScore(3, 3, 0, 0, 0)),
        ("a b c", "a c", WordScore(3, 2, 0, 1, 0)),
        ("a b c", "a x c", WordScore(3, 2, 1, 0, 0)),
        ("a b c", "a b b c", WordScore(3, 3, 0, 0, 1)),
        ("a b c", "", WordScore(3, 0, 0, 3, 0)),
        ("", "a", WordScore(0, 0, 0, 0, 1)),
    ],
)
def test_word_scores(spoken: str, heard: str, score: WordScore) -> None:
    """Substituted, missing and added words are told apart."""
    assert score_words(spoken.split(), heard.split()) == score


@given(st.lists(st.sampled_from("abc"), max_size=8), st.lists(st.sampled_from("abc"), max_size=8))
def test_word_scores_add_up(spoken: list[str], heard: list[str]) -> None:
    """A spoken word is right, substituted or missing; a heard one right, substituted or added."""
    score = score_words(spoken, heard)
    assert score.right + score.substituted + score.missing == len(spoken)
    assert score.right + score.substituted + score.added == len(heard)
    assert score.errors <= max(len(spoken), len(heard))


def test_rates_of_nothing() -> None:
    """With nothing spoken, hearing nothing is no error and hearing something is wholly wrong."""
    assert score_words([], []).word_error_rate == 0.0
    assert score_words([], ["a"]).word_error_rate == 1.0
    assert (score_words(["a"], ["a"]) + score_words(["a"], [])).word_error_rate == 0.5
