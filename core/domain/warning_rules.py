"""Rules over the documents of a project, as data: when one holds for a document, that is a warning (fj-11.1.1)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from core.domain import expressions, forms
from core.domain.documents import Situation
from core.domain.process import Process


class Stage(StrEnum):
    """When in a project's course a rule speaks."""

    BEFORE = "before"
    DURING = "during"
    AFTER = "after"


class Level(StrEnum):
    """How much it matters."""

    NOTICE = "notice"
    WARNING = "warning"


STAGE_LABELS = {Stage.BEFORE: "事前预警", Stage.DURING: "事中预警", Stage.AFTER: "事后预警"}
LEVEL_LABELS = {Level.NOTICE: "提醒", Level.WARNING: "预警"}


@dataclass(frozen=True)
class Rule:
    """`when` and what stands in braces in `say` are expressions in the situation of a document of `kind`."""

    id: str
    label: str
    stage: Stage
    level: Level
    kind: str
    when: str
    say: str
    source: str
    regions: tuple[str, ...] = ()

    def of(self, region: str, kind: str) -> bool:
        """Whether it is asked of documents of this kind in this region."""
        return self.kind == kind and (not self.regions or region in self.regions)

    def raised(self, situation: Situation) -> str | None:
        """The sentence where the rule holds, else None."""
        judge = partial(expressions.evaluate, situation=situation)
        return forms.fill(self.say, judge) if judge(self.when) else None


def problems(rules: Iterable[Rule], processes: Iterable[Process]) -> Iterator[str]:
    """Rules that stand twice, are asked of no document, or name what a document of their kind does not have."""
    everything, known = list(rules), list(processes)
    for rule in everything:
        if sum(other.id == rule.id for other in everything) > 1:
            yield f"预警“{rule.id}”写了两遍"
        asked = [process for process in known if rule.of(process.region, process.kind)]
        for region in rule.regions or ("",):
            if not any(process.region == region or not region for process in asked):
                yield f"预警“{rule.id}”：{region or '哪个地区都'}没有“{rule.kind}”这种单据"
        for process in asked:
            for text in (rule.when, *(match[1] for match in forms.PLACEHOLDER.finditer(rule.say))):
                yield from (
                    f"预警“{rule.id}”（{process.region}）：{sentence}"
                    for sentence in expressions.problems(text, process.form.fields)
                )
