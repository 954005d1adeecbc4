import io
import json
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

from playwright.sync_api import Page as ChromiumPage
from pyhanko.pdf_utils.reader import PdfFileReader

import diagnostics
from diagnostics import __main__ as command
from diagnostics import catalogue, report
from diagnostics.probes import PROBES
from diagnostics.result import Fact, Report, Result, Status
from tests.diagnostics.conftest import NOW, issue
from tests.diagnostics.test_cert_dates import MakeKey
from tests.diagnostics.test_token import jwt

SECRETS = {
    "name": "张三丰",
    "id": "11010519491231002X",
    "credit": "91350100M000100Y43",
    "phone": "13800138000",
    "token": jwt({"exp": 1}),
    "serial": "4f3a9c11d2e8aa01",
    "user": "zhangsan",
}


class Page(HTMLParser):
    """Tags as they come, and the text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(source)

    def handle_starttag(self, tag: str, _: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def leaky() -> Report:
    """A report of a probe that forgot to redact."""
    text = f"{SECRETS['id']} {SECRETS['credit']} {SECRETS['phone']} {SECRETS['token']} pin=123456"
    text += f" C:\\Users\\{SECRETS['user']}\\x <script>alert(1)</script>"
    result = Result("driver", "KEY驱动", "fail", "driver_error", text, (Fact("x", "细节", text),), text)
    return Report("neimenggu", "内蒙古", NOW, 5, ("driver",), (result,), result)


def test_what_a_probe_forgot_to_redact_does_not_leave() -> None:
    for written in (report.to_html(leaky()), report.to_json(leaky())):
        for what in ("id", "credit", "phone", "token", "user"):
            assert SECRETS[what] not in written, what
        assert "123456" not in written


def test_the_page_is_whole_escaped_and_needs_nothing_from_elsewhere() -> None:
    source = report.to_html(leaky())
    page = Page(source)
    assert "script" not in page.tags
    assert "alert(1)" in page.text
    assert not {"img", "link", "iframe"} & set(page.tags)
    assert page.tags.count("tr") == 2


def test_a_real_report_as_page_and_file(make_key: MakeKey, tmp_path: Path) -> None:
    module = make_key(
        issue(
            timedelta(days=-300),
            timedelta(days=-40),
            subject=SECRETS["name"],
            serial=int(SECRETS["serial"], 16),
        )
    )
    found = diagnostics.run(
        "neimenggu", module=module, now=NOW, offline=True, facts={"token": SECRETS["token"]}
    )
    page, document = report.to_html(found), json.loads(report.to_json(found))
    assert document["root_cause"]["finding"] == "cert_expired"
    assert document["format"] == report.FORMAT
    assert "尾号 aa01" in page
    assert found.root_cause is not None
    assert found.root_cause.summary in Page(page).text
    for what in ("name", "token", "serial"):
        assert SECRETS[what] not in page
        assert SECRETS[what] not in json.dumps(document, ensure_ascii=False)


def test_everything_there_is_to_say_prints_on_one_page(page: ChromiumPage) -> None:
    """Every check with its longest words; six of them faults, with all they rest on."""
    results = []
    for at, (name, data) in enumerate(catalogue.load("neimenggu").probes.items()):
        longest = max(data.rules, key=lambda rule: len(rule.say) + len(rule.remedy or ""))
        facts = tuple(Fact(fact, spec.label, "libsofthsm2.so") for fact, spec in PROBES[name].facts.items())
        status: Status = "fail" if at % 5 in (0, 1) else "ok"
        remedy = longest.remedy if status == "fail" else None
        results.append(
            Result(name, data.title, status, longest.finding, longest.say, facts, remedy, "nm-11-1")
        )
    every = Report("neimenggu", "内蒙古", NOW, 5, (), tuple(results), results[0])
    source = report.to_html(every)
    page.set_content(source)
    assert PdfFileReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).root["/Pages"]["/Count"] == 1
    assert Page(source).text.count("libsofthsm2.so") == sum(
        len(result.evidence) for result in results if result.status == "fail"
    )
    filed = json.loads(report.to_json(every))["results"]
    assert [len(each["evidence"]) for each in filed] == [len(result.evidence) for result in results]


def test_the_command_writes_both(tmp_path: Path, capsys: object) -> None:
    page, file = tmp_path / "r.html", tmp_path / "r.json"
    base = [
        "report",
        "--region",
        "shanxi",
        "--offline",
        "--only",
        "token",
        "--token-expires",
        "2020-01-01T00:00:00Z",
    ]
    assert command.main([*base, "--html", str(page), "--file", str(file)]) == 1
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert json.loads(file.read_text(encoding="utf-8"))["root_cause"]["finding"] == "token_expired"
    assert command.main(base) == 2
    assert command.main([*base, "--html", str(tmp_path / "none" / "r.html")]) == 2
