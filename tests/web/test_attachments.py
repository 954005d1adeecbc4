"""Files: checked, kept by content, and given only to who may see the document that names them."""

import hashlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from core.domain.forms import Field, FieldType
from core.service import attachments, dossier
from core.service.system import System
from tests.web.conftest import HANDLER, OTHER, REVIEWER, Browser, account_of
from tests.web.own_form import add_fields
from tests.web.uploads import send

PDF = b"%PDF-1.7\n1 0 obj\n%%EOF\n"


def archive(*names: str, content_size: int = 1) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name in names:
            file.writestr(name, "x" * content_size)
    return content.getvalue()


@pytest.fixture(autouse=True)
def with_a_file(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans of this test have a field for a file."""
    add_fields(system, monkeypatch, (Field("proof", "论证意见", FieldType.FILE, required=True),))


def upload(browser: Browser, name: str, content: bytes) -> dict[str, str]:
    answer = send(browser, name, content)
    assert answer.status_code == 200, answer.text
    told = answer.get_json()
    assert isinstance(told, dict)
    return told


def draft(browser: Browser, file: dict[str, str]) -> str:
    path = "/documents/new/plan/direct"
    fields = {
        **browser.form(path), "f.name": "激光打印机", "f.proof.sha256": file["sha256"], "f.proof.name": file["name"],
    }  # fmt: skip
    saved = browser.post(path, fields)
    assert saved.status_code == 303
    return saved.headers["Location"].split("/")[2]


def test_a_file_is_uploaded_named_and_read(system: System, browse: Callable[[str], Browser]) -> None:
    browser = browse(HANDLER)
    file = upload(browser, "论证 意见.pdf", PDF)
    assert file["sha256"] == hashlib.sha256(PDF).hexdigest()
    number = draft(browser, file)
    got = browser.get(f"/documents/{number}/files/{file['sha256']}")
    assert got.data == PDF
    assert got.mimetype == "application/pdf"
    assert got.headers["Content-Disposition"].startswith("attachment;")
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert "论证 意见.pdf" in browser.get(f"/documents/{number}").text
    assert "论证 意见.pdf" in browser.get(f"/documents/{number}/edit").text
    assert browse(REVIEWER).get(f"/documents/{number}/files/{file['sha256']}").data == PDF
    assert browse(OTHER).get(f"/documents/{number}/files/{file['sha256']}").status_code == 404


def test_a_foreign_file_cannot_be_named(system: System, browse: Callable[[str], Browser]) -> None:
    """Whoever knows the hash of a file does not get the file by it."""
    file = upload(browse(HANDLER), "a.pdf", PDF)
    stranger = browse(OTHER)
    number = draft(stranger, file)
    assert stranger.get(f"/documents/{number}/files/{file['sha256']}").status_code == 404
    actor = account_of(system, OTHER)
    assert dossier.dossier(system, actor, number).files == ()
    assert "文件没有上传成功" in stranger.get(f"/documents/{number}/edit").text


def test_a_file_without_scripts_goes_with_the_form(browse: Callable[[str], Browser]) -> None:
    browser = browse(HANDLER)
    path = "/documents/new/plan/direct"
    fields = {**browser.form(path), "f.name": "激光打印机", "f.proof.upload": (io.BytesIO(PDF), "a.pdf")}
    saved = browser.post(path, fields, content_type="multipart/form-data")
    assert saved.status_code == 303
    number = saved.headers["Location"].split("/")[2]
    sha256 = hashlib.sha256(PDF).hexdigest()
    assert browser.get(f"/documents/{number}/files/{sha256}").data == PDF
    wrong = {**browser.form(path), "f.name": "激光打印机", "f.proof.upload": (io.BytesIO(b"MZ"), "a.exe")}
    refused = browser.post(path, wrong, content_type="multipart/form-data")
    assert refused.status_code == 422
    assert "不能上传" in refused.text


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.exe", b"MZ", "可以上传"),
        ("noname", PDF, "可以上传"),
        ("a.pdf", b"", "空文件"),
        ("a.pdf", b"<script>", "不是它的后缀名"),
        ("a.docx", archive("xl/workbook.xml"), "不是它的后缀名"),
        ("a.docx", b"PK\x03\x04 broken", "不是它的后缀名"),
        ("a.xlsx", archive("xl/workbook.xml", "xl/vbaProject.bin"), "不是它的后缀名"),
        ("a.pdf", b"%PDF-" + b"x" * attachments.MAX_BYTES, "不能超过 20 MB"),
    ],
)
def test_what_is_no_good_file_is_refused(
    browse: Callable[[str], Browser], name: str, content: bytes, said: str
) -> None:
    answer = send(browse(HANDLER), name, content)
    assert answer.status_code == 422
    assert said in answer.text


def test_only_requests_with_files_may_be_big(browse: Callable[[str], Browser]) -> None:
    browser = browse(HANDLER)
    big = {**browser.form("/", "/chat"), "text": "x" * (3 * 2**20)}
    assert browser.post("/chat", big).status_code == 413
    whole = archive("xl/workbook.xml", content_size=3 * 2**20)
    assert upload(browser, "big.zip", whole)["name"] == "big.zip"


def test_a_program_uploads_too(
    app: Flask, bearer: Callable[[str], dict[str, str]], system: System, tmp_path: Path
) -> None:
    client = app.test_client()
    given = {"file": (io.BytesIO(PDF), "a.pdf")}
    made = client.post("/api/v1/attachments", data=given, headers=bearer(HANDLER))
    assert made.status_code == 201, made.text
    sha256 = made.get_json()["sha256"]
    form = {"name": "激光打印机", "proof": {"sha256": sha256, "name": "a.pdf"}}
    document = client.post(
        "/api/v1/documents", json={"variant": "direct", "form": form}, headers=bearer(HANDLER)
    ).get_json()
    assert "proof" not in document["form_errors"]
    path = f"/api/v1/documents/{document['summary']['number']}/attachments"
    listed = client.get(path, headers=bearer(HANDLER)).get_json()["items"]
    assert [one["name"] for one in listed] == ["a.pdf"]
    assert client.get(f"{path}/{sha256}", headers=bearer(HANDLER)).data == PDF
    assert client.get(f"{path}/{sha256}", headers=bearer(OTHER)).status_code == 404
    assert client.get(f"{path}/{'0' * 64}", headers=bearer(HANDLER)).status_code == 404
    nothing = client.post("/api/v1/attachments", data={}, headers=bearer(HANDLER))
    assert nothing.status_code == 422
    wrong = {**form, "proof": {"sha256": "1" * 64, "name": "b.pdf"}}
    errors = client.post(
        "/api/v1/documents", json={"variant": "direct", "form": wrong}, headers=bearer(HANDLER)
    ).get_json()["form_errors"]
    assert errors["proof"].startswith("文件没有上传成功")
