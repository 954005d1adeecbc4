"""The procurement catalogue: which items may be chosen, and which the mall knows."""

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Item:
    """One catalogue item. Only a leaf may be chosen; `departmental` entries have no items below them (nm-16)."""

    code: str
    name: str
    parent: str | None = None
    leaf: bool = False
    mall: bool = False
    central: bool = False
    departmental: bool = False

    @property
    def selectable(self) -> bool:
        """Whether a plan line may name it."""
        return self.leaf and not self.departmental


@dataclass(frozen=True, eq=False)
class Catalogue:
    """All items, in the order of the data."""

    items: tuple[Item, ...]

    @cached_property
    def by_code(self) -> dict[str, Item]:
        """Item by code."""
        return {item.code: item for item in self.items}

    @cached_property
    def names(self) -> frozenset[str]:
        """Names that a plan may bear."""
        return frozenset(item.name for item in self.items if item.selectable)

    def path(self, item: Item) -> str:
        """`设备 / 办公设备 / 复印机`."""
        parts = [item.name]
        while item.parent and item.parent in self.by_code:
            item = self.by_code[item.parent]
            parts.append(item.name)
        return " / ".join(reversed(parts))

    def search(self, text: str, limit: int = 20) -> list[Item]:
        """Selectable items whose name or code contains `text`; all of them for an empty text."""
        text = text.strip()
        found = [
            item
            for item in self.items
            if item.selectable and (text in item.name or item.code.startswith(text))
        ]
        return found[:limit]

    def like(self, goods: str) -> list[Item]:
        """Selectable items for goods as people call them: 照相机 is a 专业照相机, 彩色激光打印机 a 激光打印机."""
        return [item for item in self.items if item.selectable and (goods in item.name or item.name in goods)]
