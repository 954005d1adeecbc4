"""Carrying out what was confirmed: in the asker's name, on the documents as they were shown, never twice.

Each act's key is made from the confirmation, not from the message: a second yes, a repeated message and a second
process all meet the same keys in the core.
"""

from dataclasses import dataclass, replace

from assistant.conversation import Errand, Frame
from assistant.scene import Viewer
from core.domain.errors import DomainError
from core.service import acts, repairs
from core.service.repairs import Repair
from core.service.views import ActResult


@dataclass(frozen=True)
class Carried:
    """What came of it: results in order, the repair they belong to, and the error that stopped the rest."""

    results: tuple[ActResult, ...]
    repair: Repair | None = None
    error: DomainError | None = None


def carry_out(viewer: Viewer, frame: Frame) -> Carried:
    """Take the confirmed acts one by one; the first that is refused ends it, what was done stays done."""
    errand = frame.errand
    assert errand is not None, "only errands are confirmed"  # noqa: S101
    runner = _Run(viewer, frame, errand)
    try:
        runner.go()
    except DomainError as error:
        return replace(runner.carried, error=error)
    return runner.carried


def ask_others(viewer: Viewer, frame: Frame) -> Repair:
    """Make the first step the task of whoever may take it. Errors as `repairs.start`."""
    errand = frame.errand
    assert errand is not None, "only errands are asked for"  # noqa: S101
    return repairs.start(
        viewer.system, viewer.account, errand.number, errand.goal, frame.fingerprint, key=_key(frame, "s")
    )


def _key(frame: Frame, part: str) -> str:
    return f"chat-{frame.token}-{part}"


class _Run:
    """One confirmation on its way."""

    def __init__(self, viewer: Viewer, frame: Frame, errand: Errand) -> None:
        self.viewer, self.frame, self.errand = viewer, frame, errand
        self.versions = dict(frame.versions)
        self.carried = Carried(())

    def go(self) -> None:
        if self.errand.kind == "act":
            number, action, target = self.frame.run[0]
            self._keep(
                acts.perform(
                    self.viewer.system, self.viewer.account, number, action, version=self.versions[number],
                    arguments=self._arguments(number, action, target), key=_key(self.frame, "0"),
                )
            )  # fmt: skip
            return
        if self.errand.kind == "task":
            repair = repairs.get(self.viewer.system, self.viewer.account, self.errand.repair)
            self.carried = replace(self.carried, repair=repair)
            if repair.step and (repair.step.number, repair.step.action) == self.frame.run[0][:2]:
                self._advance(repair, 0)
            return
        repair = ask_others(self.viewer, self.frame)
        self.carried = replace(self.carried, repair=repair)
        for index, (number, action, _) in enumerate(self.frame.run):
            if repair.position > index:
                continue  # this same confirmation did it before
            if repair.step is None or (repair.step.number, repair.step.action) != (number, action):
                return
            repair = self._advance(repair, index)

    def _advance(self, repair: Repair, index: int) -> Repair:
        number, action, _ = self.frame.run[index]
        result, after = repairs.advance(
            self.viewer.system, self.viewer.account, repair.id, self._arguments(number, action, ""),
            version=self.versions[number], key=_key(self.frame, str(index)),
        )  # fmt: skip
        self._keep(result)
        self.carried = replace(self.carried, repair=after)
        return after

    def _keep(self, result: ActResult) -> None:
        self.versions[result.document.number] = result.document.version
        self.carried = replace(self.carried, results=(*self.carried.results, result))

    def _arguments(self, number: str, action: str, target: str) -> dict[str, str]:
        """What was filled in, as far as this act's form knows it."""
        process = self.viewer.look(number).process
        wanted = {name.removesuffix("?") for name in process.actions[action].form}
        given = {name: text for name, text in self.frame.slots.items() if name in wanted}
        if target and "target" in wanted:
            given["target"] = target
        return given
