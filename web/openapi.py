"""What spectree cannot say in the description of the API: problems by their own media type, files by theirs."""

from copy import deepcopy
from typing import Any

PROBLEM = "application/problem+json"
_JSON = "application/json"


def described(spec: dict[str, Any], files: dict[str, str]) -> dict[str, Any]:
    """A copy of `spec`, mended; `files` are the media types of operations that give files, by operation id."""
    spec = deepcopy(spec)
    _plain(spec)
    for path in spec["paths"].values():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                _mend(answer, int(status), files.get(operation["operationId"], ""))
    return spec


def _plain(schema: Any) -> None:
    """Tuples as lists of any of their types: most tools know no `prefixItems`."""
    if isinstance(schema, list):
        for one in schema:
            _plain(one)
    elif isinstance(schema, dict):
        if "prefixItems" in schema:
            kinds = schema.pop("prefixItems")
            schema["items"] = {"anyOf": [one for at, one in enumerate(kinds) if one not in kinds[:at]]}
        for one in schema.values():
            _plain(one)


def _mend(answer: dict[str, Any], status: int, media: str) -> None:
    content = answer.get("content", {})
    if status >= 400 and _JSON in content:  # noqa: PLR2004 - RFC 9457
        answer["content"] = {PROBLEM: content[_JSON]}
    elif status == 200 and media:  # noqa: PLR2004
        answer["content"] = {media: {"schema": {"type": "string", "format": "binary"}}}
