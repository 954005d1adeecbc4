"""Processes that belong to another one end with it, even where it was killed and could not tell them."""

import os
import threading
from collections.abc import Callable

_LOOK_SECONDS = 1.0


def stop_with_parent(stop: Callable[[], None]) -> None:
    """Call `stop`, in a thread of its own, once the process that started this one is gone."""
    parent = os.getppid()

    def watch() -> None:
        pause = threading.Event()
        while os.getppid() == parent:
            pause.wait(_LOOK_SECONDS)
        stop()

    threading.Thread(target=watch, name="parent", daemon=True).start()
