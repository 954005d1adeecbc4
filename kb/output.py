"""What a command line prints into a pipe whose reader has seen enough (`python -m kb check | head`)."""

import os
import sys
from collections.abc import Callable


def to_whoever_reads(act: Callable[[], int]) -> int:
    """Carry out and say all of it, or as much as is read; the result is the exit code, 0 where reading ended early."""
    try:
        code = act()
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter flushes once more at its end, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code
