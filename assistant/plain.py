"""A turn as plain text with numbered choices, for channels that show nothing else (WeChat, command line)."""

from assistant.cards import (
    Card,
    ConfirmCard,
    DeskCard,
    DocumentsCard,
    EntryCard,
    FactsCard,
    FindingCard,
    FlowCard,
    Reply,
    StepsCard,
    Turn,
)

_STATES = {"done": "√", "current": "→", "returned": "↺", "ahead": "·", "side": "·"}


def render(turn: Turn) -> str:
    """Everything the turn says. Choices are numbered where a number is understood as the answer."""
    return render_replies(turn.replies)


def render_replies(replies: tuple[Reply, ...]) -> str:
    """As `render`, for replies without a conversation."""
    return "\n\n".join(part for reply in replies if (part := _reply(reply)))


def _reply(reply: Reply) -> str:
    parts = [reply.text] if reply.text else []
    if reply.card is not None and (body := card_text(reply.card)):
        parts.append(body)
    if reply.choices and not isinstance(reply.card, DocumentsCard):
        parts.append(_choices(reply))
    return "\n".join(parts)


def _choices(reply: Reply) -> str:
    if len(reply.choices) == 2 and {choice.say for choice in reply.choices} <= {"是", "不", "算了"}:  # noqa: PLR2004
        return "（回复“是”或“不”）"
    return "\n".join(f"{at}. {choice.title}" for at, choice in enumerate(reply.choices, 1))


def card_text(card: Card) -> str:  # noqa: PLR0911 - one for each kind of card
    """The content of a card in lines."""
    match card:
        case StepsCard():
            return "\n".join(
                f"{at}. {step.label}（{'您' if step.mine else step.who}）{'√' if step.state == 'done' else ''}"
                for at, step in enumerate(card.steps, 1)
            )
        case FlowCard():
            return "\n".join(
                f"{_STATES[node.state]} {node.label}{_tail(node.whose if node.state == 'current' else '')}"
                for node in card.nodes
            )
        case DocumentsCard():
            return "\n".join(
                f"{at}. {item.title} {item.number} 在“{item.node_label}”"
                for at, item in enumerate(card.items, 1)
            )
        case ConfirmCard():
            return "\n".join(f"{row.label}：{row.before} → {row.after}" for row in card.rows)
        case EntryCard():
            return _entry(card)
        case DeskCard():
            return card.hint
        case FindingCard() | FactsCard():
            return "\n".join(f"{row.label}：{row.value}" for row in card.rows)


def _entry(card: EntryCard) -> str:
    lines: list[str] = []
    for case in card.cases:
        if len(card.cases) > 1 or case.current:
            lines.append(f"【{case.when}】")
        lines += [f"{at}. {step}" for at, step in enumerate(case.steps, 1)]
    if card.fails:
        lines.append("办不成的时候：")
        lines += [f"- {sentence}" for sentence in card.fails]
    return "\n".join(lines)


def _tail(text: str) -> str:
    return f"（{text}）" if text else ""
