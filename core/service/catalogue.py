"""Looking up catalogue items by name or code (nm-25)."""

from dataclasses import dataclass

from core.domain.catalogue import Item
from core.service.system import System


@dataclass(frozen=True)
class ItemView:
    """An item as shown; `path` is `设备 / 办公设备 / 复印机`, `mall`: the mall sells it."""

    code: str
    name: str
    path: str
    mall: bool
    central: bool
    selectable: bool


def search(system: System, text: str, limit: int = 20) -> list[ItemView]:
    """Selectable items whose name or code fits `text`, in catalogue order."""
    return [_view(system, item) for item in system.catalogue.search(text, limit)]


def like(system: System, goods: str) -> list[ItemView]:
    """Selectable items for goods as people call them, in catalogue order."""
    return [_view(system, item) for item in system.catalogue.like(goods)]


def _view(system: System, item: Item) -> ItemView:
    path = system.catalogue.path(item)
    return ItemView(item.code, item.name, path, item.mall, item.central, item.selectable)
