"""照相机属于哪个品目: a catalogue item looked up by the goods' name (nm-25)."""

import re

from assistant.cards import FactsCard, Reply, Row
from assistant.replies import say
from assistant.scene import Outcome, Scene
from core.service import catalogue
from core.service.catalogue import ItemView

_ASKED = re.compile(
    r"(?:请问|帮我查一?下?|查一?下?)?(?P<goods>[^，。？?、\s]{2,20}?)"
    r"(?:属于|归在|归到|归|算|对应|应该选|要选|选|是)的?(?:哪个|哪一个|哪种|什么|啥)(?:采购)?品目"
)
_SHOWN = 8


def asked(scene: Scene) -> Outcome | None:
    """What the catalogue calls the goods; None where nothing is asked for, or the catalogue knows nothing like it."""
    match = _ASKED.search(scene.heard.raw)
    if scene.viewer is None or match is None:
        return None
    goods = match["goods"].removeprefix("的")
    found = catalogue.like(scene.viewer.system, goods)
    if not found:
        return None
    rows = tuple(Row(f"{item.name}（{item.code}）", _where(item)) for item in found[:_SHOWN])
    said = say("items_found", goods=goods, count=len(found))
    more = say("items_more", shown=_SHOWN) if len(found) > _SHOWN else ""
    return Outcome(scene.state, (Reply(said + more, FactsCard(say("items_title"), rows)),))


def _where(item: ItemView) -> str:
    return say(
        "item_mall" if item.mall else "item_central" if item.central else "item_outside", path=item.path
    )
