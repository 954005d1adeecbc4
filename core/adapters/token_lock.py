"""One request at a time for each key library, across threads and processes.

SoftHSM rewrites a token's file while another process reads it and then answers CKR_GENERAL_ERROR; a real key does
one thing at a time as well. The lock is the kernel's, on a file that is there anyway: nothing is left behind, and
it ends with the process that held it. Standard library only: the desk's single-file doctor carries this file.
"""

import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


class BusyError(Exception):
    """The lock was not free within the time given."""


def store(module: Path, environment: Mapping[str, str]) -> Path:
    """What requests to `module` must not share: SoftHSM's configuration (one for each folder of tokens), else it."""
    configuration = environment.get("SOFTHSM2_CONF", os.environ.get("SOFTHSM2_CONF", ""))
    if "softhsm" in module.name and Path(configuration).is_file():
        return Path(configuration)
    return module


@contextmanager
def alone(file: Path, limit_s: float) -> Iterator[int]:
    """Hold the lock on `file`, waited for at most `limit_s` seconds (BusyError; OSError where it cannot be read).

    Gives the descriptor. A child that gets it by `pass_fds` keeps the lock should we be killed before it ends.
    """
    descriptor = os.open(file, os.O_RDONLY)
    if not _take(descriptor, limit_s):
        raise BusyError
    try:
        yield descriptor
    finally:
        _release(descriptor)  # for whoever else still has the descriptor, too
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt
    import time

    _PAUSE_S = 0.02
    _FAR = 1 << 30  # locked bytes cannot be read: lock one that no library has

    def _take(descriptor: int, limit_s: float) -> bool:
        deadline = time.monotonic() + limit_s
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            except OSError:
                if time.monotonic() >= deadline:
                    os.close(descriptor)
                    return False
                time.sleep(_PAUSE_S)
            else:
                return True

    def _release(descriptor: int) -> None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _take(descriptor: int, limit_s: float) -> bool:
        """Whether the lock was had; else the descriptor is closed, at the latest when its turn comes.

        The kernel serves who waits in the order of coming; who asked again and again would be overtaken. A wait in
        the kernel has no time limit, so a thread waits for us, and is left behind when our time is over.
        """
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            turn = _Turn(descriptor)
            threading.Thread(target=turn.wait, name="token-lock", daemon=True).start()
            return turn.came_within(limit_s)
        return True

    class _Turn:
        def __init__(self, descriptor: int) -> None:
            self._descriptor = descriptor
            self._came, self._decided, self._left = threading.Event(), threading.Lock(), False

        def wait(self) -> None:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            with self._decided:
                if self._left:
                    os.close(self._descriptor)
                self._came.set()

        def came_within(self, limit_s: float) -> bool:
            self._came.wait(limit_s)
            with self._decided:
                self._left = not self._came.is_set()
                return not self._left

    def _release(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
