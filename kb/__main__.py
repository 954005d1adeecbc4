"""python -m kb check | import | export | evaluate | bench | fit

Exit codes: 0 well, 1 the data has mistakes or a goal was missed, 2 the command was called wrongly.
"""

import argparse
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from core.adapters import processes
from core.domain.calendar import day_of
from core.domain.errors import DataError, DomainError
from kb import evaluation, importer, workbook
from kb.difference import difference
from kb.entries import Library
from kb.features import cache_folder
from kb.loader import load_all
from kb.output import to_whoever_reads
from kb.remarks import remarks
from kb.retriever import CONTENT, Retriever, open_library, open_retriever

P99_GOAL_MS = 10.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the result is the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return to_whoever_reads(lambda: int(options.run(options)))
    except DomainError as error:
        print(error.message, file=sys.stderr)
        return 1


def check(options: argparse.Namespace) -> int:
    """All mistakes of all entries, judged against the process data; then what somebody should look at."""
    book = processes.load()
    library = load_all(options.content, nodes=_nodes(book))
    phrasings = sum(1 for entry in library.entries.values() for _ in entry.phrasings.items())
    print(f"知识库无误：{len(library.regions)} 个地区，{len(library.entries)} 个主题，{phrasings} 种问法。")
    found = remarks(library, book.processes)
    for group, count in Counter(one.group for one in found).items():
        print(f"提醒（不算错）：{group} {count} 处")
    if options.remarks:
        for one in found:
            print(f"{one.place}: {one.group}：{one.sentence}")
    elif found:
        print("全部提醒：python -m kb check --remarks")
    return 0


def import_(options: argparse.Namespace) -> int:
    """Preview a file of questions and answers; drafts only with --write."""
    library = open_library(options.content)
    data = importer.read_bytes(options.file)
    if options.file.suffix.lower() == ".xlsx" and workbook.is_export(options.file, data):
        return _import_workbook(options, library, data)
    region = options.region or _only_region(library)
    previews = importer.preview(
        importer.read_data(options.file, data), region, library, open_retriever(region, library)
    )
    for one in previews:
        print(f"第 {one.draft.line} 行 [{importer.STATES[one.state]}] {one.draft.title or '（无标题）'}")
        for reason in one.reasons:
            print(f"    {reason}")
        if one.state == "new" and (missing := importer.shortfall(one.draft)):
            print(f"    成为条目还差 {missing} 种问法")
    counts = {state: sum(one.state == state for one in previews) for state in importer.STATES}
    print("，".join(f"{importer.STATES[state]} {count}" for state, count in counts.items()))
    if options.write:
        today = day_of(datetime.now(UTC))
        for file in importer.write_drafts(previews, region, options.out, today):
            print(f"已写草稿 {file}")
    return 0


def _only_region(library: Library) -> str:
    """The library's region where it has one; of several none is guessed, for a draft in the wrong one is no draft."""
    if len(library.regions) != 1:
        raise DataError([f"请用 --region 说明是哪个地区的：{'、'.join(library.regions)}"])
    return library.regions[0]


def _import_workbook(options: argparse.Namespace, library: Library, data: bytes) -> int:
    """Preview a workbook that `export` wrote and people edited; whole entries with --write."""
    counts: Counter[str] = Counter()
    for entry in workbook.read(options.file, data):
        known = library.entries.get((entry.region, entry.id))
        changes = difference(known, entry) if known else []
        state: importer.State = "new" if known is None else "same" if known == entry else "changed"
        counts[importer.STATES[state]] += 1
        if state == "same":
            continue
        print(f"{entry.region}/{entry.id} [{importer.STATES[state]}] {entry.title}")
        for change in changes:
            print(f"    {change.name}：去掉 {len(change.removed)} 行，增加 {len(change.added)} 行")
        if options.write:
            print(f"已写 {importer.write_entry(entry, options.out)}")
    print("，".join(f"{state} {count}" for state, count in counts.items()))
    return 0


def export(options: argparse.Namespace) -> int:
    """Write entries as a workbook."""
    library = open_library(options.content)
    entries = library.of_region(options.region) if options.region else library.entries.values()
    options.file.write_bytes(workbook.export(entries))
    print(f"已写 {options.file}：{len(entries)} 个主题")
    return 0


