"""Lists of documents and the home page with their counts; filters, views, spreadsheet, the same act on several."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4

from flask import Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from core.adapters import sheet_writer
from core.domain.calendar import HERE, day_of
from core.domain.errors import InvalidError
from core.domain.money import parse_yuan
from core.service import filling, home, lists, repairs
from core.service.page_ports import Query
from core.service.views import DocumentSummary
from web import downloads, numbers
from web.documents import key, pages
from web.parts import system
from web.security import actor
from web.words import when

__all__ = ["pages"]  # of the documents, with the lists

PAGE = 20
EXPORTED = 5000
_NAMES = ("folder", "q", "kind", "node", "since", "until", "least", "most", "overdue", "unread")


@dataclass
class Asked:
    """What the address asks for; `given` are its filters as typed, `wrong` says what cannot be read."""

    query: Query
    given: dict[str, str]
    wrong: dict[str, str] = field(default_factory=dict)

    @property
    def kept(self) -> dict[str, str]:
        """What brings this list up again."""
        folder = {"folder": self.query.folder} if self.query.folder != "all" else {}
        return folder | {name: text for name, text in self.given.items() if name != "folder"}

    @property
    def endpoint(self) -> str:
        """Which page shows this list."""
        return "documents.todo" if self.query.folder == "todo" else "documents.listing"


def asked(default: str = "all") -> Asked:
    """From the address of this request; what cannot be read filters nothing and is said."""
    given = {name: text for name in _NAMES if (text := request.args.get(name, "").strip()[:100])}
    wrong: dict[str, str] = {}
    folder = given.get("folder", default)
    folder = folder if folder in lists.FOLDERS else default
    query = Query(
        folder=folder, order=lists.order_of(folder), after=_moment(request.args.get("at", "")),
        overdue="overdue" in given, unread="unread" in given,
        kind=given.get("kind", ""), node=given.get("node", ""), words=given.get("q", ""),
        since=_day(given, "since", wrong, 0), until=_day(given, "until", wrong, 1),
        least_fen=_fen(given, "least", wrong), most_fen=_fen(given, "most", wrong),
    )  # fmt: skip
    return Asked(query, given, wrong)


def _moment(text: str) -> datetime | None:
    """Where a page of a list goes on; an address that somebody wrote begins at the beginning."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None


def _day(given: dict[str, str], name: str, wrong: dict[str, str], later: int) -> datetime | None:
    if name not in given:
        return None
    try:
        day = date.fromisoformat(given[name]) + timedelta(days=later)
    except (ValueError, OverflowError):
        wrong[name] = "日期要写成 2026-03-31 这样"
        return None
    return datetime.combine(day, time.min, HERE).astimezone(UTC)


def _fen(given: dict[str, str], name: str, wrong: dict[str, str]) -> int | None:
    if name not in given:
        return None
    try:
        return parse_yuan(given[name])
    except InvalidError:
        wrong[name] = "金额请写成元，例如 50000"
        return None


@pages.get("/home")
def home_page() -> str:
    """What waits for this account: counts of its lists, the most urgent first."""
    shown = home.desk(system(), actor())
    return render_template(
        "home.html",
        desk=shown,
        tasks=repairs.mine(system(), actor()),
        folders=lists.FOLDERS,
        enters=_enters(),
    )


def _enters() -> bool:
    """Whether there is anything that this account may enter."""
    return bool(filling.entries(system(), actor()))


@pages.get("/todo")
def todo() -> str:
    """Documents whose turn it is with this account, the most urgent first, and steps colleagues ask for."""
    wanted = asked("todo")
    others = home.others(system(), actor())
    return _list("todo.html", wanted, tasks=repairs.mine(system(), actor()), others=others, key=uuid4().hex)


@pages.get("/documents")
def listing() -> str:
    """All the account may see, by folder and filters, page by page."""
    wanted = asked()
    if wanted.query.folder == "todo":
        return todo()
    return _list("documents.html", wanted, enters=_enters())


def _list(template: str, wanted: Asked, **more: object) -> str:
    before = numbers.asked("before")
    found = lists.find(system(), actor(), wanted.query, limit=PAGE + 1, before=before)
    shown = found[:PAGE]
    acts = lists.common(system(), actor(), shown) if wanted.query.folder == "todo" else []
    further = _further(wanted, shown[-1]) if len(found) > PAGE else None
    return render_template(
        template, documents=shown, further=further, asked=wanted, folders=lists.FOLDERS, acts=acts,
        kinds=lists.kinds(system(), actor()), views=lists.views(system(), actor()), **more,
    )  # fmt: skip


def _further(wanted: Asked, last: DocumentSummary) -> dict[str, str | int]:
    """The address of the next page."""
    rank = lists.rank(wanted.query.folder, last)
    at = {"at": rank.isoformat()} if rank else {}
    return {**wanted.kept, "before": last.id, **at}


@pages.get("/documents/export.xlsx")
def export() -> Response:
    """The list as a spreadsheet, with all its pages."""
    found = lists.find(system(), actor(), asked().query, limit=EXPORTED)
    header = (
        "编号",
        "种类",
        "类型",
        "名称",
        "单位",
        "金额（元）",
        "状态",
        "轮到谁",
        "期限",
        "催办次数",
        "更新时间",
    )
    content = sheet_writer.write("单据", header, [_line(one) for one in found])
    return downloads.file(content, f"单据-{day_of(system().clock()):%Y%m%d}.xlsx")


def _line(one: DocumentSummary) -> tuple[str | float, ...]:
    amount = one.amount_fen / 100 if one.has_amount else ""
    return (
        one.number, one.kind_label, one.variant_label, one.title, one.unit_name, amount, one.node_label,
        one.whose, one.due.words if one.due else "", one.due.reminded if one.due else 0, when(one.updated_at),
    )  # fmt: skip


@pages.post("/documents/views")
def keep_view() -> AnyResponse:
    """Keep the filters of a list under a name."""
    query = {name: request.form[name] for name in _NAMES if request.form.get(name)}
    lists.keep_view(system(), actor(), request.form.get("name", ""), query)
    flash("已保存这个查询")
    folder = query.get("folder")
    return redirect(url_for(".todo" if folder == "todo" else ".listing", **query), 303)  # type: ignore[arg-type]  # names of filters


@pages.post("/documents/views/<int:view>/delete")
def drop_view(view: int) -> AnyResponse:
    """Forget a kept list."""
    lists.drop_view(system(), actor(), view)
    flash("已删除这个查询")
    return redirect(url_for(".listing"), 303)


@pages.post("/todo/batch")
def batch() -> str:
    """The same act on the documents ticked, each by itself, with a line for each."""
    chosen: dict[str, int] = {}
    for pick in request.form.getlist("pick"):
        number, _, seen = pick.rpartition(":")
        version = numbers.read(seen)
        if not number or version is None:
            raise InvalidError("页面不完整，请刷新后再试", fields={"pick": "看不懂"})
        chosen[number] = version
    action = request.form.get("action", "")
    arguments = {name: request.form.get(name, "").strip() for name in ("opinion", "reason")}
    if not action:
        raise InvalidError("请选择要办的事", fields={"action": "请选择"})
    found = lists.act_on_all(system(), actor(), chosen, action, arguments, key=key())
    return render_template("batch.html", outcomes=found)
