"""Files that a page or an endpoint gives to be kept."""

from urllib.parse import quote

from flask import Response

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PDF = "application/pdf"


def file(content: bytes, name: str, media: str = XLSX) -> Response:
    """`content` as a file called `name`; never shown in the browser's own frame."""
    response = Response(content, mimetype=media)
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return response