def evaluate(options: argparse.Namespace) -> int:
    """Figures of an evaluation file, by region and style."""
    questions = evaluation.read_questions(options.file)
    if options.region:
        questions = [one for one in questions if one.region == options.region]
    retrievers = _retrievers(open_library(options.content), {one.region for one in questions})
    if options.homophones:
        lines = evaluation.with_homophones(questions, retrievers)
        print(evaluation.table(lines))
        for clean, garbled in zip(lines[::2], lines[1::2], strict=True):
            if clean.recall_at_1:
                print(f"{garbled.name}：召回@1 是原样的 {(garbled.recall_at_1 or 0) / clean.recall_at_1:.3f}")
        return 0
    report = evaluation.evaluate(questions, retrievers)
    if options.json:
        print(json.dumps(report.to_json(), ensure_ascii=False))
        return 0
    print(evaluation.summary(report))
    if options.missed:
        for one in report.missed:
            first = one.finding.candidates[0].topic if one.finding.candidates else "-"
            expected = "、".join(one.question.expect) or "无答案"
            print(f"{one.question.style}：{one.question.q} 应为 {expected}，得到 {first}")
    return 0


def bench(options: argparse.Namespace) -> int:
    """Start and latency of each region on its own phrasings."""
    library = open_library(options.content)
    missed = False
    for region in library.regions:
        started = time.perf_counter()
        retriever = open_retriever(region, library)
        retriever.find("你好")
        start = time.perf_counter() - started
        times = []
        for entry in library.of_region(region):
            for _, _, phrase in entry.phrasings.items():
                started = time.perf_counter()
                retriever.find(phrase)
                times.append((time.perf_counter() - started) * 1000)
        cuts = statistics.quantiles(times, n=100)
        missed = missed or cuts[98] > P99_GOAL_MS
        print(
            f"{region}：{len(times)} 问，启动 {start:.2f} s，"
            f"p50 {cuts[49]:.2f} ms，p99 {cuts[98]:.2f} ms（目标 < {P99_GOAL_MS:.0f} ms）"
        )
    return int(missed)


def fit(options: argparse.Namespace) -> int:
    """Write thresholds.yaml anew by cross-validation."""
    from kb import fit as fitting
    from kb import fit_report

    library = open_library(options.content)
    fitted = fitting.fit(library, cache_folder())
    file = fit_report.write(fitted.parameters, fitted.figures, fitting.FOLDS, library.content)
    print(f"已写 {file}")
    print("\n".join(fit_report.lines(fitted.figures)))
    return 0


def _retrievers(library: Library, regions: set[str]) -> dict[str, Retriever]:
    return {region: open_retriever(region, library) for region in sorted(regions & set(library.regions))}


def _nodes(book: processes.ProcessBook) -> dict[str, set[str]]:
    """Process nodes by kind, over all regions and variants."""
    nodes: dict[str, set[str]] = {}
    for (_, kind, _), process in book.processes.items():
        nodes.setdefault(kind, set()).update(process.nodes)
    return nodes


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m kb", description="知识库：检查、导入、评测、测速、定阈值"
    )
    parser.add_argument("--content", type=Path, default=CONTENT, help="知识文件夹（默认用自带的）")
    commands = parser.add_subparsers(required=True, metavar="命令")
    one = commands.add_parser("check", help="检查全部条目，列出所有错误")
    one.add_argument("--remarks", action="store_true", help="列出全部提醒")
    one.set_defaults(run=check)
    one = commands.add_parser("import", help="预览 DOCX/XLSX/CSV/Markdown/文本里的问答，可写成草稿")
    one.add_argument("file", type=Path, metavar="文件")
    one.add_argument("--region", help="哪个地区的（只有一个地区、或导回 export 写的文件时不用说）")
    one.add_argument("--write", action="store_true", help="写出草稿")
    one.add_argument("--out", type=Path, default=cache_folder() / "drafts", help="草稿文件夹")
    one.set_defaults(run=import_)
    one = commands.add_parser("export", help="把条目写成 XLSX，改好后可用 import 读回")
    one.add_argument("file", type=Path, metavar="文件")
    one.add_argument("--region", help="只写一个地区")
    one.set_defaults(run=export)
    one = commands.add_parser("evaluate", help="用一份 JSON 行问题集评测")
    one.add_argument("file", type=Path, metavar="文件")
    one.add_argument("--region", help="只评一个地区")
    one.add_argument("--json", action="store_true", help="输出 JSON")
    one.add_argument("--homophones", action="store_true", help="每个问题错两个同音字，与原样对照")
    one.add_argument("--missed", action="store_true", help="列出答错的问题")
    one.set_defaults(run=evaluate)
    one = commands.add_parser("bench", help="启动时间和回答时延")
    one.set_defaults(run=bench)
    one = commands.add_parser("fit", help="交叉验证，写出 thresholds.yaml")
    one.set_defaults(run=fit)
    return parser


if __name__ == "__main__":
    sys.exit(main())
