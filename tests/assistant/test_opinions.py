"""An opinion asked for is given from chat, after a yes, once; who disagrees says why."""

from core.domain.approval import Kind
from core.service import assigning, decisions, documents
from core.service.assigning import Wish
from tests.assistant.world import World


def asked(world: World) -> str:
    """A document at the business office whose first reviewer asks the second for an opinion; its number."""
    office, second = world.account("office"), world.account("office2")
    [item, *_] = documents.todo(world.system, office)
    wish = Wish(item.version, "ask", "型号合不合适")
    assigning.assign(world.system, office, item.number, Kind.OPINION, second.id, wish)
    return item.number


def states(world: World, number: str) -> list[tuple[str, str]]:
    """What was asked about the document and how it stands, as its asker sees it."""
    found = decisions.decision(world.system, world.account("office"), number)
    return [(line.state, line.label) for line in found.lines]


def test_an_opinion_is_given_after_a_yes(world: World) -> None:
    number = asked(world)
    offered = world.say("office2", f"同意 {number}")
    assert "要答复吗" in offered.replies[-1].text
    assert states(world, number) == [("waiting", "委派")]
    given = world.say("office2", "是")
    assert number in given.replies[0].text
    assert states(world, number) == [("agreed", "委派")]
    assert number in {item.number for item in documents.todo(world.system, world.account("office"))}


def test_who_disagrees_says_why_and_a_question_in_between_loses_nothing(world: World) -> None:
    number = asked(world)
    assert "要写意见" in world.say("office2", f"不同意 {number}").replies[-1].text
    offered = world.say("office2", "不同意，型号和预算对不上")
    assert "型号和预算对不上" in offered.replies[-1].text
    world.say("office2", "单位账号是多少")
    assert states(world, number) == [("waiting", "委派")]
    world.say("office2", "是")
    assert states(world, number) == [("against", "委派")]
    found = documents.get(world.system, world.account("office"), number)
    assert any("型号和预算对不上" in entry.opinion for entry in found.history)


def test_what_was_taken_back_meanwhile_is_not_answered(world: World) -> None:
    number = asked(world)
    world.say("office2", f"同意 {number}")
    office = world.account("office")
    [line] = decisions.decision(world.system, office, number).lines
    version = documents.get(world.system, office, number).document.version
    assigning.take_back(world.system, office, number, line.id, Wish(version, "back"))
    assert "没有答复" in world.say("office2", "是").replies[-1].text
    assert states(world, number) == [("cancelled", "委派")]


def test_the_same_words_of_who_was_not_asked_are_about_its_own_task(world: World) -> None:
    number = asked(world)
    said = world.say("procurement", f"同意 {number}").replies[-1].text
    assert "要答复吗" not in said
    assert states(world, number) == [("waiting", "委派")]
