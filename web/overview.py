"""The region's whole path, each kind's process, and the same kind in two regions side by side."""

from flask import Blueprint, render_template, request

from core.domain.errors import NotFoundError
from core.domain.process import Process
from core.service import comparison, overview
from web import drawing, map_drawing
from web.parts import system
from web.security import actor, require_session

pages = Blueprint("overview", __name__)
pages.before_request(require_session)


@pages.get("/overview")
def region() -> str:
    """Kinds in the order in which they hang on each other (ah-flow)."""
    name = _region("region")
    boxes = overview.region_map(system(), name)
    return render_template(
        "overview.html", boxes=boxes, map=map_drawing.place(boxes), region=name,
        label=system().processes.region_label(name), regions=overview.regions(system()),
        listed=overview.in_order(boxes), named={box.kind: box.label for box in boxes},
    )  # fmt: skip


@pages.get("/overview/<region>/<kind>")
def kind(region: str, kind: str) -> str:
    """One kind's process, drawn from its data."""
    variants = _variants(region, kind)
    wanted = request.args.get("variant")
    process = next((one for one in variants if one.variant == wanted), variants[0])
    found = overview.drawn(process)
    boxes = {box.kind: box for box in overview.region_map(system(), region)}
    others = [
        (name, label) for name, label in overview.regions(system())
        if name != region and system().processes.variants(name, kind)
    ]  # fmt: skip
    return render_template(
        "overview_kind.html", process=process, variants=variants, box=boxes[kind], boxes=boxes, others=others,
        below=[box for box in boxes.values() if kind in (*box.above, *box.again)], actors=overview.actors,
        wide=drawing.wide(found.nodes, found.edges), narrow=drawing.narrow(found.nodes, found.edges),
        region=region, label=system().processes.region_label(region),
    )  # fmt: skip


@pages.get("/compare")
def compare() -> str:
    """The same kind in two regions."""
    core, known = system(), overview.regions(system())
    left = _region("left")
    right = _region("right", next((name for name, _ in known if name != left), left))
    labels = {
        kind: core.processes.variants(name, kind)[0].label for name, _ in reversed(known) for kind in core.processes.kinds(name)
    }  # fmt: skip
    kind = request.args.get("kind") or next(iter(core.processes.kinds(left)))
    if kind not in labels:
        raise NotFoundError("没有这种单据")
    sides = [_side(name, kind, side) for name, side in ((left, "lv"), (right, "rv"))]
    sections = comparison.compare(sides[0], sides[1]) if sides[0] and sides[1] else {}
    return render_template(
        "compare.html", regions=known, kinds=labels, kind=kind, names=(left, right), sides=sides, sections=sections,
        choices=[core.processes.variants(name, kind) for name in (left, right)],
        all=request.args.get("all") == "1",
    )  # fmt: skip


def _side(region: str, kind: str, name: str) -> Process | None:
    """The variant asked for, else the one that the other side has too, else the first."""
    variants = system().processes.variants(region, kind)
    wanted = request.args.get(name) or request.args.get("lv")
    return next((one for one in variants if one.variant == wanted), variants[0] if variants else None)


def _region(name: str, default: str = "") -> str:
    given = request.args.get(name) or default or actor().region
    if given not in dict(overview.regions(system())):
        raise NotFoundError("没有这个区域的数据")
    return given


def _variants(region: str, kind: str) -> list[Process]:
    found = system().processes.variants(region, kind)
    if not found:
        raise NotFoundError("这个区域没有这种单据")
    return found
