import shutil
from pathlib import Path

import pytest

from core.domain.errors import DataError
from diagnostics import catalogue, catalogue_file, conditions
from diagnostics.catalogue import Catalogue
from diagnostics.probes import PROBES


@pytest.fixture(params=catalogue.regions())
def loaded(request: pytest.FixtureRequest) -> Catalogue:
    return catalogue.load(request.param)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "catalogue"
    shutil.copytree(catalogue.FOLDER, folder)
    return folder


def edit(file: Path, old: str, new: str) -> int:
    """Replace the first `old` and return the line (1-based) where it stood."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def problems(folder: Path) -> list[str]:
    with pytest.raises(DataError) as caught:
        catalogue.load("neimenggu", folder)
    return caught.value.problems


def test_every_sentence_can_be_filled(loaded: Catalogue) -> None:
    for data in loaded.probes.values():
        probe = PROBES[data.name]
        words = {f"{{{name}}}" for name in {*probe.facts, *loaded.words}}
        for rule in data.rules:
            for template in (rule.say, rule.remedy or ""):
                names = catalogue_file.placeholders(template)
                assert names is not None
                assert {f"{{{name}}}" for name in names} <= words


def test_a_failure_always_has_a_remedy(loaded: Catalogue) -> None:
    without = [
        rule.finding
        for data in loaded.probes.values()
        for rule in data.rules
        if rule.status in ("fail", "warn") and not rule.remedy
    ]
    assert not without


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("offset_s: {gt: 300}", "offset_x: {gt: 300}", "没有名为“offset_x”的事实"),
        ("offset_s: {gt: 300}", "offset_s: {above: 300}", "不认识的比较“above”"),
        ("offset_s: {gt: 300}", "offset_s: {gt: much}", "不是数字"),
        ("outcome: {is: missing}", "outcome: {lt: 3}", "只能比较数字"),
        ("outcome: {is: missing}", "outcome: {is: 3}", "类型不符"),
        ("快 {off_minutes}", "快 {off_hours}", "{off_hours}"),
        ("快 {off_minutes}", "快 {off_minutes!r}", "花括号"),
        ("快 {off_minutes}", "快 {off_minutes", "花括号"),
        ("gates: [driver]", "gates: [drivers]", "前提“drivers”不存在"),
        ("gates: [driver]", "gates: [token]", "没有排在"),
        ("- finding: clock_ahead", "- finding: clock_behind", "重复"),
        ("repair: start_services", "repair: restart", "没有名为“restart”的修复"),
        ("repair: start_services", "repair: open_page", "page 与 repair"),
        ("limit_s: 3", "limit_s: 30", "0 到 10 秒"),
        ("stage: {load: 加载", "phase: {load: 加载", "没有名为“phase”的事实"),
        ("run_limit_s: 10", "run_limit_s: 0", "0 到 60 秒"),
        ("finding: clock_right", "finding: ClockRight", "小写字母"),
        ("  - name: driver", "  - name: drivers", "没有名为“drivers”的检查程序"),
    ],
)
def test_a_mistake_is_named_with_its_place(data: Path, old: str, new: str, words: str) -> None:
    file = data / "base.yaml"
    line = edit(file, old, new)
    found = problems(data)
    assert any(words in problem for problem in found), found
    near = {f"{file}:{number}:" for number in range(line - 3, line + 8)}
    assert any(problem.startswith(tuple(near)) for problem in found), found


def test_all_mistakes_are_listed_together(data: Path) -> None:
    edit(data / "base.yaml", "offset_s: {gt: 300}", "offset_x: {gt: 300}")
    edit(data / "base.yaml", "{manufacturer}", "{maker}")
    edit(data / "neimenggu.yaml", "token_expired: nm-13", "token_gone: nm-13")
    found = problems(data)
    assert len(found) == 3
    assert any("neimenggu.yaml" in problem and "token_gone" in problem for problem in found)


def test_unknown_keys_and_a_missing_last_rule(data: Path) -> None:
    edit(data / "base.yaml", "limit_s: 3", "limit_s: 3\n    limits: 4")
    assert any("不认识的键" in problem for problem in problems(data))


def test_the_last_rule_has_no_condition(data: Path) -> None:
    edit(
        data / "base.yaml",
        "finding: ukey_absent\n",
        "finding: ukey_absent\n        when: {state: {is: absent}}\n",
    )
    assert any("最后一条规则" in problem for problem in problems(data))


@pytest.mark.parametrize(
    ("condition", "facts", "expected"),
    [
        ({}, {}, True),
        ({"days": {"lt": 0}}, {"days": -1}, True),
        ({"days": {"lt": 0}}, {"days": 0}, False),
        ({"days": {"lt": 0}}, {"days": None}, False),
        ({"days": {"gt": 0}}, {"days": None}, False),
        ({"days": {"is": None}}, {"days": None}, True),
        ({"days": {"ge": 0, "le": 30}}, {"days": 30}, True),
        ({"days": {"ge": 0, "le": 30}}, {"days": 31}, False),
        ({"word": {"in": ["a", "b"]}}, {"word": "b"}, True),
        ({"word": {"not_in": ["a", "b"]}}, {"word": "b"}, False),
        ({"word": {"is_not": "a"}, "days": {"is": 1}}, {"word": "b", "days": 2}, False),
    ],
)
def test_conditions(
    condition: conditions.Condition, facts: dict[str, int | str | None], *, expected: bool
) -> None:
    assert conditions.holds(condition, facts) is expected
