"""Templates: every one renders, every one is used, every use gives exactly its slots."""

import ast
from pathlib import Path

import pytest

import assistant
from assistant import replies
from assistant.smalltalk import moves, reply
from assistant.understanding import patterns
from core.domain.errors import DataError

FOLDER = Path(assistant.__file__).parent
# Names that are put together or chosen at run time.
DYNAMIC = {
    "closed_editable",
    "closed_void",
    "closed_cancelled",
    "example_reason",
    "example_opinion",
    "declined",
    "dropped",
    "no_person",
}


def uses() -> list[tuple[str, str, set[str] | None]]:
    """(file:line, template, slots) of every `say("…")`; slots None where they are given as **."""
    found = []
    for file in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say"):
                continue
            slots = {word.arg for word in node.keywords}
            known = None if None in slots else {slot for slot in slots if slot}
            where = f"{file.name}:{node.lineno}"
            found += [(where, name, known) for name in names_in(node.args[0])]
    return found


def names_in(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return names_in(node.body) + names_in(node.orelse)
    return []


def test_every_template_renders_with_its_slots() -> None:
    for name, template in replies.templates().items():
        slots = {slot: f"〈{slot}〉" for slot in replies.slots_of(template)}
        text = replies.say(name, **slots)
        assert "{" not in text, name
        assert all(value in text for value in slots.values()), name


def test_every_use_names_a_template_and_gives_its_slots() -> None:
    for where, name, slots in uses():
        template = replies.templates().get(name)
        assert template is not None, f"{where}: {name}"
        if slots is not None:
            wanted = replies.slots_of(template)
            assert slots == wanted, f"{where}: {name}"


def test_every_template_is_used() -> None:
    literals = set()
    for file in FOLDER.glob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        literals |= {
            n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)
        }
    unused = set(replies.templates()) - literals - DYNAMIC
    assert not unused


def test_unknown_and_missing_slots_are_mistakes() -> None:
    with pytest.raises(KeyError):
        replies.say("where", document="x")
    with pytest.raises(KeyError):
        replies.say("thanks", name="x")


def test_broken_templates_are_named_by_line(tmp_path: Path) -> None:
    file = tmp_path / "replies.yaml"
    file.write_text('fine: 好\nbroken: "{a.b}"\nempty: ""\n', encoding="utf-8")
    with pytest.raises(DataError) as caught:
        replies.templates.__wrapped__(file)
    assert [problem.split(":")[1] for problem in caught.value.problems] == ["2", "3"]


def test_every_move_of_the_smalltalk_is_heard_and_varies() -> None:
    heard = set(patterns().exact.values()) | {act for _, act, _ in patterns().contains}
    assert set(moves()) - heard == {"silence", "symbols"}
    for act, move in moves().items():
        said = {found.text for turn in range(6) if (found := reply(act, turn))}
        assert said == set(move.says)
    assert reply("yes") is None
