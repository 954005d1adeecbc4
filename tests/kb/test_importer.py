from datetime import date

import pytest
from openpyxl import Workbook

from core.adapters.yaml_reader import read
from core.domain.errors import DataError
from kb.importer import preview, read_file, write_drafts

CSV = "主题,问题,答案,步骤,问法\nnm-2,计划录错了，怎么改,改了,,怎么把录岔的计划捞回来\n"
MARKDOWN = """# 常见问题

## 电子发票怎么归集 {x-1}
打开发票页面。
点归集。

**步骤**
1. 打开
2. 归集

问法：
- 发票归集在哪
- 怎么归集发票

## 计划录错了，怎么改 {nm-2}
- 先追踪
"""


def written(tmp_path, name, data):
    file = tmp_path / name
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    return file


def test_markdown_sections(tmp_path):
    first, second = read_file(written(tmp_path, "f.md", MARKDOWN))
    assert (first.topic, first.title, first.answer) == ("x-1", "电子发票怎么归集", "打开发票页面。点归集。")
    assert first.steps == ["打开", "归集"]
    assert first.phrasings == ["发票归集在哪", "怎么归集发票"]
    assert (second.line, second.topic, second.answer) == (15, "nm-2", "- 先追踪")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_in_the_encodings_of_offices(tmp_path, encoding):
    text = '问题,答案,问法\n"计划录错了，怎么改",改,"问一|问二\n问三"\n,,\n'
    (draft,) = read_file(written(tmp_path, "f.csv", text.encode(encoding)))
    assert (draft.title, draft.phrasings) == ("计划录错了，怎么改", ["问一", "问二", "问三"])


def test_xlsx(tmp_path):
    book = Workbook()
    for row in (
        ["ID", "问题", "答案", "问法"],
        ["nm-5", "账号", 1501, "问一\n问二"],
        [None, None, None, None],
    ):
        book.active.append(row)
    book.save(tmp_path / "f.xlsx")
    (draft,) = read_file(tmp_path / "f.xlsx")
    assert (draft.topic, draft.answer, draft.phrasings) == ("nm-5", "1501", ["问一", "问二"])


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("f.pdf", b"x", "只能导入"),
        ("f.xlsx", b"not a zip", "不是有效的 XLSX"),
        ("f.csv", b"a,b\n1,2\n", "缺少列"),
        ("f.csv", b"", "缺少列"),
        ("f.csv", b"\xff\xfe\x00\x81", "编码"),
        ("f.md", b"only text", "没有找到"),
    ],
)
def test_unusable_files_say_why(tmp_path, name, data, sentence):
    with pytest.raises(DataError, match=sentence):
        read_file(written(tmp_path, name, data))


def test_preview_sorts_new_changed_same_and_doubtful(tmp_path, library, retriever):
    entry = library.entry("neimenggu", "nm-5")
    lines = [
        "主题,问题,答案,问法",
        f'nm-5,"{entry.title}","{entry.short}",',
        f'nm-5,"{entry.title}",另一个答案,一种没人写过的问账号的话',
        "x-1,怎么申请食堂饭卡,去后勤,饭卡哪里办",
        "x-2,我的采购计划录错了应该怎么改,改,",
        "x-3,,没有问题,",
        "x-4,量子通信项目申报,看通知,计划录错了",
    ]
    drafts = read_file(written(tmp_path, "f.csv", "\n".join(lines)))
    found = preview(drafts, "neimenggu", library, retriever)
    assert [one.state for one in found[2:]] == ["new", "doubtful", "doubtful", "doubtful"]
    assert found[0].state == "same"
    assert "答案与现有的不同" in found[1].reasons
    assert any("nm-2" in reason for reason in found[3].reasons)
    assert "没有问题" in found[4].reasons
    assert any("已是 nm-2 的问法" in reason for reason in found[5].reasons)


def test_a_file_that_counts_its_own_questions_overwrites_nothing(tmp_path, library, retriever):
    text = "问题1：打印机没墨了怎么办\n答：报修。\n问题5：单位账号是多少，怎么查\n答：尾号 01 和 02。\n"
    other, own = preview(read_file(written(tmp_path, "f.txt", text)), "neimenggu", library, retriever)
    assert (other.state, own.state) == ("doubtful", "changed")
    assert any("nm-1" in reason and "不像" in reason for reason in other.reasons)


def test_drafts_are_yaml_and_never_overwrite(tmp_path, library, retriever):
    drafts = read_file(written(tmp_path, "f.md", MARKDOWN))
    found = preview(drafts, "neimenggu", library, retriever)
    files = write_drafts(found, "neimenggu", tmp_path / "out", date(2026, 1, 2))
    body = read(files[0]).value
    assert body["id"] == "x-1"
    assert body["since"] == date(2026, 1, 2)
    assert body["cases"][0]["steps"] == ["打开", "归集"]
    with pytest.raises(DataError, match="已经存在"):
        write_drafts(found, "neimenggu", tmp_path / "out", date(2026, 1, 2))


def test_a_name_from_the_file_never_leaves_the_folder(tmp_path, library, retriever):
    drafts = read_file(written(tmp_path, "f.csv", "id,问题,答案\n../../evil,怎么申请食堂饭卡,去后勤\n"))
    found = preview(drafts, "neimenggu", library, retriever)
    assert found[0].state == "doubtful"
    (file,) = write_drafts(found, "neimenggu", tmp_path / "out", date(2026, 1, 2))
    assert file == tmp_path / "out" / "neimenggu" / "draft-1.yaml"
