"""A file sent as a browser sends it."""

from werkzeug.test import TestResponse

from tests.web.conftest import Browser


def send(
    browser: Browser, name: str, content: bytes, path: str = "/attachments", **headers: str
) -> TestResponse:
    """Written out, because werkzeug's test client would leave a file on disk behind."""
    token = browser.form("/", "/chat")["csrf_token"]
    head = 'Content-Disposition: form-data; name="{}"{}\r\n\r\n'
    parts = [
        head.format("csrf_token", "").encode() + token.encode(),
        head.format("file", f'; filename="{name}"').encode() + content,
    ]
    body = b"".join(b"--limit\r\n" + part + b"\r\n" for part in parts) + b"--limit--\r\n"
    kind = "multipart/form-data; boundary=limit"
    return browser.client.post(path, data=body, content_type=kind, headers=headers)
