"""What somebody may want to ask: questions like the one being typed, and what an account most likely needs now."""

from collections.abc import Sequence
from datetime import timedelta

from assistant.cards import Choice
from assistant.knowledge import Knowledge
from core.domain.accounts import Account
from core.service import documents
from core.service.repairs import RepairTask
from core.service.system import System
from core.service.views import DocumentSummary
from kb.text import compact, normalise

MOST = 5
_LIKELY = 0.02  # probability from which a topic is worth a line
_LEAST = 2  # characters typed
_LOOKED_AT = 5
SOON = timedelta(days=30)


def similar(knowledge: Knowledge, region: str, text: str) -> list[str]:
    """Titles of up to five topics: first those that contain what was typed, then what the retriever thinks of."""
    typed = compact(normalise(text).clean)
    if len(typed) < _LEAST:
        return []
    knowledge = knowledge.settled()
    titles = [entry.title for entry in knowledge.library.of_region(region)]
    holding = sorted((title for title in titles if typed in compact(title)), key=len)
    found = knowledge.find(region, text).candidates
    meant = [one.title for one in found if one.score >= _LIKELY]
    return list(dict.fromkeys([*holding[: MOST - 1], *meant, *holding]))[:MOST]


def needs(
    system: System, account: Account, tasks: Sequence[RepairTask], todo: Sequence[DocumentSummary]
) -> list[Choice]:
    """Quick replies for an empty conversation: steps others ask for, returned plans, a certificate that ends soon."""
    found = [Choice(f"{task.asked_by.split('（')[0]}请我办“{task.step.label}”", "待办") for task in tasks[:1]]
    plans = [item for item in todo[:_LOOKED_AT] if item.kind == "plan"]
    returned = [item for item in plans if _returned(system, account, item.number)]
    found += [Choice(f"{item.title}被退回，怎么改", f"{item.number} 计划录错了") for item in returned]
    with system.database.read() as tx:
        ends = [one.certificate.not_after for one in tx.identities.bindings(account.id)]
    now = system.clock()
    if any(now < end <= now + SOON for end in ends):
        found.append(Choice("CA 证书快到期了怎么办", "CA证书快到期了怎么办"))
    return found[:MOST]


def _returned(system: System, account: Account, number: str) -> bool:
    """Whether the last thing that moved the plan was somebody else's return."""
    view = documents.get(system, account, number)
    moved = [entry for entry in view.history if entry.source != entry.target]
    editable = view.process.node(view.document.node).editable
    return bool(editable and moved and moved[-1].action == "return" and moved[-1].account_id != account.id)
