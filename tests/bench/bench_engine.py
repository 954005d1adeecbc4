"""Acts beside SpiffWorkflow that keeps its state after each step, and beside themselves after twenty returns.

Goals: ten times as many steps a second, and a step after twenty returns costs what it cost after one. Both go the same
way, six reviews with a return to the beginning from the third, on SQLite files with the same settings; SpiffWorkflow's
state is read, taken on by one task and written again, as a server between two requests has to. Only the acts check
rights and forms, move money and keep a record.
"""

import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from core.domain.accounts import Role
from tests.support import small_world

RETURNS, GOAL, FLAT = 20, 10, 1.25
STATIONS = ("entry", "unit_second", "supervising", "office_first", "office_second")
ROUND = ("submit", "pass", "pass", "return")  # to the beginning again
_ROLES = (Role.HANDLER, Role.REVIEWER, Role.SUPERVISING, Role.OFFICE_FIRST)


def main() -> None:
    """Print both rates, their ratio, and the growth of each."""
    with tempfile.TemporaryDirectory() as folder:
        own, form = _own(Path(folder))
        spiff = _spiff(Path(folder), form)
    rate = {name: len(spent) / sum(spent) for name, spent in (("own", own), ("spiff", spiff))}
    growth = {name: _growth(spent) for name, spent in (("own", own), ("spiff", spiff))}
    ratio = rate["own"] / rate["spiff"]
    print(
        f"本项目        {rate['own']:7.0f} 步/秒　二十次退回后每步 {growth['own']:.2f} 倍（目标 {FLAT} 倍以内）"
    )
    print(f"SpiffWorkflow {rate['spiff']:7.0f} 步/秒　二十次退回后每步 {growth['spiff']:.2f} 倍")
    print(f"快 {ratio:.1f} 倍（目标 {GOAL} 倍，{'达到' if ratio >= GOAL else '未达到'}）")
    if ratio < GOAL or growth["own"] > FLAT:
        sys.exit(1)


def _growth(spent: list[float]) -> float:
    """Median of the last rounds over that of the first ones, without the very first."""
    part = 4 * len(ROUND)
    return median(spent[-part:]) / median(spent[len(ROUND) : len(ROUND) + part])


def _timed(spent: list[float], work: Callable[[], object]) -> None:
    started = time.perf_counter()
    work()
    spent.append(time.perf_counter() - started)


def _own(folder: Path) -> tuple[list[float], dict[str, Any]]:
    world = small_world.build(f"sqlite:///{folder / 'own.db'}", folder)
    entered, spent = world.enter("p"), list[float]()
    number = entered.number
    version = 1
    for turn in range(RETURNS):
        for place, action in enumerate(ROUND):
            more = {"target": "unit_first", "opinion": "请修改"} if action == "return" else {}
            _timed(
                spent,
                lambda action=action, place=place, version=version, more=more, turn=turn: world.act(  # type: ignore[misc]
                    number, action, role=_ROLES[place], key=f"bench-{turn}-{place}", version=version, **more
                ),
            )
            version += 1
    world.system.database.engine.dispose()  # type: ignore[attr-defined]
    return spent, dict(entered.form)


def _model() -> bytes:
    """The same way as BPMN: stations one after the other, and from the fourth one back to the first."""
    flows, nodes = [], []

    def flow(name: str, source: str, target: str, when: str = "") -> None:
        condition = f"<conditionExpression>{when}</conditionExpression>" if when else ""
        flows.append(
            f'<sequenceFlow id="{name}" sourceRef="{source}" targetRef="{target}">{condition}</sequenceFlow>'
        )

    for before, after in zip(("start", *STATIONS), (*STATIONS, "end"), strict=True):
        if before == "office_first":
            continue
        flow(f"to_{after}", before, after)
    flow("judged", "office_first", "which")
    flow("back", "which", "entry", "returned")
    flow("on", "which", "office_second")
    nodes += [f'<manualTask id="{name}" name="{name}"/>' for name in STATIONS]
    return (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="bench">'
        '<process id="plan" isExecutable="true"><startEvent id="start"/>'
        f'{"".join(nodes)}<exclusiveGateway id="which" default="on"/><endEvent id="end"/>{"".join(flows)}'
        "</process></definitions>"
    ).encode()


def _spiff(folder: Path, form: dict[str, Any]) -> list[float]:
    from SpiffWorkflow.bpmn.parser import BpmnParser
    from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
    from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
    from SpiffWorkflow.util.task import TaskState

    parser = BpmnParser()
    parser.add_bpmn_str(_model())
    serializer = BpmnWorkflowSerializer()
    workflow: Any = BpmnWorkflow(parser.get_spec("plan"))
    workflow.do_engine_steps()
    workflow.get_next_task(state=TaskState.READY, manual=True).data["form"] = (
        form  # it goes along, as with ours
    )
    connection = sqlite3.connect(folder / "spiff.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE state (id INTEGER PRIMARY KEY, body TEXT NOT NULL)")
    connection.execute("INSERT INTO state VALUES (1, ?)", (serializer.serialize_json(workflow),))

    def step(*, returned: bool) -> None:
        connection.execute("BEGIN IMMEDIATE")
        (body,) = connection.execute("SELECT body FROM state WHERE id = 1").fetchone()
        found: Any = serializer.deserialize_json(body)
        task = found.get_next_task(state=TaskState.READY, manual=True)
        task.data["returned"] = returned
        task.run()
        found.do_engine_steps()
        connection.execute("UPDATE state SET body = ? WHERE id = 1", (serializer.serialize_json(found),))
        connection.execute("COMMIT")

    spent: list[float] = []
    for _ in range(RETURNS):
        for action in ROUND:
            _timed(spent, lambda action=action: step(returned=action == "return"))  # type: ignore[misc]
    (body,) = connection.execute("SELECT body FROM state WHERE id = 1").fetchone()
    names = [task["task_spec"] for task in json.loads(body)["tasks"].values()]
    assert names.count("entry") > RETURNS, names  # it went the same way
    connection.close()
    return spent


if __name__ == "__main__":
    main()
