"""Open data of projects: valid against the standard's own schemas, offline; true to the ledger; nothing private in it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from core import walks
from core.__main__ import main
from core.adapters import ocds_packages
from core.adapters.database import SqlDatabase
from core.domain.errors import NotFoundError
from core.service import contract_facts, ocds
from core.service.ocds import Project
from core.service.system import System
from core.settings import Settings
from core.walks import Player
from tests.support.shared import copy_of

WALKS = walks.load()
PLAYED = [
    "neimenggu/project_to_closing", "shanxi/demonstration", "anhui/from_budget_to_contract",
    "xuchang/from_plan_to_acceptance", "fujian/contract_to_acceptance", "fujian/contract_change",
    "fujian/write_off", "fujian/contract_termination", "fujian/supplement", "fujian/project", "fujian/tender",
]  # fmt: skip
PRIVATE = re.compile(r"6200000000|6222000|01[0-9]{2,3}-[0-9]{7}|李明|王芳|罗验收|赵工|验收单|\.pdf")
RULES = ocds_packages.read_rules()


@pytest.fixture(scope="module")
def world(
    bare_worlds: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[System, dict[str, Player]]]:
    """One world in which the walks were taken one after another."""
    with copy_of(bare_worlds, tmp_path_factory.mktemp("ocds") / "walked.db") as system:
        players = {name: Player(system, WALKS[name], name) for name in PLAYED}
        for player in players.values():
            player.play()
        yield system, players


def validator(name: str) -> Draft4Validator:
    schemas = {file.name: json.loads(file.read_text()) for file in ocds_packages.SCHEMA.glob("*.json")}
    known = [(schema["id"], Resource(schema, DRAFT4)) for schema in schemas.values()]
    registry: Registry[Any] = Registry().with_resources(known)
    return Draft4Validator(schemas[name], registry=registry, format_checker=FormatChecker())


def mistakes(name: str, package: dict[str, Any]) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in validator(name).iter_errors(package)][:5]


def project(
    world: tuple[System, dict[str, Player]], walk: str, name: str, *, public: bool = False
) -> Project:
    system, players = world
    return ocds.project(system, RULES, players[walk].numbers[name], public=public)


def compiled(found: Project, system: System) -> dict[str, Any]:
    package = ocds_packages.record_package([found], system.clock(), "http://127.0.0.1:8000/x.json")
    merged: dict[str, Any] = package["records"][0]["compiledRelease"]
    return merged


@pytest.mark.parametrize("public", [False, True])
@pytest.mark.parametrize("region", ["neimenggu", "shanxi", "anhui", "xuchang", "fujian"])
def test_every_regions_packages_are_valid_and_tell_nothing_private(
    world: tuple[System, dict[str, Player]], region: str, *, public: bool
) -> None:
    system, _ = world
    found = ocds.projects(system, RULES, region, public=public)
    uri = f"http://127.0.0.1:8000/ocds/{region}.json"
    releases = ocds_packages.release_package(found, system.clock(), uri)
    records = ocds_packages.record_package(found, system.clock(), uri)
    assert releases["releases"]
    assert mistakes("release-package-schema.json", releases) == []
    assert mistakes("record-package-schema.json", records) == []
    assert PRIVATE.findall(json.dumps([releases, records], ensure_ascii=False)) == []
    ids = [release["id"] for release in releases["releases"]]
    assert len(ids) == len(set(ids))
    assert all(release["date"].endswith("+08:00") for release in releases["releases"])


def test_the_schema_would_find_a_mistake(world: tuple[System, dict[str, Player]]) -> None:
    system, _ = world
    found = ocds.projects(system, RULES, "xuchang")
    package = ocds_packages.release_package(found, system.clock(), "http://127.0.0.1:8000/x.json")
    package["releases"][0]["tag"] = ["unheard"]
    assert any("unheard" in one for one in mistakes("release-package-schema.json", package))


def test_the_whole_way_of_a_project(world: tuple[System, dict[str, Player]]) -> None:
    system, _ = world
    walk = "fujian/contract_to_acceptance"
    found = project(world, walk, "contract")
    assert [release["tag"][0] for release in found.releases] == [
        "planning", "planning", "contract", "implementation", "implementationUpdate", "implementationUpdate",
        "implementation", "contractUpdate",
    ]  # fmt: skip
    merged = compiled(found, system)
    contract = merged["contracts"][0]
    assert merged["tender"]["value"] == {"amount": 50000, "currency": "CNY"}
    assert contract["value"] == {"amount": 40000, "currency": "CNY"}
    assert contract["status"] == "terminated"
    paid = contract["implementation"]["transactions"]
    assert sum(one["value"]["amount"] for one in paid) == 40000
    assert [one["status"] for one in contract["implementation"]["milestones"]] == ["notMet", "met"]
    assert merged["awards"][0]["suppliers"][0]["name"] == "北疆办公设备有限公司"
    assert contract["awardID"] == merged["awards"][0]["id"]


def test_contract_values_tie_to_the_ledger(world: tuple[System, dict[str, Player]]) -> None:
    system, players = world
    viewer = players["fujian/supplement"].account("handler")
    with system.database.read() as tx:
        facts = {one.number: one for one in contract_facts.collect(system, tx, viewer)}
    told = {
        contract["id"]: contract
        for one in ocds.projects(system, RULES, "fujian")
        for contract in compiled(one, system).get("contracts", [])
    }
    assert facts
    for number, fact in facts.items():
        value = round(told[number]["value"]["amount"] * 100)
        assert fact.ended or value == fact.held_fen, number  # also while a change waits that may never pass
        assert fact.node_label != "已备案" or value == fact.amount_fen, number
        paid = told[number].get("implementation", {}).get("transactions", [])
        assert round(sum(one["value"]["amount"] for one in paid) * 100) == fact.paid_fen, number


def test_a_changed_contract_keeps_what_it_said_before(world: tuple[System, dict[str, Player]]) -> None:
    system, _ = world
    found = project(world, "fujian/contract_change", "contract")
    assert [release["tag"][0] for release in found.releases].count("contractAmendment") == 1
    package = ocds_packages.record_package([found], system.clock(), "http://127.0.0.1:8000/x.json")
    history = package["records"][0]["versionedRelease"]["contracts"][0]["value"]["amount"]
    assert [one["value"] for one in history] == [40000, 35000]  # the change that waits is not told
    assert [one["releaseTag"] for one in history] == [["contract"], ["contractAmendment"]]


def test_a_changed_project_and_a_changed_method_are_told(world: tuple[System, dict[str, Player]]) -> None:
    system, _ = world
    said = compiled(project(world, "fujian/project", "project"), system)
    assert said["planning"]["budget"]["amount"]["amount"] == 36000  # 30,000 before the change took effect
    found = project(world, "fujian/tender", "plan")
    changed = [release["tender"] for release in found.releases if release["tag"] == ["tenderUpdate"]]
    assert [one["procurementMethodDetails"] for one in changed] == ["竞争性磋商"]


def test_public_means_published(world: tuple[System, dict[str, Player]]) -> None:
    found = project(world, "xuchang/from_plan_to_acceptance", "contract", public=True)
    assert [fact.moment.kind for fact in found.facts] == ["notice", "notice", "contract", "acceptance"]
    with pytest.raises(NotFoundError):
        project(world, "shanxi/demonstration", "waiting", public=True)
    # 安徽的合同不在门户发布
    kinds = {
        fact.moment.kind
        for fact in project(world, "anhui/from_budget_to_contract", "plan", public=True).facts
    }
    assert kinds == {"notice", "award"}


def test_the_command_writes_a_package(
    world: tuple[System, dict[str, Player]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    system, players = world
    assert isinstance(system.database, SqlDatabase)
    monkeypatch.setenv("CAIGOU_DATABASE_URL", str(system.database.engine.url))
    monkeypatch.setenv("CAIGOU_VAR", str(tmp_path))
    number = players["xuchang/from_plan_to_acceptance"].numbers["acceptance"]
    out = tmp_path / "records.json"
    assert main(["export", "--ocds", "--project", number, "--records", "--out", str(out)]) == 0
    records = json.loads(out.read_text(encoding="utf-8"))["records"]
    assert records[0]["compiledRelease"]["contracts"][0]["value"] == {"amount": 118000, "currency": "CNY"}
    assert main(["export", "--ocds", "--project", "HT-0-0-0"]) == 1
    assert main(["export", "--ocds", "--region", "nowhere"]) == 1
    assert "没有 nowhere 这个地区" in capsys.readouterr().err
    assert main(["export", "--ocds", "--project", number, "--out", str(tmp_path / "none" / "x.json")]) == 1
    assert "写不进去" in capsys.readouterr().err
