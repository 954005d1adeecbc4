"""Files that forms name: checked for type and size, kept by content hash, given only to who may see the document."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any

from core.domain import form_state
from core.domain.accounts import Account
from core.domain.documents import Document
from core.domain.errors import InvalidError, NotFoundError
from core.domain.process import Process
from core.service import situations
from core.service.page_ports import Attachment
from core.service.ports import Transaction
from core.service.system import System

MAX_BYTES = 20 * 1024 * 1024
_NAME_LIMIT = 200
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OFFICE = "application/vnd.openxmlformats-officedocument."

# extension: (media type, first bytes, member that such an archive has)
TYPES: dict[str, tuple[str, bytes, str]] = {
    "pdf": ("application/pdf", b"%PDF-", ""),
    "ofd": ("application/ofd", _ZIP, "OFD.xml"),
    "docx": (f"{_OFFICE}wordprocessingml.document", _ZIP, "word/document.xml"),
    "xlsx": (f"{_OFFICE}spreadsheetml.sheet", _ZIP, "xl/workbook.xml"),
    "doc": ("application/msword", _OLE, ""),
    "xls": ("application/vnd.ms-excel", _OLE, ""),
    "jpg": ("image/jpeg", b"\xff\xd8\xff", ""),
    "jpeg": ("image/jpeg", b"\xff\xd8\xff", ""),
    "png": ("image/png", b"\x89PNG\r\n\x1a\n", ""),
    "zip": ("application/zip", _ZIP, ""),
}


def upload(system: System, actor: Account, name: str, content: bytes) -> Attachment:
    """Keep a file; it belongs to no document until one that names it is saved. InvalidError says what is wrong with it."""
    name = name.replace("\\", "/").rsplit("/", 1)[-1].strip()[-_NAME_LIMIT:]
    file = Attachment(
        system.blobs.put(_checked(name, content)), name, _kind(name)[0], len(content), system.clock()
    )
    with system.database.write() as tx:
        tx.attachments.add(file, actor)
        tx.records.audit(actor.region, file.at, actor.login, "upload", file.sha256[:60], {"size": file.size})
    return file


def _kind(name: str) -> tuple[str, bytes, str]:
    extension = name.rpartition(".")[2].lower()
    if extension not in TYPES:
        allowed = "、".join(TYPES)
        raise _refused(f"不能上传“{name[-40:]}”这种文件，可以上传：{allowed}")
    return TYPES[extension]


def _checked(name: str, content: bytes) -> bytes:
    _, first, member = _kind(name)
    if not content:
        raise _refused(f"“{name[-40:]}”是空文件，请重新选择")
    if len(content) > MAX_BYTES:
        raise _refused(f"“{name[-40:]}”有 {len(content) / 2**20:.1f} MB，不能超过 {MAX_BYTES // 2**20} MB")
    if not content.startswith(first) or (first == _ZIP and not _archive(content, member)):
        raise _refused(f"“{name[-40:]}”的内容不是它的后缀名所说的类型，请用原来的软件另存一份再上传")
    return content


def _archive(content: bytes, member: str) -> bool:
    """Whether it is a sound archive with this member and, where it is an office file, without macros."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError):
        return False
    macros = any(name.endswith("vbaProject.bin") for name in names)
    return not member or (member in names and not macros)


def _refused(sentence: str) -> InvalidError:
    return InvalidError(sentence, code="bad_file", fields={"file": sentence})


def bind(tx: Transaction, document: Document, process: Process, actor: Account) -> None:
    """Let a saved document name the files of its form that its writer's unit uploaded, or that it took over."""
    files = form_state.files(process.form.fields, document.form)
    if files:
        tx.attachments.bind(document, {str(file["sha256"]) for file in files.values()}, actor)


def listing(system: System, actor: Account, number: str) -> list[Attachment]:
    """Files of a document that the account may see, oldest first."""
    with system.database.read() as tx:
        return tx.attachments.of([situations.find(tx, actor, number).id])


def fetch(system: System, actor: Account, number: str, sha256: str) -> tuple[Attachment, bytes]:
    """A file and its bytes; NotFoundError for one that this document never named."""
    files = {file.sha256: file for file in listing(system, actor, number)}
    if sha256 not in files:
        raise NotFoundError("这张单据没有这个附件")
    return files[sha256], system.blobs.get(sha256)


def own(system: System, actor: Account, sha256: str) -> bytes:
    """Bytes of a file that the account's unit uploaded; NotFoundError for any other."""
    with system.database.read() as tx:
        if not tx.attachments.uploaded(sha256, [actor.unit.id]):
            raise NotFoundError("没有找到刚才上传的文件，请重新选择")
    return system.blobs.get(sha256)


def labels(files: list[Attachment], values: Mapping[str, Any], process: Process) -> dict[str, str]:
    """sha256 → label of the field that names it now; files of earlier versions have none."""
    known = {file.sha256 for file in files}
    fields = {item.id: item.label for outer in process.form.fields for item in (outer, *outer.fields)}
    named = form_state.files(process.form.fields, values)
    return {
        str(file["sha256"]): fields[path.rpartition(".")[2]]
        for path, file in named.items()
        if file["sha256"] in known
    }
