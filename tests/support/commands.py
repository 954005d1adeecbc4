"""Commands run in this process: one of its own takes longer to start than most of them take."""

from collections.abc import Callable
from typing import NamedTuple

import pytest


class Done(NamedTuple):
    """As `subprocess` says it."""

    returncode: int
    stdout: str
    stderr: str

    @property
    def said(self) -> str:
        """All that was printed."""
        return self.stdout + self.stderr


def call(main: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str], *arguments: object) -> Done:
    """`main` with these arguments, and what it alone printed."""
    capsys.readouterr()
    try:
        code = main([str(one) for one in arguments])
    except SystemExit as stopped:
        code = int(str(stopped.code or 0))
    return Done(code, *capsys.readouterr())
