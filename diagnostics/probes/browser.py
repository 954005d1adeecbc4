"""What Chrome's version and settings say about pages reaching the local component.

Facts by version: Chromium 94 to 137 block pages over HTTP (a flag undoes it), 142 asks for the permission
`local-network-access`, 145 splits it and asks for `loopback-network`.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from diagnostics.probe import Context, FactSpec, InputSpec, Probe, Row

FLAG = "block-insecure-private-network-requests"
FLAG_STATES = {"1": "enabled", "2": "disabled"}
PERMISSIONS = {"1": "allow", "2": "block"}
GIVEN = {"granted": "allow", "denied": "block", "prompt": "ask"}
SPLIT_SINCE = 145
MAX_FILE_BYTES = 16 * 1024 * 1024


def gather(context: Context) -> Sequence[Row]:
    """One row for each profile, or one from what the page told of its own browser."""
    url = context.region.login_url
    secure = url.startswith("https:") if url else None
    if told := context.text("browser_version"):
        permission = GIVEN.get(context.text("browser_permission") or "", "ask")
        return [_row(_major(told), "default", permission, secure=secure)]
    host = urlsplit(url or "").hostname or ""
    rows = [row for folder in context.desk.browsers for row in _profiles(folder, host, secure=secure)]
    return rows or [_row(None, "default", "ask", secure=secure)]


def _row(version: int | None, flag: str, permission: str, *, secure: bool | None) -> Row:
    return {"version": version, "flag": flag, "permission": permission, "secure": secure}


def _profiles(folder: Path, host: str, *, secure: bool | None) -> Iterator[Row]:
    version = _major(_text(folder / "Last Version"))
    flag = _flag(_json(folder / "Local State"))
    for preferences in sorted(folder.glob("*/Preferences")):
        yield _row(version, flag, _permission(_json(preferences), host, version), secure=secure)


def _flag(state: Mapping[str, Any]) -> str:
    experiments = _at(state, "browser", "enabled_labs_experiments")
    for item in experiments if isinstance(experiments, list) else []:
        name, _, choice = str(item).partition("@")
        if name == FLAG:
            return FLAG_STATES.get(choice, "default")
    return "default"


def _permission(preferences: Mapping[str, Any], host: str, version: int | None) -> str:
    name = "loopback_network" if (version or 0) >= SPLIT_SINCE else "local_network_access"
    exceptions = _at(preferences, "profile", "content_settings", "exceptions", name)
    found = set()
    for pattern, entry in exceptions.items() if isinstance(exceptions, dict) else ():
        site = urlsplit(str(pattern).split(",")[0]).hostname or ""
        if _same_site(site, host) and isinstance(entry, dict):
            found.add(PERMISSIONS.get(str(entry.get("setting")), "ask"))
    return next((word for word in ("block", "allow") if word in found), "ask")


def _same_site(site: str, host: str) -> bool:
    """The platform's pages lie on several hosts below the login site's domain."""
    domain = host.removeprefix("www.")
    return bool(domain) and (site == domain or site.endswith("." + domain))


def _major(version: str) -> int | None:
    match = re.match(r"\D{0,20}(\d{1,4})", version)
    return int(match[1]) if match else None


def _at(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_FILE_BYTES).decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _json(file: Path) -> Mapping[str, Any]:
    try:
        value = json.loads(_text(file) or "{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


PROBE = Probe(
    "browser",
    {
        "version": FactSpec("谷歌浏览器版本", int),
        "flag": FactSpec(f"{FLAG} 设置", str),
        "permission": FactSpec("访问本机的权限", str),
        "secure": FactSpec("平台网页为 https", bool),
    },
    gather,
    {
        "browser_version": InputSpec("浏览器内核版本，如 147.0.7000.1", "text"),
        "browser_permission": InputSpec("网页问到的本机访问权限：granted、denied 或 prompt", "text"),
    },
)
