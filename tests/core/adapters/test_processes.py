"""The process files: what stands there, what a mistake in them says, and what a kept version still knows."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from core.adapters import process_build, processes
from core.domain import graph
from core.domain.errors import DataError, NotFoundError
from core.domain.process import Funds, NodeType, Process

PLAN, ORDER, REGION = "processes/base/plan.yaml", "processes/base/mall_order.yaml", "regions/neimenggu.yaml"
BOOK = processes.load()


@dataclass(frozen=True)
class Broken:
    """One mistake: `old` becomes `new` in `file`; the report names the line of `at` and holds `says`."""

    id: str
    file: str
    old: str
    new: str
    at: str
    says: str


DEAD = """  lost:
    label: 无底洞
    type: work
    lane: 采购单位
    actors: [{role: handler, of: unit}]
  void:
"""
CASES = [
    Broken(**{"at": "", **case})
    for case in yaml.safe_load(Path(__file__).with_name("broken_processes.yaml").read_text(encoding="utf-8"))
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two kinds and one small region: what other regions overlay must not hide what is wrong in a base."""
    copy = tmp_path / "data"
    for name in (PLAN, ORDER):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(processes.DATA / name, copy / name)
    (copy / REGION).parent.mkdir()
    shutil.copyfile(Path(__file__).with_name("small_region.yaml"), copy / REGION)
    return copy


def edit(file: Path, old: str, new: str) -> str:
    text = file.read_text(encoding="utf-8")
    assert old in text
    text = text.replace(old, new, 1)
    file.write_text(text, encoding="utf-8")
    return text


def problems(data: Path) -> list[str]:
    with pytest.raises(DataError) as caught:
        processes.load(data)
    return caught.value.problems


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_mistake_is_reported_with_its_file_and_line(case: Broken, data: Path) -> None:
    text = edit(data / case.file, case.old, case.new)
    found = [problem for problem in problems(data) if case.says in problem]
    assert found, problems(data)
    file, number, _ = found[0].split(":", 2)
    assert file == str(data / case.file)
    start = text.index(case.at or case.new)
    first, last = text[:start].count("\n") + 1, text[: start + len(case.at or case.new)].count("\n") + 1
    assert first <= int(number) <= last, (found[0], first, last)


def test_all_mistakes_of_all_files_come_together(data: Path) -> None:
    edit(data / ORDER, "cost: public", "cost: publik")
    edit(data / PLAN, "    actors: [{role: reviewer, of: unit}]\n    funds: frozen", "    funds: frozen")
    edit(data / PLAN, "void: [void]", "void: [gone]")
    (data / "regions/other.yaml").write_text("region: other\nlabel: 其他\ncolour: red\n", encoding="utf-8")
    text = "\n".join(problems(data))
    for part in ("cost", "“void”提到不存在的节点“gone”", "colour: 不认识的键"):
        assert part in text
    assert text.count(str(data)) == len(problems(data))


def test_all_mistakes_of_one_file_come_together(data: Path) -> None:
    """A key nobody knows and one given twice do not hide the node without anyone and the one nothing leads to."""
    edit(data / PLAN, "    actors: [{role: reviewer, of: unit}]\n    funds: frozen", "    funds: frozen")
    edit(data / PLAN, "\nnodes:\n", "\ncolour: red\nlabel: 又一个\nnodes:\n" + DEAD.removesuffix("  void:\n"))
    edit(data / PLAN, "    editable: true\n    funds", "    editible: true\n    funds")
    edit(data / REGION, "label: ", "shade: red\nlabel: ")
    text = "\n".join(problems(data))
    for part in ("colour: 不认识的键", "键“label”重复出现", "nodes.entry.editible: 不认识的键", "shade: 不认识的键",
                 "节点“lost”从起点走不到", "节点“unit_second”没有办理人"):  # fmt: skip
        assert part in text


def test_a_dead_node_is_found(data: Path) -> None:
    """A node that can be reached and never left: neither editable nor an end."""
    edit(data / PLAN, "  void:\n", DEAD)
    edit(data / PLAN, "to: filed\n    guards", "to: lost\n    guards")
    text = "\n".join(problems(data))
    assert "节点“lost”既到不了可修改，也到不了终点" in text


def test_a_kind_that_only_acts_make_has_an_act_that_makes_it(data: Path) -> None:
    edit(data / ORDER, "alone: false\n", "made: 由别的单据生成\n")
    assert any("mall_order] 只能由别的单据生成（made），却没有动作生成它" in one for one in problems(data))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("nodes: [despatched]", "上级单据“plan”没有节点 despatched"),
        ("variants: [mail]", "上级单据“plan”没有类别 mail"),
        ("variant_in: method_of_old", "上级单据“plan”没有字段“method_of_old”（variant_in）"),
        ("own: [oders]", "parents 的 own 提到不存在的类别“oders”"),
    ],
)
def test_what_a_kind_says_of_the_documents_above_it_is_there(wrong: str, says: str, data: Path) -> None:
    edit(
        data / REGION, "  mall_order: []", f"  mall_order:\n    - set: {{parents: [{{kind: plan, {wrong}}}]}}"
    )
    assert any(says in one for one in problems(data))


