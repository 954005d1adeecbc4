"""What `kb check` says without failing, on made-up entries of a region that has real processes."""

import pytest

from core.adapters import processes
from kb import Entry
from kb.entries import VOICES, Phrasings
from kb.remarks import remarks
from tests.kb.made_up import entry_data

PROCESSES = processes.load().processes


@pytest.fixture
def judged(library):
    def judge(beside: object = None, **changes: object) -> dict[str, list[str]]:
        one = Entry.model_validate(entry_data("a", "盖章", region="neimenggu") | changes)
        other = Entry.model_validate(entry_data("b", "付款", region="neimenggu"))
        if beside:
            other = other.model_copy(update={"phrasings": Phrasings.model_validate(beside)})
        found: dict[str, list[str]] = {}
        for remark in remarks(library.with_entries([one, other]), PROCESSES):
            if remark.place == "neimenggu/a":
                found.setdefault(remark.group, []).append(remark.sentence)
        return found

    return judge


def steps(*texts: str) -> dict[str, object]:
    return {
        "operation": {"kind": "plan", "goal": "void"},
        "cases": [{"when": "需要盖章", "steps": list(texts)}],
    }


def test_missing_voices_are_named(judged):
    (sentence,) = judged()["缺少语气"]
    assert sentence.endswith("error、spoken、dialect、mixed、role")
    everything = {voice: [f"盖章{voice}第{number}问" for number in range(4)] for voice in VOICES}
    assert "缺少语气" not in judged(phrasings=everything)


def test_operations_are_held_against_the_regions_processes(judged):
    assert not {"没有流程的业务", "流程里没有"} & set(judged(operation={"kind": "plan", "goal": "void"}))
    assert "没有目标“moon”" in judged(operation={"kind": "plan", "goal": "moon"})["流程里没有"][0]
    assert "没有操作“fly”" in judged(operation={"kind": "plan", "action": "fly"})["流程里没有"][0]
    assert "“rocket”" in judged(operation={"kind": "rocket", "action": "fly"})["没有流程的业务"][0]


def test_menus_and_review_steps_that_the_process_does_not_have(judged):
    fine = steps(
        "打开【计划录入-待处理】", "到【计划审核 - 已处理】点撤销", "送业务科室初审", "看【帮助-说明】"
    )
    assert "流程里没有" not in judged(**fine)
    found = judged(**steps("打开【计划录入-回收站】", "等业务科室终审"))["流程里没有"]
    assert found == ["菜单“计划录入-回收站”与流程的不同", "岗位“业务科室终审”在流程里没有"]


def test_nearly_the_same_words_under_two_topics(judged):
    near = judged(phrasings={"dialect": ["怎么付这笔款项呢", "去哪里交作业"], "short": ["帮我付一下款"]})
    assert "几乎相同的问法" not in near
    near = judged(phrasings={"dialect": ["昨天领导让我处理，几时付款呢", "去哪里交作业"]})
    assert all("“昨天领导让我处理，几时付款呢”与 b 的“" in sentence for sentence in near["几乎相同的问法"])


def test_the_same_words_but_for_the_topics_own_are_told_apart(judged):
    """几时盖章 and 几时付款 differ in what they are about; 几时付款 and 几时付款呀 do not."""
    told = [f"明天开会以前领导要我{how}盖章" for how in ("几时", "哪里", "如何")]
    other = "明天开会以前领导要我几时付款"
    assert "几乎相同的问法" not in judged(phrasings={"dialect": told}, beside={"dialect": [other]})
    (sentence,) = judged(phrasings={"dialect": [*told, other]}, beside={"dialect": [f"{other}呀"]})[
        "几乎相同的问法"
    ]
    assert sentence == f"“{other}”与 b 的“{other}呀”"


def test_the_projects_own_entries_have_every_voice(library):
    assert not [one for one in remarks(library, PROCESSES) if one.group == "缺少语气"]
