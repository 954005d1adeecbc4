"""What an empty chat offers: first what waits for this account, then what people like it ask most."""

from functools import lru_cache
from pathlib import Path

from pydantic import RootModel

from assistant.cards import Choice
from assistant.replies import say
from assistant.scene import Viewer
from core.adapters.yaml_reader import read_model
from core.domain.accounts import Account
from core.domain.process import NodeType
from core.service import repairs
from core.service.system import System
from core.service.views import DocumentSummary

FILE = Path(__file__).parent / "data" / "openers.yaml"
SHOWN = 4  # choices
_OWN = 3  # of them from the account's own documents


class _Openers(RootModel[dict[str, dict[str, tuple[str, ...]]]]):
    pass


@lru_cache(maxsize=1)
def common(file: Path = FILE) -> dict[str, dict[str, tuple[str, ...]]]:
    """Region → role → questions; DataError names file and line."""
    return read_model(file, _Openers)[0].root


def openers(system: System, account: Account) -> tuple[Choice, ...]:
    """Up to four things to tap; saying one never acts by itself. Only looks.

    In this order: steps of repairs that wait for the account, documents it has to judge or that came back to it,
    its document under way, and what its role asks most in its region.
    """
    found = [*_tasks(system, account), *_waiting(Viewer(system, account))]
    own = list({one.say: one for one in found}.values())[:_OWN]
    asked = common().get(account.region, {})
    usual = [Choice(text, text) for text in asked.get(account.role.value, asked.get("*", ()))]
    return tuple([*own, *usual][:SHOWN])


def _tasks(system: System, account: Account) -> list[Choice]:
    return [
        Choice(
            say("open_task", label=task.step.label, title=task.title), f"{task.step.label} {task.step.number}"
        )
        for task in repairs.mine(system, account)
    ]


def _waiting(viewer: Viewer) -> list[Choice]:
    todo = viewer.todo
    if not viewer.account.buys:
        offered = [Choice(say("open_judge", title=one.title), one.number) for one in todo]
        return offered if len(offered) < _OWN else [_all(todo), *offered]
    back = [one for one in todo if _came_back(viewer, one)]
    judging = [one for one in todo if _type(viewer, one) is NodeType.REVIEW]
    running = [one for one in viewer.plans if _type(viewer, one) is NodeType.REVIEW and one not in judging]
    return [
        *(Choice(say("open_returned", title=one.title), one.number) for one in back),
        *(Choice(say("open_judge", title=one.title), one.number) for one in judging),
        *(
            Choice(say("open_track", title=one.title), say("open_track_say", number=one.number))
            for one in running[:1]
        ),
    ]


def _all(todo: tuple[DocumentSummary, ...]) -> Choice:
    return Choice(say("open_todo", count=len(todo)), say("open_todo_say"))


def _type(viewer: Viewer, item: DocumentSummary) -> NodeType:
    process = viewer.system.processes.current(viewer.account.region, item.kind, item.variant)
    node = process.nodes.get(item.node)
    return node.type if node else NodeType.WORK


def _came_back(viewer: Viewer, item: DocumentSummary) -> bool:
    """Whether a document is to be edited again because somebody sent it back."""
    if _type(viewer, item) is not NodeType.PREPARE:
        return False
    last = viewer.look(item.number).history[-1:]
    return bool(last) and last[0].action == "return"