def test_the_documents_that_a_form_asks_for_are_there(data: Path) -> None:
    asked = "{id: basis, label: 依据, type: document, kinds: [plan, lease], nodes: [filed, despatched]}"
    edit(data / REGION, "  mall_order: []", f"  mall_order:\n    - add_field: {asked}")
    assert {one.partition("] ")[2] for one in problems(data)} == {
        "字段“basis”要选的单据“lease”不存在", "字段“basis”要选的单据没有节点“despatched”",
    }  # fmt: skip


def test_money_spent_is_never_promised_again(data: Path) -> None:
    edit(data / PLAN, "lane: 交易执行\n    actors: [{role: handler, of: unit}, {role: agency, of: agency}]\n    funds: used",
         "lane: 交易执行\n    actors: [{role: handler, of: unit}, {role: agency, of: agency}]\n    funds: frozen")  # fmt: skip
    assert any("“dispatched”的资金不能从“used”变成“frozen”" in problem for problem in problems(data))


@pytest.mark.parametrize("file", [PLAN, REGION])
def test_the_same_thing_in_two_files_is_a_mistake(file: str, data: Path) -> None:
    original = data / file
    shutil.copyfile(original, original.with_name("again.yaml"))
    assert any("重复" in problem for problem in problems(data))


@pytest.mark.parametrize("process", BOOK.processes.values(), ids=lambda p: f"{p.kind}-{p.variant}")
class TestEveryProcess:
    def test_an_end_and_something_lawful_can_be_reached_from_everywhere(self, process: Process) -> None:
        edges = graph.edges(process)
        ends = {node.id for node in process.nodes.values() if node.type is NodeType.END}
        editable = {node.id for node in process.nodes.values() if node.editable}
        for node in process.nodes:
            assert graph.reachable(edges, node) & (ends | editable)
        assert graph.reachable(edges, process.start) == set(process.nodes)

    def test_a_kept_version_is_the_same_to_the_last_thing(self, process: Process) -> None:
        again = process_build.restore(process_build.dump(process))
        assert vars(again).keys() >= {"nodes", "actions"}
        for name in ("region", "kind", "variant", "label", "variant_label", "version", "start", "nodes", "actions",
                     "goals", "finish", "words", "form", "parents", "alone", "made", "inherits", "prefix", "menu"):  # fmt: skip
            assert getattr(again, name) == getattr(process, name)

    def test_a_kept_version_keeps_its_order(self, process: Process) -> None:
        """The order says which way is the main one, and so how the flow is drawn."""
        again = process_build.restore(process_build.dump(process))
        assert graph.main_line(again) == graph.main_line(process)
        assert list(again.actions) == list(process.actions)
        assert list(again.nodes) == list(process.nodes)

    def test_everybody_reads_what_a_node_means(self, process: Process) -> None:
        assert all(node.help for node in process.nodes.values())
        assert len({node.label for node in process.nodes.values()}) == len(process.nodes)

    def test_it_goes_through_once_on_its_main_line(self, process: Process) -> None:
        line = graph.main_line(process)
        assert line[0] == process.start
        assert line[-1] in process.finish


@pytest.mark.covers("nm-8")
@pytest.mark.parametrize("variant", ["mall", "project", "direct"])
def test_the_chain_of_the_region(variant: str) -> None:
    process = BOOK.get("neimenggu", "plan", variant)
    line = [process.node(node).label for node in graph.main_line(process)]
    assert line[:9] == [
        "计划录入", "采购单位初审", "采购单位复审", "主管单位审核", "业务科室初审", "业务科室复审",
        "采购监管初审", "采购监管复审", "已办结（待备案）",
    ]  # fmt: skip
    assert line[9:] == (["已备案"] if variant == "direct" else ["已备案", "已下达"])
    assert process.node("void").funds is Funds.FREE


def test_a_change_makes_another_version(data: Path) -> None:
    same = processes.load(data).get("neimenggu", "plan", "mall").version
    processes.book.cache_clear()
    assert processes.load(data).get("neimenggu", "plan", "mall").version == same
    edit(data / PLAN, "label: 送审", "label: 提交")
    processes.book.cache_clear()
    assert processes.load(data).get("neimenggu", "plan", "mall").version != same


def test_a_word_of_the_region(data: Path) -> None:
    edit(data / REGION, "  plan:\n", "  plan:\n    - rename: {number: 计划文号}\n")
    process = processes.load(data).get("neimenggu", "plan", "mall")
    assert process.word("number") == "计划文号"
    assert process.word("unknown") == "unknown"


def test_what_is_not_there_names_what_is() -> None:
    with pytest.raises(NotFoundError) as caught:
        BOOK.get("neimenggu", "plan", "lease")
    assert caught.value.code == "no_such_process"
    assert "电子卖场采购计划" in caught.value.message
    assert "neimenggu" not in caught.value.message  # said to people, who know no ids
