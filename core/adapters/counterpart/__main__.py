"""`python -m core.adapters.counterpart --port 8001`: mall, trading and finance on this machine."""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from core.adapters.companion import stop_with_parent
from core.adapters.counterpart.server import Counterpart
from core.adapters.exchange_client import shared_secrets


def main() -> int:
    """Serve until interrupted."""
    given = argparse.ArgumentParser(prog="python -m core.adapters.counterpart", description=__doc__)
    given.add_argument("--port", type=int, default=8001)
    given.add_argument("--database", default=":memory:", help="SQLite file; in memory by default")
    given.add_argument("--platform", default="http://127.0.0.1:8000", help="where pushes go")
    given.add_argument("--control", action="store_true", help="may be told to misbehave and to push")
    given.add_argument("--companion", action="store_true", help="ends with the process that started it")
    options = given.parse_args()
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    try:
        counterpart = Counterpart(
            shared_secrets(Path(os.environ.get("CAIGOU_VAR", "var"))),
            port=options.port,
            database=options.database,
            control=options.control,
            platform_url=options.platform,
        )
    except OSError:
        print(f"端口 {options.port} 已被占用，请用 --port 换一个", file=sys.stderr)
        return 1
    if options.companion:
        stop_with_parent(stop.set)
    with counterpart:
        print(f"卖场、交易、财政的对接方在 {counterpart.url}", flush=True)
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
