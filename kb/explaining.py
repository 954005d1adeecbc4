"""Why an entry won: what each signal said for it and for the next ones, and the known text it was closest to."""

from dataclasses import dataclass

from kb.retriever import Finding, Retriever


@dataclass(frozen=True)
class Contribution:
    """One signal: its name, what it said (0 to 1 for likeness), and what that counted for."""

    name: str
    value: float
    weighed: float


@dataclass(frozen=True)
class Reason:
    """One topic that may be meant, with its probability and the known text that is closest to the question."""

    topic: str
    title: str
    chance: float
    closest: str
    origin: str
    contributions: tuple[Contribution, ...]


@dataclass(frozen=True)
class Explained:
    """A finding with its reasons, best first, and the limits that it was held against."""

    finding: Finding
    reasons: tuple[Reason, ...]
    none: float
    heard: bool
    answer_from: float

    @property
    def verdict(self) -> str:
        """In a sentence."""
        sure = f"把握 {self.finding.confidence:.2f}"
        if self.finding.kind == "answer":
            return f"{sure}，够 {self.answer_from:.2f}，直接回答"
        if self.finding.kind == "clarify":
            return f"{sure}，不够 {self.answer_from:.2f}，请对方选"
        return f"{sure}，不像知识库里的问题（无关的可能 {self.none:.2f}），不回答"


SIGNAL_NAMES = {
    "classifier": "分类器（字）",
    "nearest": "最像的问法",
    "words": "分类器（词）",
    "sound": "分类器（读音）",
    "sound_nearest": "读音最像的问法",
}
ORIGINS = {"phrasing": "问法", "title": "标题", "short": "简答", "keywords": "关键词", "case": "步骤"}


def explain(retriever: Retriever, text: str) -> Explained:
    """Ask as an asker would, and look at what decided."""
    finding, told = retriever.reasons(text)
    reasons = tuple(
        Reason(
            one.topic,
            one.title,
            one.score,
            row.text,
            ORIGINS.get(row.origin, row.origin),
            tuple(Contribution(SIGNAL_NAMES[name], value, weighed) for name, value, weighed in contributions),
        )
        for one, row, contributions in told
    )
    known = finding.explanation
    return Explained(
        finding, reasons, known.none if known else 1.0, bool(known and known.heard), retriever.answer_from
    )


def lines(explained: Explained) -> list[str]:
    """For the command line."""
    said = [explained.verdict]
    for rank, one in enumerate(explained.reasons, 1):
        said.append(f"{rank}. {one.topic} {one.title}  可能 {one.chance:.3f}")
        said.append(f"   最像的{one.origin}：{one.closest}")
        parts = [f"{part.name} {part.value:.2f}→{part.weighed:+.2f}" for part in one.contributions]
        said.append("   " + "，".join(parts))
    return said
