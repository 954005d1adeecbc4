"""Run one child process with a hard time limit and believe only a complete JSON document.

The child may crash, hang, call exit(0), flood its output or leave grandchildren behind: each ends as an
outcome here, and its whole process group is gone when `run_json` returns.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any, Literal

MAX_DOCUMENT_BYTES = 4 * 1024 * 1024
MAX_STDERR_BYTES = 64 * 1024
How = Literal["document", "crash", "hang", "exit"]


@dataclass(frozen=True)
class Outcome:
    """How the child ended. `document` is set only for "document"; `detail` is a signal name or exit code."""

    how: How
    document: dict[str, Any] | None
    detail: str
    stage: str
    duration_ms: int


def run_json(arguments: Sequence[str], limit_s: float, keep: Sequence[int] = ()) -> Outcome:
    """Run this Python with `arguments` for at most `limit_s` seconds; it shares the descriptors `keep`.

    Output goes to unnamed files, not pipes: a grandchild holding a pipe open would keep us waiting.
    """
    started = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(  # noqa: S603 – our own interpreter and our own file
            [sys.executable, "-P", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=_environment(),
            start_new_session=True,
            pass_fds=keep if os.name == "posix" else (),
        )
        try:
            code: int | None = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _kill_group(process)
        return _outcome(code, _document(out), _stage(err), time.monotonic() - started)


def _outcome(code: int | None, document: dict[str, Any] | None, stage: str, seconds: float) -> Outcome:
    how: How
    if document is not None:
        how, detail = "document", ""
    elif code is None:
        how, detail = "hang", ""
    elif code < 0:
        how, detail = "crash", _signal_name(-code)
    elif code >= 0x80000000:  # noqa: PLR2004 – Windows reports an exception as an NTSTATUS error code
        how, detail = "crash", f"0x{code:08X}"
    else:
        how, detail = "exit", str(code)
    return Outcome(how, document, detail, stage, round(seconds * 1000))


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """End the child and whatever it started, and reap it."""
    if os.name == "posix":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    if process.poll() is None:
        process.kill()
        process.wait()


def _environment() -> dict[str, str]:
    """Our environment without our secrets: the library is someone else's code."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CAIGOU_")}


def _document(stream: IO[bytes]) -> dict[str, Any] | None:
    stream.seek(0)
    try:
        value = json.loads(stream.read(MAX_DOCUMENT_BYTES))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and value.get("complete") is True else None


def _stage(stream: IO[bytes]) -> str:
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - MAX_STDERR_BYTES))
    lines = stream.read(MAX_STDERR_BYTES).decode("utf-8", "replace").splitlines()
    stages = [line.removeprefix("stage: ") for line in lines if line.startswith("stage: ")]
    return stages[-1] if stages else ""


def _signal_name(number: int) -> str:
    with suppress(ValueError):
        return signal.Signals(number).name
    return str(number)
