"""Budget indicators and what moved on them."""

from flask import Blueprint, render_template

from core.domain.errors import NotFoundError
from core.service import ledger
from web.parts import system
from web.security import actor, require_session

pages = Blueprint("indicators", __name__)
pages.before_request(require_session)


@pages.get("/indicators")
def listing() -> str:
    """All indicators of the unit."""
    return render_template("indicators.html", indicators=ledger.indicators(system(), actor()))


@pages.get("/indicators/<int:indicator>")
def statement(indicator: int) -> str:
    """Every movement on one indicator."""
    movements = ledger.statement(system(), actor(), indicator)
    found = next((item for item in ledger.indicators(system(), actor()) if item.id == indicator), None)
    if found is None:
        raise NotFoundError("没有这个指标")
    return render_template("indicator.html", indicator=found, movements=movements)
