"""What the page of a form shows, field by field; the templates only draw it, the browser only takes it over."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.domain.catalogue import Catalogue
from core.domain.forms import Field, FieldType, is_empty, rows
from core.domain.money import yuan
from core.service.filling import Filling
from web.form_input import PREFIX, Read, text_of
from web.form_shown import Words, words_of

RADIOS = 4  # up to so many choices lie open
ROWS_DRAWN = 200  # a longer table is changed through a spreadsheet
FIRST_ROWS = 20
_NEW_ROW = "__"  # stands for the number of a row in the template of rows


@dataclass(frozen=True)
class Box:
    """One field. `state`: bad, doubt, good or empty; `note` says what a code means; `options` are (value, label)."""

    field: Field
    path: str
    text: str = ""
    chosen: tuple[str, ...] = ()
    file: Mapping[str, str] | None = None
    hidden: bool = False
    required: bool = False
    error: str = ""
    doubt: str = ""
    state: str = ""
    note: str = ""
    options: tuple[tuple[str, str], ...] = ()
    suggest: str = ""
    rows: tuple[tuple["Box", ...], ...] = ()
    model: tuple["Box", ...] = ()  # of a row that is added
    count: int = 0
    locked: bool = False  # stays as it is where the document stands
    words: str = ""  # what is in it, to be read only

    @property
    def id(self) -> str:
        """For `id` and `for`."""
        return f"{PREFIX}-{self.path.replace('.', '-')}"

    @property
    def name(self) -> str:
        """For `name`."""
        return f"{PREFIX}.{self.path}"

    @property
    def widget(self) -> str:
        """How it is drawn."""
        kind = self.field.type
        if self.locked and kind is not FieldType.TABLE:
            return "locked"
        if self.field.computed and not self.field.entered:
            return "computed"
        if kind in {FieldType.CHOICE, FieldType.YES_NO}:
            open_ = len(self.options) <= RADIOS and "." not in self.path
            return "radios" if open_ else "select"
        if kind in {FieldType.INDICATOR, FieldType.UNIT, FieldType.DOCUMENT}:
            return "select"
        return kind.value

    @property
    def wide(self) -> bool:
        """Whether it takes a whole line."""
        return self.widget in {"long_text", "table", "choices", "radios", "file"}

    @property
    def kept(self) -> bool:
        """Whether a table is too long to be changed by hand."""
        return self.count > ROWS_DRAWN

    def plain(self) -> dict[str, Any]:
        """What the browser takes over after each change."""
        return {
            "hidden": self.hidden, "required": self.required, "error": self.error, "doubt": self.doubt,
            "state": self.state, "note": self.note, "text": self.text if self.field.computed or self.field.default else None,
        }  # fmt: skip


@dataclass
class FormPage:
    """All boxes; `amount` in yuan, empty where the kind has none."""

    boxes: list[Box]
    amount: str
    wrong: dict[str, str]
    doubts: dict[str, str] = field(default_factory=dict)

    @property
    def sections(self) -> list[list[Box]]:
        """What may be changed."""
        return _sections([box for box in self.boxes if not box.locked])

    @property
    def locked(self) -> list[list[Box]]:
        """What stays as it is."""
        return _sections([box for box in self.boxes if box.locked])

    @property
    def loose(self) -> dict[str, list[str]]:
        """Mistakes and doubts that no field shows."""
        shown = {box.path for box in self.flat()}
        pairs = {"wrong": self.wrong, "doubts": self.doubts}
        return {
            name: [text for path, text in found.items() if path not in shown] for name, found in pairs.items()
        }

    def flat(self) -> list[Box]:
        """Every box that is drawn."""
        return [box for outer in self.boxes for box in (outer, *(cell for row in outer.rows for cell in row))]

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "boxes": {box.path: box.plain() for box in self.flat()},
            "amount": self.amount, "wrong": len(self.wrong), "doubts": self.loose["doubts"],
        }  # fmt: skip


def _sections(boxes: list[Box]) -> list[list[Box]]:
    """Fields in their order: those that follow each other together, each table by itself."""
    found: list[list[Box]] = []
    for box in boxes:
        table = box.field.type is FieldType.TABLE
        if table or not found or found[-1][0].field.type is FieldType.TABLE:
            found.append([])
        found[-1].append(box)
    return found


def build(filling: Filling, given: Read | None, catalogue: Catalogue) -> FormPage:
    """The page of a form; `given` is what was just posted, with what could not be read."""
    fresh = given is None and not filling.number
    given = given or Read()
    wrong = {**filling.review.errors, **given.wrong}
    maker = _Maker(filling, given, wrong, catalogue, fresh)
    boxes = [maker.box(item, item.id, filling.values) for item in filling.process.form.fields]
    amount = yuan(filling.amount_fen) if filling.process.form.amount else ""
    return FormPage(boxes, amount, wrong, dict(filling.review.doubts))


@dataclass
class _Maker:
    filling: Filling
    given: Read
    wrong: Mapping[str, str]
    catalogue: Catalogue
    fresh: bool  # nothing was filled in yet: each table begins with a row

    def box(self, item: Field, path: str, values: Mapping[str, Any]) -> Box:
        value = values.get(item.id)
        column = path if "." not in path else f"{path.split('.', maxsplit=1)[0]}.{item.id}"
        error, doubt = self.wrong.get(path, ""), self.filling.review.doubts.get(path, "")
        text = self.given.typed.get(path) or text_of(item, value)
        if item.computed and not item.entered:
            text = "—" if is_empty(value) else words_of(item, value)
        table = self._table(item, path, values) if item.type is FieldType.TABLE else {}
        locked = path.split(".", maxsplit=1)[0] in self.filling.locked
        options = self._options(item, column, text)
        return Box(
            field=item, path=path, text=text, error=error, doubt=doubt,
            chosen=tuple(value) if isinstance(value, list) and item.type is FieldType.CHOICES else (text,),
            file=value if isinstance(value, Mapping) else None,
            hidden=path in self.filling.state.hidden or (locked and not self.filling.number and is_empty(value)),
            required=path in self.filling.state.required,
            state=self._state(item, path, value), note=self._note(item, value),
            locked=locked, words=self._words(item, value, options),
            options=options, suggest=self._suggest(item, column), **table,
        )  # fmt: skip

    def _table(self, item: Field, path: str, values: Mapping[str, Any]) -> dict[str, Any]:
        begun: list[Mapping[str, Any]] = [{}] if self.fresh and path in self.filling.state.required else []
        found = rows(values, item.id) or begun
        drawn = found[:FIRST_ROWS] if len(found) > ROWS_DRAWN else found
        made = [
            tuple(self.box(column, f"{path}.{number}.{column.id}", row) for column in item.fields)
            for number, row in enumerate(drawn)
        ]
        model = tuple(self.box(column, f"{path}.{_NEW_ROW}.{column.id}", {}) for column in item.fields)
        return {"rows": tuple(made), "model": model, "count": len(found)}

    def _state(self, item: Field, path: str, value: Any) -> str:
        below = f"{path}."
        if path in self.wrong or any(key.startswith(below) for key in self.wrong):
            return "bad"
        doubts = self.filling.review.doubts
        if path in doubts or any(key.startswith(below) for key in doubts):
            return "doubt"
        return "" if is_empty(value) or item.computed else "good"

    def _note(self, item: Field, value: Any) -> str:
        if item.type is not FieldType.CATALOGUE or not isinstance(value, str):
            return ""
        known = self.catalogue.by_code.get(value)
        return known.name if known else ""

    def _options(self, item: Field, column: str, text: str) -> tuple[tuple[str, str], ...]:
        if item.type is FieldType.YES_NO:
            return (("yes", "是"), ("no", "否"))
        options = self.filling.choices.get(column) or tuple((o.value, o.label) for o in item.options)
        # one that works no more, or was typed into the API: shown as it is, not silently dropped
        lost = text and item.type is not FieldType.CHOICES and text not in {value for value, _ in options}
        return (*options, (text, text)) if lost else options

    def _words(self, item: Field, value: Any, options: tuple[tuple[str, str], ...]) -> str:
        if item.type in {FieldType.INDICATOR, FieldType.UNIT, FieldType.DOCUMENT} and not is_empty(value):
            return dict(options).get(str(value), str(value))
        return Words(self.catalogue, {}).text(item, value, "")

    def _suggest(self, item: Field, column: str) -> str:
        if item.type is FieldType.CATALOGUE:
            return "codes"
        checks = self.filling.process.form.checks
        return "names" if any(f"named({column})" in check.must for check in checks) else ""
