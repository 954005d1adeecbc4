"""Made-up texts in the forms that manuals and FAQ lists have, and hostile word-processor files."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.errors import DataError
from kb import documents
from kb.documents import text_drafts
from kb.importer import preview, read_file

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
NUMBERED = """欢迎使用
问题1：食堂怎么走？
答：出门左转。
[image: ]

问题1-1：饭卡丢了怎么办
（1）、先挂失。
（2）、再补办。
问题2：只有一张图
[image: ]
"""
ASKED = """某平台常见问题
账号管理
问题：怎么换手机号？
解答：请按下面做：
1. 打开设置。
2. 点击更换。

问题：多久生效？
解答：马上。
"""
CHAPTERS = """ [bookmark: _Toc1]第一章：食堂管理
[bookmark: _Toc2]1.1 菜单查询
可以查一周的菜单
1.2 订餐
第一步：选日期。
步骤二：点【提交】。
1.2.1 退订[bookmark: _Toc3]
随时可退。
3.5 米长的桌子放在二楼，来的人要自己带椅子，排队的时候不要大声说话，也不要插队，谢谢大家的配合，祝各位用餐愉快啊
"""
MANUAL = """某系统操作手册

订餐功能

操作步骤说明
在【订餐】里点【增加】。
注：

退订功能
操作说明：
点【退订】。
"""


def drafts(text):
    return [(one.number, one.title, one.answer, one.steps) for one in text_drafts(text)]


def test_numbered_questions():
    assert drafts(NUMBERED) == [
        ("1", "食堂怎么走？", "出门左转。", []),
        ("1-1", "饭卡丢了怎么办", "", ["先挂失。", "再补办。"]),
        ("2", "只有一张图", "", []),
    ]


def test_unnumbered_questions_with_numbered_steps():
    assert drafts(ASKED) == [
        ("", "怎么换手机号？", "请按下面做：", ["打开设置。", "点击更换。"]),
        ("", "多久生效？", "马上。", []),
    ]


def test_numbered_chapters():
    found = drafts(CHAPTERS)
    assert [one[:2] for one in found] == [("1.1", "菜单查询"), ("1.2", "订餐"), ("1.2.1", "退订")]
    assert found[1][3] == ["选日期。", "点【提交】。"]
    assert found[2][2].startswith("随时可退。\n3.5 米长")


def test_titles_over_the_words_for_how_to_do_it():
    assert [one[1:3] for one in drafts(MANUAL)] == [
        ("订餐功能", "在【订餐】里点【增加】。\n注："),
        ("退订功能", "点【退订】。"),
    ]


@given(st.text(max_size=400))
def test_any_text_is_read_without_fail(text):
    for one in text_drafts(text):
        assert one.title


def test_the_files_number_finds_the_regions_topic(tmp_path, library, retriever):
    file = tmp_path / "f.txt"
    file.write_text("问题3-1：怎么退\n答：请代理退。\n问题99：没有的\n答：无。\n", "utf-8")
    first, second = preview(read_file(file), "neimenggu", library, retriever)
    assert (first.draft.topic, first.state) == ("nm-3-1", "changed")
    assert second.draft.topic == ""


def paragraph(text, style=""):
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{properties}<w:r><w:t>{text}</w:t></w:r></w:p>"


def docx(body, *, doctype="", **parts):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        document = f'<?xml version="1.0"?>{doctype}<w:document {W}><w:body>{body}</w:body></w:document>'
        archive.writestr("word/document.xml", document)
        for name, data in parts.items():
            archive.writestr(f"word/{name.replace('_', '.')}", data)
    return stream.getvalue()


def read_docx(tmp_path, data):
    file = tmp_path / "f.docx"
    file.write_bytes(data)
    return read_file(file)


def test_docx_with_headings(tmp_path):
    body = (
        paragraph("食堂怎么走", "Heading1")
        + "<w:p><w:r><w:t>出门</w:t></w:r><w:del><w:r><w:delText>右</w:delText></w:r></w:del><w:r><w:t>左转</w:t></w:r></w:p>"
        + paragraph("问法：")
        + paragraph("- 饭堂在哪")
        + paragraph("2.1 饭卡", "2")
        + paragraph("到窗口办")
    )
    first, second = read_docx(tmp_path, docx(body))
    assert (first.title, first.answer, first.phrasings) == ("食堂怎么走", "出门左转", ["饭堂在哪"])
    assert (second.number, second.title, second.answer) == ("2.1", "饭卡", "到窗口办")


def test_docx_in_the_forms_of_plain_text_and_with_a_table(tmp_path):
    row = f"<w:tr><w:tc>{paragraph('周一')}</w:tc><w:tc>{paragraph('面条')}</w:tc></w:tr>"
    body = "".join(map(paragraph, ["问题1：吃什么", "答：看下表"])) + f"<w:tbl>{row}</w:tbl>"
    (draft,) = read_docx(tmp_path, docx(body))
    assert (draft.number, draft.title, draft.answer) == ("1", "吃什么", "看下表\n周一\t面条")


BOMB = '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]>'
OUTSIDE = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"no zip", "不是有效的 DOCX"),
        (docx(paragraph("&c;"), doctype=BOMB), "不是有效的 DOCX"),
        (docx(paragraph("&b;"), doctype=OUTSIDE), "不是有效的 DOCX"),
        (docx("<w:p>"), "不是有效的 DOCX"),
        (docx(paragraph("问题1：x"), vbaProject_bin=b"x"), "文件里有宏"),
        (docx(paragraph("没有问题的文件")), "没有找到问题和答案"),
    ],
)
def test_hostile_and_useless_files_are_refused(tmp_path, data, sentence):
    with pytest.raises(DataError, match=sentence):
        read_docx(tmp_path, data)


@pytest.mark.parametrize("name", ["f.docx", "f.xlsx"])
def test_a_zip_bomb_is_not_unpacked(tmp_path, monkeypatch, name):
    monkeypatch.setattr(documents, "MAX_UNPACKED", 1_000_000)
    file = tmp_path / name
    file.write_bytes(docx(paragraph("问题1：x"), media_bin=b"0" * 2_000_000))
    assert file.stat().st_size < 100_000
    with pytest.raises(DataError, match="解开后太大"):
        read_file(file)
