"""Two characters are wrong, sound right, and are the same ones each time."""

from hypothesis import given
from hypothesis import strategies as st
from pypinyin import Style, lazy_pinyin

from kb.homophones import _homophones, garble


def changed(one: str, other: str) -> list[tuple[str, str]]:
    return [(before, after) for before, after in zip(one, other, strict=True) if before != after]


def test_exactly_two_characters_change_to_homophones():
    for question in ("计划录错了怎么办", "备案书盖错章了", "CA锁绑错了 access_token"):
        pairs = changed(question, garble(question))
        assert len(pairs) == 2
        for before, after in pairs:
            assert after in _homophones()[before]


def test_homophones_are_what_a_second_dictionary_calls_so():
    for before, after in changed("合同作废", garble("合同作废")):
        assert lazy_pinyin(before, style=Style.NORMAL) == lazy_pinyin(after, style=Style.NORMAL)


def test_the_seed_decides_and_nothing_else():
    assert garble("计划录错了怎么办") == garble("计划录错了怎么办")
    assert len({garble("计划录错了怎么办", seed=seed) for seed in range(20)}) > 10


@given(st.text(max_size=60))
def test_any_text_keeps_its_length_and_at_most_two_change(text):
    garbled = garble(text)
    assert len(garbled) == len(text)
    assert len(changed(text, garbled)) <= 2
    assert set(text) & set(_homophones()) or garbled == text
