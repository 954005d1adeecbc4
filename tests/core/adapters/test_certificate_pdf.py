import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pyhanko.pdf_utils.reader import PdfFileReader

from core.adapters.certificate_pdf import SEAL_BOX, capital_amount, render
from core.adapters.pdf_fonts import runs
from core.adapters.seal_stamp import stamp
from core.domain.errors import InvalidError
from core.service.sealing_ports import (
    CertificateIndicator,
    CertificateLine,
    CertificateReview,
    FilingCertificate,
)
from tests.support.need import program

AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
LINE = CertificateLine("台式计算机", "A02010104", Decimal("12.50"), "台", 560_000, 7_000_000)


def certificate(lines: int = 2, name: str = "台式计算机", **changes: object) -> FilingCertificate:
    plain = FilingCertificate(
        region="内蒙古自治区",
        heading="采购计划备案书",
        plan_number="NM-2026-0001",
        title="教学设备采购",
        unit="河湾示例区第三中学",
        kind="项目采购",
        lines=[replace(LINE, name=f"{name}{number}") for number in range(1, lines + 1)],
        indicators=[CertificateIndicator("2026-001", "公用经费", 7_000_000 * lines)],
        total_fen=7_000_000 * lines,
        reviewers=[CertificateReview("单位初审", "赵某某", AT)],
        created_at=AT,
    )
    return replace(plain, **changes)


def text_of(pdf: bytes, path: Path) -> list[str]:
    """The text of each page."""
    path.write_bytes(pdf)
    tool = program("pdftotext", "poppler-utils")
    done = subprocess.run([tool, "-layout", str(path), "-"], check=True, capture_output=True, text=True)
    return done.stdout.split("\f")[:-1]


# 支付结算办法 annex 1 gives the first six as examples.
@pytest.mark.parametrize(
    ("fen", "words"),
    [
        (140_950, "壹仟肆佰零玖元伍角"),
        (600_714, "陆仟零柒元壹角肆分"),
        (168_032, "壹仟陆佰捌拾元零叁角贰分"),
        (10_700_053, "壹拾万柒仟元零伍角叁分"),
        (1_640_902, "壹万陆仟肆佰零玖元零贰分"),
        (32_504, "叁佰贰拾伍元零肆分"),
        (0, "零元整"),
        (5, "伍分"),
        (30, "叁角"),
        (100, "壹元整"),
        (10_001_000_000, "壹亿零壹万元整"),
        (100_000_000_000_000, "壹万亿元整"),
    ],
)
def test_capital_amounts(fen: int, words: str) -> None:
    assert capital_amount(fen) == words


def read_back(words: str) -> int:
    """Fen of a capital amount, by adding up what is read: shares nothing with the code under test."""
    total = section = digit = 0
    for char in words:
        if char in "零壹贰叁肆伍陆柒捌玖":
            digit = "零壹贰叁肆伍陆柒捌玖".index(char)
        elif char in "拾佰仟":
            section += digit * 10 ** ("拾佰仟".index(char) + 1)
            digit = 0
        elif char == "万":
            total, section, digit = total + (section + digit) * 10**4, 0, 0
        elif char == "亿":
            total, section, digit = (total + section + digit) * 10**8, 0, 0
        elif char == "元":
            total, section, digit = (total + section + digit) * 100, 0, 0
        elif char in "角分":
            total, digit = total + digit * (10 if char == "角" else 1), 0
    return total


@given(st.one_of(st.integers(0, 10**18 - 1), st.integers(0, 10**9)))
def test_a_capital_amount_reads_back_as_the_same_money(fen: int) -> None:
    words = capital_amount(fen)
    assert read_back(words) == fen
    assert "零零" not in words
    assert words.endswith("整") == (fen % 100 == 0)
    if fen >= 100:
        assert not words.startswith("零")


@given(st.one_of(st.integers(max_value=-1), st.integers(min_value=10**18)))
def test_money_out_of_range_has_no_capital_amount(fen: int) -> None:
    with pytest.raises(InvalidError) as caught:
        capital_amount(fen)
    assert caught.value.code == "amount"


