"""Every fault of a content folder is named with its file and line, all in one go."""

import re

import pytest

from core.domain.errors import DataError, NotFoundError
from kb import open_library
from kb.loader import load_all
from tests.kb.made_up import entry_data

NODES = {"plan": ["entry", "completed"]}
PROBES = ["clock"]


def two(**changes: object) -> dict[str, dict[str, object]]:
    """A good entry `b` and an entry `a` with `changes`."""
    return {"a": entry_data("a", "盖章", **changes), "b": entry_data("b", "付款")}


def phrases(*texts: str) -> dict[str, list[str]]:
    return {"short": [*texts, *(f"盖章第{number}问" for number in range(20))]}


FAULTS = {
    "unknown key": (two(tile="x"), "a.yaml", "不认识的键"),
    "missing key": (
        {"a": {k: v for k, v in entry_data("a", "盖章").items() if k != "short"}},
        "a.yaml",
        "缺少",
    ),
    "unknown voice": (two(phrasings={"loud": ["喂"]}), "a.yaml", "不认识的键"),
    "dead link": (two(links=["nowhere"]), "a.yaml", "链接“nowhere”没有对应的条目"),
    "link to itself": (two(links=["a"]), "a.yaml", "指向了自己"),
    "dead neighbour": (two(**{"not": [{"topic": "gone", "difference": "x"}]}), "a.yaml", "链接“gone”"),
    "id is not the file": (two(id="c"), "a.yaml", "与文件名“a”不一致"),
    "region is not the folder": (two(region="there"), "a.yaml", "与文件夹“here”不一致"),
    "duplicate id": (two(id="b"), "b.yaml", "id“b”已在"),
    "phrasing of two topics": (two(phrasings=phrases("怎么付款？")), "b.yaml", "已在"),
    "phrasing twice": (two(phrasings=phrases("盖 章第1问")), "a.yaml", "已在"),
    "empty phrasing": (two(phrasings=phrases("？？")), "a.yaml", "问法是空的"),
    "few phrasings": (two(phrasings={"short": ["盖章"]}), "a.yaml", "至少要 20 种"),
    "three sentences": (two(short="先开。再点。后存。"), "a.yaml", "有 3 句"),
    "long short": (two(short="长" * 121), "a.yaml", "最多 120 字"),
    "long title": (two(title="长" * 25), "a.yaml", "最多 24 字"),
    "unknown node": (
        two(cases=[{"when": "x", "state": ["nirvana"], "steps": ["y"]}]),
        "a.yaml",
        "没有节点“nirvana”",
    ),
    "unknown probe": (two(probes=["crystal"]), "a.yaml", "没有名为“crystal”的检测项"),
    "goal and action": (
        two(operation={"kind": "plan", "goal": "void", "action": "x"}),
        "a.yaml",
        "goal 或 action",
    ),
    "neither": (two(operation={"kind": "plan"}), "a.yaml", "goal 或 action"),
    "no case": (two(cases=[]), "a.yaml", "cases"),
    "no source": (two(sources=[]), "a.yaml", "sources"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_named_with_file_and_line(content, fault):
    entries, file, sentence = FAULTS[fault]
    with pytest.raises(DataError) as caught:
        load_all(content(entries), nodes=NODES, probes=PROBES)
    named = [line for line in caught.value.problems if sentence in line]
    assert named, caught.value.problems
    assert any(re.search(rf"{re.escape(file)}:\d+: ", line) for line in named)


def test_a_faultless_folder_loads(content):
    library = load_all(content(two()), nodes=NODES, probes=PROBES)
    assert sorted(library.entries) == [("here", "a"), ("here", "b")]
    assert library.entry("here", "a").cases[0].steps == ("打开盖章", "保存")


def test_all_mistakes_come_together(content):
    folder = content(two(links=["nowhere"], short="一。二。三。") | {"c": {"id": "c"}})
    (folder / "here" / "d.yaml").write_text("id: d\nid: e\n", "utf-8")
    (folder / "negatives.yaml").write_text("near: [怎么付款]\nfarr: []\n", "utf-8")
    with pytest.raises(DataError) as caught:
        load_all(folder)
    text = "\n".join(caught.value.problems)
    for part in ("nowhere", "3 句", "c.yaml", "d.yaml:2: 键“id”重复出现", "negatives.yaml:2"):
        assert part in text


def test_line_is_the_line_of_the_mistake(content):
    folder = content(two())
    file = folder / "here" / "a.yaml"
    lines = file.read_text("utf-8").splitlines()
    lines.append("links: [b]" if "links: []" not in lines else "fails: []")
    lines.append("colour: red")
    file.write_text("\n".join(lines), "utf-8")
    with pytest.raises(DataError) as caught:
        load_all(folder)
    assert caught.value.problems == [f"{file}:{len(lines)}: colour: 不认识的键"]


def test_a_negative_may_not_be_a_phrasing(content):
    folder = content(two(), negatives={"near": ["什么是盖章", "怎么付款！"]})
    with pytest.raises(DataError) as caught:
        load_all(folder)
    assert len(caught.value.problems) == 1
    assert "negatives.yaml:3" in caught.value.problems[0]


def test_nodes_of_a_kind_without_process_may_be_any_kinds(content):
    operation = {"kind": "certificate", "action": "bind"}
    assert load_all(content(two(operation=operation)), nodes=NODES).entries


def test_lexicon_lines(content):
    folder = content(two())
    (folder / "lexicon.txt").write_text("# 词\n备案书 100\n取消采购\n取消采购\n两个 词\n", "utf-8")
    with pytest.raises(DataError) as caught:
        load_all(folder)
    assert caught.value.problems == [f"{folder / 'lexicon.txt'}:5: 词典一行应为“词 [词频]”，词里不能有空格"]


def test_an_empty_folder_is_a_mistake(tmp_path):
    with pytest.raises(DataError, match="没有找到任何知识条目"):
        open_library(tmp_path)


def test_digest_follows_content_but_not_thresholds(content):
    before = load_all(content(two())).digest
    assert load_all(content(two(), thresholds={"answer": 1})).digest == before
    assert load_all(content(two(short="换了一句。"))).digest != before


def test_unknown_region_and_topic_are_not_found(library):
    with pytest.raises(NotFoundError, match="nm-999"):
        library.entry("neimenggu", "nm-999")
    with pytest.raises(NotFoundError, match="atlantis"):
        library.of_region("atlantis")


def test_entries_are_frozen(library):
    entry = library.entry("neimenggu", "nm-2")
    with pytest.raises(ValueError, match="frozen"):
        entry.title = "x"


def test_the_projects_own_entries(library):
    assert len(library.of_region("neimenggu")) == 33
    for entry in library.entries.values():
        assert {voice for voice, _, _ in entry.phrasings.items()} >= {"short", "story", "spoken"}, entry.id
