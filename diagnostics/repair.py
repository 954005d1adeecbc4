"""What can safely be done about a finding: plan, confirm, carry out, and check again with the same probes."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from core.domain.errors import DomainError
from diagnostics import catalogue
from diagnostics.catalogue import Catalogue
from diagnostics.desk import Desk
from diagnostics.result import Report, Result, Scalar

WAIT_S = 8.0  # for a service or program to come up
POLL_S = 0.1


@dataclass(frozen=True)
class Step:
    """One thing to do, in the user's words. After a `manual` one the user has to finish it himself."""

    probe: str
    finding: str
    say: str
    do: Callable[[Desk], None]
    manual: bool = False


@dataclass(frozen=True)
class Done:
    """A step that was confirmed: carried out, or the problem it met."""

    step: Step
    problem: str | None


@dataclass(frozen=True)
class Repaired:
    """What was done and what the same probes say now."""

    before: Report
    done: tuple[Done, ...]
    after: Report

    @property
    def worked(self) -> bool:
        """Every finding that was worked on is gone and nothing else fails in its place."""
        return bool(self.done) and all(
            self.after.of(item.step.probe).status not in ("fail", "skip")
            and self.after.of(item.step.probe).finding != item.step.finding
            for item in self.done
        )

    def say(self) -> str:
        """One or two Chinese sentences."""
        if not self.done:
            return "没有做任何修复。"
        problems = [item.problem for item in self.done if item.problem]
        if self.worked:
            return "修复有效：" + self.after.say()
        return "修复没有解决问题：" + ("；".join(problems) + "。" if problems else "") + self.after.say()


def plan(report: Report) -> tuple[Step, ...]:
    """Steps for the root cause, or where nothing failed, for the warnings; in causal order."""
    loaded = catalogue.load(report.region)
    warned = [result for result in report.results if result.status == "warn"]
    results = [report.root_cause] if report.root_cause else warned
    return tuple(step for result in results for step in _steps(result, loaded))


def carry_out(
    report: Report,
    steps: Sequence[Step],
    desk: Desk,
    again: Callable[[Sequence[str]], Report],
    pause: Callable[[Step], None] = lambda _: None,
) -> Repaired:
    """Do the confirmed `steps`, then run their probes with `again(names)`.

    `pause` is called after a manual step, for the user to finish it.
    """
    done = []
    for step in steps:
        try:
            step.do(desk)
            problem = None
        except DomainError as error:
            problem = error.message
        done.append(Done(step, problem))
        if step.manual and problem is None:
            pause(step)
    names = list(dict.fromkeys(item.step.probe for item in done))
    return Repaired(report, tuple(done), again(names) if names else report)


def _steps(result: Result, loaded: Catalogue) -> Iterator[Step]:
    if result.repair == "start_services":
        yield from _start_services(result)
    elif result.repair == "start_component":
        yield from _start_component(result, loaded)
    elif result.repair == "open_page":
        rules = loaded.probes[result.probe].rules
        page = next(rule.page for rule in rules if rule.finding == result.finding) or ""
        yield _open(result, f"打开设置页 {page}，由您按提示修改", page)
    elif result.repair == "renew_session" and loaded.region.login_url:
        url = loaded.region.login_url
        yield _open(result, f"另开一个网页重新登录（{url}），填写中的页面不要关闭", url)


def _open(result: Result, say: str, page: str) -> Step:
    return Step(result.probe, result.finding, say, lambda desk: desk.actions.open_page(page), manual=True)


def _start_services(result: Result) -> Iterator[Step]:
    for item in _items(result):
        if item.get("presence") == "stopped" or item.get("automatic") is False:
            name = str(item["service"])
            say = f"把服务 {name} 设为自动启动，并启动它"
            yield Step(result.probe, result.finding, say, lambda desk, name=name: _start(desk, name))  # type: ignore[misc]


def _start(desk: Desk, service: str) -> None:
    desk.actions.make_automatic(service)
    desk.actions.start_service(service)
    services = desk.services
    if services:
        _wait(lambda: services.state(service).presence == "running")


def _start_component(result: Result, loaded: Catalogue) -> Iterator[Step]:
    client = loaded.region.seal_client
    if client is None:
        return

    def start(desk: Desk) -> None:
        folder = desk.roaming.joinpath(*client.folder.split("/")) if desk.roaming else None
        if folder:
            desk.actions.start_program(folder / client.program)
            _wait(lambda: bool(desk.component(client.program).listens))

    yield Step(result.probe, result.finding, f"启动签章组件 {client.program}", start)


def _wait(ready: Callable[[], bool]) -> None:
    """Until `ready` or WAIT_S: starting returns before the thing runs. What did not come up, the probe says."""
    until = time.monotonic() + WAIT_S
    while not ready() and time.monotonic() < until:
        time.sleep(POLL_S)


def _items(result: Result) -> list[dict[str, Scalar]]:
    """Evidence as one mapping for each thing looked at."""
    items: dict[int, dict[str, Scalar]] = {}
    for fact in result.evidence:
        items.setdefault(fact.item, {})[fact.name] = fact.value
    return list(items.values())
