"""Whole numbers in addresses and forms: no longer than a database can hold, so that a made-up one is not found, not an error."""

from flask import Flask, request
from werkzeug.routing import IntegerConverter

LARGEST = 2**63 - 1


class Number(IntegerConverter):
    """`<int:…>` of every route."""

    def __init__(self, map: object, *given: object, **named: object) -> None:  # noqa: A002 - werkzeug's name for it
        """As werkzeug's, with a largest value."""
        super().__init__(map, *given, **{"max": LARGEST, **named})  # type: ignore[arg-type]  # passed through


def asked(name: str) -> int | None:
    """A number of the query; None where it is missing or none."""
    return read(request.args.get(name, ""))


def posted(name: str) -> int | None:
    """A number of the posted form; None where it is missing or none."""
    return read(request.form.get(name, ""))


def every(name: str) -> list[int]:
    """All numbers of that name in the query or the posted form; what is none is left out."""
    return [number for given in request.values.getlist(name) if (number := read(given)) is not None]


def read(given: str) -> int | None:
    """What was typed as a number; None where it is none."""
    digits = given.removeprefix("-")
    plain = digits.isascii() and digits.isdecimal() and len(digits) <= len(str(LARGEST))
    return int(given) if plain and abs(int(given)) <= LARGEST else None


def register(app: Flask) -> None:
    """Before the routes."""
    app.url_map.converters["int"] = Number
