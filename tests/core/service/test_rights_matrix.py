"""The matrix cell by cell, and that the use cases ask it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core.__main__ import main
from core.adapters import processes, rights_file
from core.domain.accounts import Role
from core.domain.errors import DataError, ForbiddenError
from core.domain.rights import Capability, Rights, process_rights
from core.service import budget_import, certificates, exchange, rights, second_factor
from tests.core.world import World

# Written out, not read from the file: what stands in the file is checked against it.
SERVICE = {Role.SUPPORT, Role.ADMIN}
HEADS = {
    Role.REVIEWER, Role.SUPERVISING, Role.OFFICE_SECOND, Role.PROCUREMENT_SECOND, Role.AGENCY, Role.SUPPLIER,
    Role.ADMIN,
}  # fmt: skip
MATRIX = {
    Capability.SEE_TICKETS: SERVICE,
    Capability.ANSWER_TICKETS: SERVICE,
    Capability.TAKE_OVER_CONVERSATIONS: SERVICE,
    Capability.EDIT_KNOWLEDGE: SERVICE,
    Capability.PUBLISH_KNOWLEDGE: {Role.ADMIN},
    Capability.RUN_SERVER_DIAGNOSTICS: SERVICE,
    Capability.MANAGE_OUTBOX: SERVICE,
    Capability.IMPORT_BUDGETS: {Role.ADMIN},
    Capability.MANAGE_STAFF: HEADS,
    Capability.MANAGE_ACCOUNTS: {Role.ADMIN},
    Capability.USE_SECOND_FACTOR: SERVICE,
}
CELLS = [(capability, role) for capability in Capability for role in Role]


@pytest.mark.parametrize(("capability", "role"), CELLS)
def test_each_cell(world: World, capability: Capability, role: Role) -> None:
    account = replace(world["handler"], role=role)
    if role in MATRIX[capability]:
        rights.require(world.system, account, capability)
        assert capability in world.system.rights.of(role)
        return
    with pytest.raises(ForbiddenError) as caught:
        rights.require(world.system, account, capability)
    assert caught.value.fields["capability"] == capability.value
    assert caught.value.fields["who"]


ASKED: dict[Capability, Callable[[World], object]] = {
    Capability.MANAGE_OUTBOX: lambda world: exchange.stuck(world.system, world["admin"]),
    Capability.MANAGE_ACCOUNTS: lambda world: certificates.release(
        world.system, world["admin"], "x", "A", "y"
    ),
    Capability.IMPORT_BUDGETS: lambda world: budget_import.may_upload(world.system, world["admin"]),
    Capability.USE_SECOND_FACTOR: lambda world: second_factor.begin(world.system, world["admin"], "x"),
}


@pytest.mark.parametrize("capability", ASKED)
def test_the_use_cases_ask_the_matrix_and_nothing_else(world: World, capability: Capability) -> None:
    """With the right taken from everybody they refuse even an administrator."""
    rows = dict(world.system.rights.rows)
    rows[capability] = replace(rows[capability], roles=frozenset())
    bare = replace(world, system=replace(world.system, rights=Rights(rows)))
    with pytest.raises(ForbiddenError) as caught:
        ASKED[capability](bare)
    assert caught.value.fields["capability"] == capability.value


def test_the_command_prints_both_parts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rights"]) == 0
    printed = capsys.readouterr().out
    for capability in Capability:
        assert f"（{capability.value}）" in printed
    assert "neimenggu/plan/mall\tunit_second\tpass\treviewer@unit" in printed


def test_process_rights_are_those_of_the_processes() -> None:
    found = list(process_rights(processes.load().processes.values()))
    mall = {(cell.node, cell.action, cell.role) for cell in found if cell.variant == "mall"}
    assert ("unit_second", "pass", Role.REVIEWER) in mall
    assert ("unit_second", "pass", Role.HANDLER) not in mall
    assert ("completed", "sign", Role.HANDLER) in mall


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("see_tickets:", "see_ticket:", "只能是"),
        ("[support, admin]", "[support, admin, support]", "重复"),
        ("[support, admin]", "[support, boss]", "只能是"),
        ("label: 答复工单", "title: 答复工单", "不认识的键"),
        ("publish_knowledge: {label: 发布知识, roles: [admin]}\n", "", "缺少“publish_knowledge”"),
    ],
)
def test_mistakes_in_the_file_are_named_with_their_line(
    tmp_path: Path, before: str, after: str, problem: str
) -> None:
    text = rights_file.FILE.read_text(encoding="utf-8")
    assert before in text
    broken = tmp_path / "rights.yaml"
    broken.write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        rights_file.load(broken)
    assert any(problem in line and f"{broken}:" in line for line in caught.value.problems)
