"""400 simulated desks through the real runner: the counts, and the table in the documentation."""

from pathlib import Path

from tests.diagnostics.simulate import BEGIN, END, FAULTS, FAULTY, GOAL, HEALTHY, simulate, table

DOCUMENT = Path(__file__).parents[2] / "docs" / "diagnostics.md"


def test_root_causes_are_named_right_and_healthy_desks_are_left_alone() -> None:
    tally = simulate()
    assert sum(tally.drawn.values()) == FAULTY == 200
    assert tally.healthy == HEALTHY == 200
    assert set(tally.at_once) == {1, 2, 3}
    findings = {finding for found in FAULTS.values() for finding in found}
    assert set(tally.drawn) == findings
    assert min(tally.drawn.values()) >= 5
    assert tally.false_alarms == []
    assert sum(tally.right.values()) / FAULTY >= GOAL, tally.misses
    _, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    written = rest.partition(END)[0].strip()
    assert written == "\n".join(table(tally)), "run: python -m tests.diagnostics.simulate docs/diagnostics.md"
