import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.wechat.split import split_text

words = st.text(st.sampled_from("一二步骤。；\n1.、（）① ab😀") | st.characters(codec="utf-8"), max_size=3000)


@given(words, st.integers(1, 700), st.integers(4, 2047))
def test_nothing_is_lost_and_everything_fits(text: str, characters: int, size: int):
    pieces = split_text(text, characters=characters, size=size)
    assert all(piece.strip() and len(piece) <= characters and len(piece.encode()) <= size for piece in pieces)
    squeezed = re.sub(r"[\s\x00-\x1f\ufffe\uffff]", "", text)
    assert re.sub(r"[\s\x00-\x1f\ufffe\uffff]", "", "".join(pieces)) == squeezed


@given(words, st.integers(1, 4))
def test_no_more_than_wanted(text: str, most: int):
    pieces = split_text(text, most=most)
    assert len(pieces) <= most
    assert all(len(piece) <= 600 and len(piece.encode()) <= 2047 for piece in pieces)


@pytest.mark.parametrize("mark", ["{}. ", "{}、", "（{}）", "第{}步："])
def test_cuts_at_the_boundary_of_a_step(mark: str):
    steps = [mark.format(n) + "点开“我的计划”，\n找到要改的那一条。" * 12 for n in range(1, 8)]
    pieces = split_text("请这样办理：\n" + "\n".join(steps))
    assert len(pieces) > 1
    starts = tuple(mark.format(n) for n in range(1, 8))
    assert all(piece.startswith(starts) for piece in pieces[1:])


def test_short_text_stays_whole():
    assert split_text("一句话。") == ["一句话。"]
    assert split_text(" \n ") == []


def test_says_that_there_is_more():
    pieces = split_text("计划。" * 2000, most=2)
    assert len(pieces) == 2
    assert pieces[1].endswith("（内容较长，其余请到网页端查看）")
