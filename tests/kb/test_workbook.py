"""Out to a workbook and back: nothing is lost, nothing is calculated, mistakes are named with their rows."""

import io
import re
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from core.domain.errors import DataError
from kb import Entry
from kb.workbook import export, is_export, read
from tests.kb.made_up import entry_data

FILE = Path("f.xlsx")
texts = st.text(st.characters(blacklist_categories=["Cc", "Cs"]), min_size=1, max_size=12)
lists = st.lists(texts, max_size=3)


@st.composite
def entries(draw):
    case = st.builds(
        lambda when, steps: {"when": when, "state": ["entry"], "steps": steps},
        texts,
        st.lists(texts, min_size=1, max_size=3),
    )
    return Entry.model_validate(
        entry_data(
            "a",
            "盖章",
            title=draw(texts),
            short=draw(texts),
            cases=draw(st.lists(case, min_size=1, max_size=3)),
            fails=draw(lists),
            keywords=draw(lists),
            sources=draw(st.lists(texts, min_size=1, max_size=2)),
            phrasings={"short": draw(lists), "mixed": draw(lists)},
            operation=draw(
                st.sampled_from([None, {"kind": "plan", "goal": "void"}, {"kind": "a", "action": "b"}])
            ),
        )
        | {"not": [{"topic": "b", "difference": text} for text in draw(lists)]}
    )


@settings(max_examples=40, deadline=None)
@given(entry=entries())
def test_any_entry_comes_back_as_it_was(entry):
    assert read(FILE, export([entry])) == [entry]


def test_the_projects_own_entries_come_back_as_they_were(library):
    data = export(library.entries.values())
    assert is_export(FILE, data)
    assert read(FILE, data) == list(library.entries.values())


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://a.example")', "'=1", "\t=1"]
)
def test_nothing_becomes_a_formula(text):
    entry = Entry.model_validate(entry_data("a", "盖章", title=text))
    data = export([entry])
    cell = load_workbook(io.BytesIO(data))["条目"]["C2"]
    assert (cell.data_type, cell.value, cell.quotePrefix) == ("s", text, True)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheets = [archive.read(name).decode() for name in archive.namelist() if "worksheets/" in name]
    assert not any(re.search(r"<f[ >]", sheet) for sheet in sheets)
    assert read(FILE, data) == [entry]


def test_what_cannot_stand_in_a_cell_is_refused():
    for text in ("a\x07b", "长" * 40_000):
        with pytest.raises(DataError, match="放不进表格"):
            export([Entry.model_validate(entry_data("a", "盖章", title=text))])


def changed(change) -> bytes:
    entry = Entry.model_validate(entry_data("a", "盖章"))
    book = load_workbook(io.BytesIO(export([entry])))
    change(book)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


FAULTS = {
    "wrong header": (lambda book: book["问法"].__setitem__("B1", "声音"), "f.xlsx:1: 工作表“问法”"),
    "unknown voice": (lambda book: book["问法"].__setitem__("B3", "loud"), "f.xlsx:3: 问法: 语气“loud”"),
    "unknown topic": (
        lambda book: book["步骤"].__setitem__("A2", "zz"),
        "f.xlsx:2: 步骤: “条目”里没有编号“zz”",
    ),
    "unknown item": (lambda book: book["其他"].__setitem__("B2", "colour"), "f.xlsx:2: 其他: 项“colour”"),
    "no date": (lambda book: book["条目"].__setitem__("E2", "soon"), "f.xlsx:2: since: 应为日期"),
    "twice": (lambda book: book["条目"].append([cell.value for cell in book["条目"][2]]), "编号“a”重复出现"),
    "two names of a case": (
        lambda book: book["步骤"].__setitem__("C3", "别的"),
        "f.xlsx:3: 步骤: 情形 1 的说法不一致",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_named_with_its_row(fault):
    change, sentence = FAULTS[fault]
    with pytest.raises(DataError) as caught:
        read(FILE, changed(change))
    assert any(sentence in problem for problem in caught.value.problems), caught.value.problems


def test_another_workbook_is_not_taken_for_an_export():
    stream = io.BytesIO()
    Workbook().save(stream)
    assert not is_export(FILE, stream.getvalue())
