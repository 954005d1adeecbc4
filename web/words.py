"""How values read to people: yuan, Shanghai time, states."""

from datetime import datetime

from flask import Flask
from markupsafe import Markup, escape

from core.domain.calendar import HERE
from core.domain.money import yuan


def when(at: datetime | None) -> str:
    """UTC → `2026-11-20 09:30` in Shanghai; empty for None."""
    return at.astimezone(HERE).strftime("%Y-%m-%d %H:%M") if at else ""


def short_when(at: datetime | None) -> str:
    """UTC → `11-20 09:30` in Shanghai, where space is short."""
    return at.astimezone(HERE).strftime("%m-%d %H:%M") if at else ""


def span(seconds: float) -> str:
    """A time spent, in its two biggest units: `3 天 4 小时`, `12 分钟`, `不到 1 分钟`."""
    minutes = int(seconds) // 60
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [f"{count} {unit}" for count, unit in ((days, "天"), (hours, "小时"), (rest, "分钟")) if count]
    return " ".join(parts[:2]) or "不到 1 分钟"


def iso(at: datetime | None) -> str:
    """For `<time datetime>`."""
    return at.isoformat() if at else ""


def lines(text: str) -> Markup:
    """Text with its line breaks, everything else escaped."""
    return Markup("<br>").join(escape(line) for line in text.splitlines())


def common_name(subject: str) -> str:
    """`CN=某局公章,O=某局,C=CN` → `某局公章`."""
    parts = dict(part.split("=", 1) for part in subject.split(",") if "=" in part)
    return parts.get("CN", subject)


def is_among(whose: str, *me: str) -> bool:
    """Whether somebody who is called any of `me` is one of those whose turn it is."""
    return bool(whose) and not set(me).isdisjoint(whose.split("、"))


def turn(whose: str, *me: str) -> str:
    """Whose turn it is, in words for who is called `me`: `轮到您办理` or `等 王芳（…） 办理`; "" for nobody's."""
    if not whose:
        return ""
    return "轮到您办理" if is_among(whose, *me) else f"等 {whose} 办理"


def register(app: Flask) -> None:
    """As template filters."""
    for function in (yuan, when, short_when, span, iso, lines, common_name, turn):
        app.add_template_filter(function)