def test_equal_certificates_give_equal_bytes() -> None:
    assert render(certificate()) == render(certificate())
    assert render(certificate()) != render(certificate(title="教学设备采购（二）"))


def fonts_of(pdf: bytes) -> dict[str, bool]:
    """Name of every font the pages name → whether its file is embedded."""
    root = PdfFileReader(BytesIO(pdf)).root
    found = {}
    for page in root["/Pages"]["/Kids"]:
        for font in page.get_object()["/Resources"]["/Font"].values():
            names = font.get_object()
            embedded = "/FontDescriptor" in names and "/FontFile2" in names["/FontDescriptor"]
            found[str(names["/BaseFont"])] = embedded
    return found


def test_every_font_is_embedded_as_a_subset() -> None:
    pdf = render(certificate(title="显示器“甲”级 21×9 — ±5℃ ①"))
    fonts = fonts_of(pdf)
    assert all(fonts.values())
    assert all(name[7] == "+" for name in fonts)
    assert {name[8:] for name in fonts} == {"DroidSansFallback", "BitstreamVeraSans-Roman"}
    assert len(pdf) < 200_000


def test_the_seal_embeds_its_font_too() -> None:
    assert all(fonts_of(stamp("河湾示例区第三中学", "公章", AT, (130, 153))).values())


def test_everything_of_the_plan_is_printed(tmp_path: Path) -> None:
    (page,) = text_of(render(certificate()), tmp_path / "a.pdf")
    for words in (
        "采购计划备案书",
        "内蒙古自治区",
        "NM-2026-0001",
        "教学设备采购",
        "河湾示例区第三中学",
        "项目采购",
        "台式计算机2",
        "A02010104",
        "12.5",
        "5,600.00",
        "70,000.00",
        "140,000.00",
        "壹拾肆万元整",
        "2026-001",
        "公用经费",
        "单位初审",
        "赵某某",
        "2026-03-02 09:30",
        "第 1 页，共 1 页",
    ):
        assert words in page


def test_a_long_list_flows_with_its_header_and_page_numbers(tmp_path: Path) -> None:
    pages = text_of(render(certificate(120)), tmp_path / "a.pdf")
    assert len(pages) > 3
    for number, page in enumerate(pages, start=1):
        assert f"第 {number} 页，共 {len(pages)} 页" in page
        if "台式计算机" in page:
            assert "品目编码" in page
    assert "台式计算机1 " in pages[0]
    assert sum(page.count("台式计算机") for page in pages) == 120


@pytest.mark.parametrize("lines", [0, 1, 11, 14, 17, 60])
def test_the_place_of_the_seal_is_free_on_the_last_page(lines: int, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(render(certificate(lines)))
    tool = program("pdftoppm", "poppler-utils")
    subprocess.run([tool, "-r", "72", "-png", tmp_path / "a.pdf", tmp_path / "p"], check=True)
    last = max(tmp_path.glob("p-*.png"))
    with Image.open(last) as page:
        left, bottom, right, top = SEAL_BOX
        box = (int(left), int(page.height - top) + 1, int(right), int(page.height - bottom))
        assert page.convert("L").crop(box).getextrema() == (255, 255)
        assert page.convert("L").crop((60, box[1], int(left), box[3])).getextrema()[0] < 128


def test_a_cell_taller_than_a_page_is_split(tmp_path: Path) -> None:
    pages = text_of(render(certificate(1, name="长" * 2000)), tmp_path / "a.pdf")
    assert sum(page.count("长") for page in pages) == 2000


def test_mark_up_is_printed_not_obeyed(tmp_path: Path) -> None:
    title = '<b>&amp;</b><img src="file:///etc/passwd"/>'
    (page,) = text_of(render(certificate(title=title)), tmp_path / "a.pdf")
    assert title in page


def test_a_character_without_a_glyph_is_printed_as_its_code_point() -> None:
    assert "".join(piece for _, piece in runs("陈𬭎·①℃")) == "陈[U+2CB4E]·(1)°C"


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=80))
def test_any_words_can_be_printed(words: str) -> None:
    assert render(certificate(title=words, unit=words)).startswith(b"%PDF-")


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="timezone-aware"):
        render(certificate(created_at=AT.replace(tzinfo=None)))
