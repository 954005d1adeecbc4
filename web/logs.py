"""Logs as data on standard error; secrets, phone numbers and names are masked in this one place."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import TextIO

import structlog

SECRET = {"pin", "password", "token", "cookie", "authorization", "secret", "csrf_token"}
PERSON = {"name", "who", "person", "account_name", "handler"}
_PHONE = re.compile(r"(?<!\d)(1[3-9]\d)\d{4}(\d{4})(?!\d)")
_LANDLINE = re.compile(r"(?<!\d)(0\d{2,3}[-\s]?)\d{3,4}(\d{4})(?!\d)")
_IDENTITY = re.compile(r"(?<!\d)(\d{6})\d{8}(\d{3}[\dXx])(?!\d)")


def mask_text(text: str) -> str:
    """`13812345678` → `138****5678`; identity and landline numbers likewise."""
    text = _IDENTITY.sub(r"\1********\2", text)
    text = _PHONE.sub(r"\1****\2", text)
    return _LANDLINE.sub(r"\1****\2", text)


def mask_name(name: str) -> str:
    """`王小明` → `王**`."""
    return name[:1] + "*" * max(len(name) - 1, 1) if name else name


def _masked(key: str, value: object) -> object:
    if key.lower() in SECRET:
        return "***"
    if isinstance(value, str):
        return mask_name(value) if key.lower() in PERSON else mask_text(value)
    if isinstance(value, Mapping):
        return {k: _masked(str(k), v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(key, item) for item in value]
    return value


def mask(_logger: object, _method: str, event: MutableMapping[str, object]) -> MutableMapping[str, object]:
    """A structlog processor: nothing personal leaves the process."""
    for key in list(event):
        event[key] = _masked(key, event[key])
    return event


def configure(level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """JSON lines for machines, coloured lines on a terminal. Called once, by whoever starts the process.

    What libraries and the core log with `logging` goes the same way and is masked as well.
    """
    stream = stream or sys.stderr
    last: structlog.typing.Processor
    if stream.isatty():
        # the plain traceback: the pretty one prints local variables, and a PIN may be among them
        last = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    else:
        last = structlog.processors.JSONRenderer(ensure_ascii=False)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask,
    ]
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[remove, last])
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("httpx", "huey", "alembic", "fontTools"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
