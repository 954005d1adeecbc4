"""Runs the benchmarks: tests/bench/bench_*.py, each with `main() -> None` that prints figures and goals.

`--only NAME` (`acts`, `chat`, …; again for several) runs some; the rest of the line is for the benchmarks themselves.
"""

import argparse
import importlib
import sys
import traceback
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", allow_abbrev=False)
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    asked, sys.argv[1:] = parser.parse_known_args()
    known = {
        path.stem.removeprefix("bench_"): path.stem
        for path in sorted(Path(__file__).parent.glob("bench_*.py"))
    }
    if unknown := set(asked.only) - known.keys():
        parser.error(f"{'、'.join(sorted(unknown))}：没有这个测试，可选：{'、'.join(known)}")
    broken = []
    for name, stem in known.items():
        if asked.only and name not in asked.only:
            continue
        print(f"== {name}", flush=True)
        try:
            importlib.import_module(f"tests.bench.{stem}").main()
        except SystemExit as e:  # a missed goal; the others still run
            if e.code:
                broken.append(stem)
        except Exception:  # noqa: BLE001 - one broken benchmark must not hide the others
            traceback.print_exc()
            broken.append(stem)
    if broken:
        print(f"goals missed or broken: {', '.join(broken)}")
    return 1 if broken else 0


sys.exit(main())
