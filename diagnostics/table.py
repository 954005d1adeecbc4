"""A report for people: the root cause first, then every check, aligned for Chinese text."""

import unicodedata
from collections.abc import Sequence

from diagnostics.result import LEFT_OUT, WORDS, Report

HEADINGS = ("状态", "检查项", "用时", "说明")


def render(report: Report) -> str:
    """Text of a whole report, without a line end."""
    lines = [f"{report.region_name} · 诊断（{report.duration_ms / 1000:.1f} 秒）", "", *_cause(report), ""]
    rows = [
        (WORDS[result.status], result.title, f"{result.duration_ms} 毫秒", result.summary)
        for result in report.results
    ]
    left_out = [result.title for result in report.results if result.finding == LEFT_OUT]
    note = (
        ["", f"没有做的检查：{'、'.join(left_out)}（这里的 Python 缺少它们要用的程序库）"] if left_out else []
    )
    return "\n".join([*lines, *columns([HEADINGS, *rows]), *note])


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines with aligned columns; a Chinese character is two wide."""
    widths = [max(width(row[index]) for row in rows) for index in range(len(rows[0]) - 1)]
    return [
        "  ".join([*(_pad(cell, wide) for cell, wide in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    ]


def width(text: str) -> int:
    """Columns a text takes in a terminal."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _pad(text: str, wide: int) -> str:
    return text + " " * (wide - width(text))


def _cause(report: Report) -> list[str]:
    cause = report.root_cause
    if cause is None:
        return [report.say()]
    lines = [f"根本原因：{cause.summary}（{cause.title}）"]
    if cause.remedy:
        lines.append(f"处理办法：{cause.remedy}")
    if cause.topic:
        lines.append(f"相关知识：{cause.topic}")
    others = [item.title for item in report.results if item.status == "fail" and item is not cause]
    if others:
        lines.append(f"另有故障：{'、'.join(others)}")
    return lines
