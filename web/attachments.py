"""Files: uploaded by whoever fills in a form, downloaded by whoever may see the document."""

from pathlib import PurePath

from flask import Blueprint, Flask, Response, jsonify, request
from werkzeug.datastructures import FileStorage

from core.domain.errors import InvalidError
from core.service import attachments
from core.service.page_ports import Attachment
from web import downloads
from web.parts import system
from web.security import actor, require_session

pages = Blueprint("attachments", __name__)
pages.before_request(require_session)

FILE_TYPES = ",".join(f".{extension}" for extension in attachments.TYPES)
# Requests that may be bigger than the rest: files, and forms with long tables.
_ROOMY = {
    "attachments.upload", "api.upload_attachment", "forms.create", "forms.change", "forms.look", "imports.take",
    "api.import_list", "budget_upload.take", "api.import_budgets",
    "chat.check_file",
}  # fmt: skip
_MOST_BYTES = attachments.MAX_BYTES + 4 * 2**20
_MOST_PARTS = 50_000
_LONGEST_NAME = 100


@pages.post("/attachments")
def upload() -> Response:
    """Keep a file; what the form has to name."""
    return jsonify(plain(received()))


def received() -> Attachment:
    """The file of this request, kept."""
    return keep(_given())


def sent() -> tuple[str, bytes]:
    """Name, without the sender's folders, and bytes of the file of this request, kept nowhere."""
    given = _given()
    name = PurePath((given.filename or "").replace("\\", "/")).name
    with given.stream:
        return name[-_LONGEST_NAME:], bytes(given.read())


def _given() -> FileStorage:
    given = request.files.get("file")
    if given is None or not given.filename:
        raise InvalidError("没有收到文件，请重新选择", code="bad_file", fields={"file": "请选择文件"})
    return given


def keep(file: FileStorage) -> Attachment:
    """Keep an uploaded file; what was spooled to disk is let go at once."""
    with file.stream:
        return attachments.upload(system(), actor(), file.filename or "", file.read())


def plain(file: Attachment) -> dict[str, str | int]:
    """As JSON."""
    return {"sha256": file.sha256, "name": file.name, "type": file.type, "size": file.size}


@pages.get("/documents/<number>/files/<sha256>")
def download(number: str, sha256: str) -> Response:
    """A file of a document; never shown in the browser's own frame."""
    file, content = attachments.fetch(system(), actor(), number, sha256)
    return downloads.file(content, file.name, file.type)


def _roomy() -> None:
    if request.endpoint in _ROOMY:
        request.max_content_length = _MOST_BYTES
        request.max_form_parts = _MOST_PARTS


def register(app: Flask) -> None:
    """Before anything reads a form: requests with files may be bigger than others."""
    app.before_request(_roomy)
    app.jinja_env.globals["file_types"] = FILE_TYPES
