"""A whole check with a SoftHSM key and sites on loopback: its time, each probe's share, and what many runs leave.

CAIGOU_BENCH_RUNS bounds the consecutive runs (1,000 if not given).
"""

import gc
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

import psutil

RUNS = 1000
WARM_UP = 30
TIMED = 7
WHOLE_GOAL_S = 3.0
MEMORY_GOAL_MB = 15.0
MB = 1024 * 1024


@dataclass(frozen=True)
class Usage:
    """What this process holds."""

    memory_mb: float
    handles: int
    threads: int
    children: int

    @classmethod
    def now(cls) -> "Usage":
        gc.collect()
        process = psutil.Process()
        memory = process.memory_info().rss / MB
        return cls(memory, process.num_fds(), threading.active_count(), len(process.children(recursive=True)))


def main() -> None:
    """Print the figures; SystemExit(1) where a goal is missed."""
    from core.adapters.softhsm import DemoSeal, DemoToken, provision
    from diagnostics import catalogue, run
    from diagnostics.result import Report
    from tests.diagnostics.authority import LOOPBACK, site

    with tempfile.TemporaryDirectory() as folder, site() as server:
        made = provision(
            Path(folder) / "hsm", [DemoToken("bench", "演示采购单位", "13572468", [DemoSeal("公章")])]
        )
        trust = Path(folder) / "trust.pem"
        trust.write_bytes(made.roots.read_bytes() + made.intermediates.read_bytes())
        server.send("/", b"")
        real = catalogue.load("neimenggu")
        region = replace(real.region, login_url=server.url + "/", intranet_hosts=[LOOPBACK])

        def check() -> Report:
            return run("neimenggu", module=made.module, trust=trust)

        with (
            patch.dict(os.environ, made.environment),
            patch.object(catalogue, "load", lambda _: replace(real, region=region)),
        ):
            met = [_whole(check), _many(check, int(os.environ.get("CAIGOU_BENCH_RUNS", RUNS)))]
    if not all(met):
        raise SystemExit(1)


def _whole(check: Callable[[], object]) -> bool:
    spent, shares = [], {}
    for _ in range(TIMED):
        began = time.perf_counter()
        report = check()
        spent.append(time.perf_counter() - began)
        assert report.of("cert_issuer").finding == "issuer_trusted"
        for result in report.results:
            shares.setdefault(result.probe, []).append(result.duration_ms)
    middle = statistics.median(spent)
    print(
        f"全程（SoftHSM，{TIMED} 次）：中位 {middle:.2f} 秒，最慢 {max(spent):.2f} 秒；目标 < {WHOLE_GOAL_S:g} 秒"
    )
    for probe, times in shares.items():
        print(f"  {probe:<14}{statistics.median(times):>8.0f} ms")
    return middle < WHOLE_GOAL_S


def _many(check: Callable[[], object], runs: int) -> bool:
    for _ in range(WARM_UP):
        check()
    before, began = Usage.now(), time.perf_counter()
    for _ in range(runs):
        check()
    seconds = time.perf_counter() - began
    time.sleep(0.5)  # threads of servers that are just closing
    after = Usage.now()
    grown = after.memory_mb - before.memory_mb
    print(f"连续 {runs} 次：每次 {seconds / max(runs, 1):.3f} 秒")
    print(f"  内存 {before.memory_mb:.1f} → {after.memory_mb:.1f} MB（增长目标 < {MEMORY_GOAL_MB:g} MB）")
    print(
        f"  句柄 {before.handles} → {after.handles}，线程 {before.threads} → {after.threads}，"
        f"子进程 {before.children} → {after.children}"
    )
    held = (
        after.handles <= before.handles,
        after.threads <= before.threads,
        after.children <= before.children,
    )
    return grown < MEMORY_GOAL_MB and all(held)


if __name__ == "__main__":
    main()
