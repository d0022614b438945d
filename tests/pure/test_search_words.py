"""What counts as said, the tokens that find it, and where it is marked."""

from __future__ import annotations

from itertools import pairwise

import jieba
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.config.loading import load_site
from hotline.config.own_words import own_words
from hotline.config.samples import path as sample
from hotline.core.errors import UsageError
from hotline.core.text_search import letters, marks, pairs, terms
from hotline.store.search_words import SearchWords, SearchWordsOnDemand, load_words

SPOKEN = "我想咨询一下社保卡丢了怎么补办，打了12333没有人接VIP热线"
TEXT = st.text(alphabet="社保卡公积金提取租房物业12aB，。 ！", max_size=40)


@pytest.fixture(scope="module")
def words() -> SearchWords:
    return load_words(("一网通办",))


@given(TEXT, st.integers(0, 40), st.integers(0, 40))
def test_the_index_never_misses_what_is_there(text: str, one: int, other: int) -> None:
    """Whatever stretch of a text is asked for, its tokens are among the text's tokens, and it is marked."""
    words = SearchWords(("公积金", "社保卡", "积金提取"), ("租房提取公积金",))
    stretch = letters(text[min(one, other) : max(one, other)]).text
    assert words.tokens(stretch) <= words.tokens(text)
    if len(stretch) >= 2:
        assert marks(text, (stretch,))


@given(TEXT)
def test_marks_are_apart_in_order_and_inside(text: str) -> None:
    """Marks never touch or cross, so that a page can cut the text at them."""
    found = marks(text, ("社保", "保卡", "1"))
    assert all(0 <= start < end <= len(text) for start, end in found)
    assert all(one[1] < other[0] for one, other in pairwise(found))


@pytest.mark.parametrize(
    ("text", "query", "marked"),
    [
        ("社保卡，怎么办", "卡怎么", ["卡，怎么"]),
        ("打１２３３３吧", "12333", ["１２３３３"]),
        ("办VIP卡", "vip", ["VIP"]),
        ("人人人", "人人", ["人人人"]),
        ("公积金和社保", "社保 公积金", ["公积金", "社保"]),
        ("没有", "社保", []),
    ],
)
def test_words_are_marked_where_they_were_said(text: str, query: str, marked: list[str]) -> None:
    """Width, case and punctuation make no difference; the marks are places in the text as it is shown."""
    assert [text[start:end] for start, end in marks(text, terms(query))] == marked


def test_a_query_is_cut_into_words_and_phrases() -> None:
    """Spaces part words, quotation marks keep them together, the longest comes first, each once."""
    assert terms("物业 电梯 物业") == ("物业", "电梯")
    assert terms("“call center” 社保卡") == ("callcenter", "社保卡")
    for nothing in ("", "，。", "社", "好 的", '""'):
        with pytest.raises(UsageError, match="too little"):
            terms(nothing)
    with pytest.raises(UsageError, match="too many"):
        terms("一二 " * 30)


def test_the_words_of_jiebas_search_mode_are_tokens(words: SearchWords) -> None:
    """Every word that jieba's search mode cuts a sentence into is a token of it."""
    cutter = jieba.Tokenizer()
    cutter.FREQ, cutter.total = cutter.gen_pfdict(cutter.get_dict_file())
    cutter.initialized = True  # else it would keep a cache in the common folder for temporary files
    cut = {word.lower() for word in cutter.cut_for_search(SPOKEN, HMM=False)}
    whole_numbers = {"12333", "vip"}  # found by their pairs
    found = {word for word in cut if 2 <= len(word)} - whole_numbers
    assert {"咨询", "怎么"} <= found <= words.tokens(SPOKEN)


def test_the_hotlines_own_words_are_tokens_whatever_their_length(words: SearchWords) -> None:
    """A line's name is one word of the index; a site with other words has another edition of it."""
    assert "一网通办" in words.tokens("请问一网通办怎么登录")
    full = own_words(load_site(sample("full")))
    assert {"市场监管", "住房公积金", "拖欠工资", "人力资源和社会保障局"} <= full
    assert SearchWordsOnDemand(full).edition != SearchWordsOnDemand(full - {"市场监管"}).edition
    assert "人力资源和社会保障局" in SearchWords((), full).tokens("我打人力资源和社会保障局的电话")


def test_pairs_of_one_letter_are_none() -> None:
    """A single letter has no token: it is compared and never looked up."""
    assert pairs("社") == set()
