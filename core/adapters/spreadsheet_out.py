"""Reports as spreadsheets: the result as it was queried, and the file that goes to the finance ministry."""

from core.adapters import sheet_writer
from core.service.reports import Report


def result(report: Report) -> bytes:
    """As shown: labels, rows, total, and below them the period and whether it ties to the ledger."""
    below = (("",), (f"统计时间：{report.period}（按合同签订日期）",), (report.tie,), ("金额单位：元",))
    return sheet_writer.write(report.label, report.header, (*report.rows, *below))


def upload(report: Report) -> bytes:
    """For upload: column codes, data rows and the total, nothing else.

    The source (fj-11.2.2) names this file and not its layout: columns are those of the table, under codes of our own.
    """
    return sheet_writer.write(report.id, report.codes, report.rows)
