"""Runs every benchmark: tests/bench/bench_*.py, each with `main() -> None` that prints figures and goals."""

import importlib
import sys
import traceback
from pathlib import Path


def main() -> int:
    broken = []
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        print(f"== {path.stem.removeprefix('bench_')}", flush=True)
        try:
            importlib.import_module(f"tests.bench.{path.stem}").main()
        except SystemExit as e:  # a missed goal; the others still run
            if e.code:
                broken.append(path.stem)
        except Exception:  # noqa: BLE001 - one broken benchmark must not hide the others
            traceback.print_exc()
            broken.append(path.stem)
    if broken:
        print(f"goals missed or broken: {', '.join(broken)}")
    return 1 if broken else 0


sys.exit(main())
