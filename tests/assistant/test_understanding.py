"""What a message is taken for, before any knowledge."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.understanding import LAST, hear, patterns

NUMBER = "JH-150299-2026-000003"


@pytest.mark.parametrize(
    "text",
    [
        NUMBER,
        NUMBER.lower(),
        "jh1502992026000003",
        "JH－150299－2026－000003",
        "JH 150299 2026 000003",
        "150299-2026-000003",
        f"帮我看看{NUMBER}这条走到哪了",
        f"【{NUMBER}】退回了",
    ],
)
def test_a_document_number_is_found_in_any_writing(text: str) -> None:
    assert hear(text).numbers == (NUMBER,)


@pytest.mark.parametrize(
    "text", ["15029920260000031", "13812345678", "2026-11-20", "XJH-150299-2026-0000031"]
)
def test_other_digits_are_no_document(text: str) -> None:
    assert hear(text).numbers == ()


@pytest.mark.parametrize(
    ("text", "act"),
    [
        ("是", "yes"), ("好的。", "yes"), ("確認", "yes"), ("ＯＫ", "yes"), ("可以！", "yes"), ("不", "no"),
        ("不用了", "no"), ("算了", "cancel"), ("谢谢！", "thanks"), ("你好", "greeting"), ("转人工", "person"),
        ("麻烦转人工吧", "person"), ("谁来审？", "who_next"), ("然后呢", "who_next"), ("那多久", "how_long"),
        ("再说一遍", "repeat"), ("我有什么要办的？", "todo"), ("", "silence"), ("   ", "silence"), ("？？", "symbols"),
        ("不是这个，是合同", "correct"), ("都不是", "correct"), ("什么破系统！", "anger"),
    ],
)  # fmt: skip
def test_moves(text: str, act: str) -> None:
    assert hear(text).act == act


@pytest.mark.parametrize(
    "text",
    [
        "是不是要退回",
        "不要了怎么作废",
        "好的计划怎么录",
        "确认合同在哪里",
        "取消采购",
        "可以改吗",
        "人工费怎么填",
    ],
)
def test_questions_that_begin_like_moves_are_none(text: str) -> None:
    assert hear(text).act == ""


@pytest.mark.parametrize(
    ("text", "ordinal"),
    [
        ("第二个", 2),
        ("2", 2),
        ("选3", 3),
        ("第十条", 10),
        ("最后一个", LAST),
        ("就第一个吧", 1),
        ("两个月", 0),
        ("20", 20),
    ],
)
def test_ordinals(text: str, ordinal: int) -> None:
    assert hear(text).ordinal == ordinal


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3,600.00", "金额"), ("￥3600", "金额"), ("2.5万元", "金额"), ("2元", "金额"), ("2026-11-20", "日期"),
        ("2026年11月", "日期"), ("2026/11/20 09:13", "日期"), ("11月3号", "日期"), ("9:30", "日期"),
        ("13812345678", "电话号码"), ("0471-962366", "电话号码"), ("400-0471-010", "电话号码"),
        ("15029910100101", "账号"), ("3", ""), ("000003", ""), ("2026000003", ""), ("第3个", ""), (NUMBER, ""),
    ],
)  # fmt: skip
def test_figures_are_wholes(text: str, value: str) -> None:
    heard = hear(text)
    assert heard.value == value
    if value:
        assert (heard.tail, heard.ordinal, heard.numbers) == ("", 0, ())


@pytest.mark.parametrize(
    "text",
    [
        "合同金额 3,600.00 元填错了",
        "2026-11-20 报的计划",
        "单价1800.00数量6",
        "请打13812345678找我",
        "2026年预算150299",
    ],
)
def test_figures_in_a_sentence_are_no_document(text: str) -> None:
    heard = hear(text)
    assert (heard.numbers, heard.tail, heard.ordinal) == ((), "", 0)


def test_a_correction_keeps_what_is_meant() -> None:
    assert hear("不是这个，是合同怎么作废").rest == "合同怎么作废"


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        (f"退回 {NUMBER} 意见：数量不对", {"opinion": "数量不对"}),
        ("理由是不买了", {"reason": "不买了"}),
        ("意见改成“单价有误”", {"opinion": "单价有误"}),
        ("退回意见写什么", {}),
        ("原因是什么", {}),
    ],
)
def test_slots_in_passing(text: str, slots: dict[str, str]) -> None:
    assert hear(text).slots == slots


def test_no_phrase_means_two_moves() -> None:
    from assistant.understanding import FILE, _File
    from core.adapters.yaml_reader import read_model
    from kb import text as words

    model, _ = read_model(FILE, _File)
    seen: dict[str, str] = {}
    for act, pattern in model.acts.items():
        for phrase in pattern.exact:
            assert seen.setdefault(words.key(phrase), act) == act, phrase
    assert patterns().exact == seen


@given(st.text(max_size=300))
def test_nothing_breaks_hearing(text: str) -> None:
    heard = hear(text)
    assert heard.raw == text
    assert heard.ordinal >= LAST
