"""What the asker's documents, role and page weigh: little, and never against clear words."""

import pytest

from assistant import leaning, several
from assistant.conversation import State
from assistant.knowledge import Knowledge
from assistant.scene import Scene, Viewer
from assistant.understanding import hear
from core.service import documents
from tests.assistant.world import LOGINS, World

REGION = "neimenggu"


def scene(world: World, who: str, text: str, page: str = "") -> Scene:
    viewer = Viewer(world.system, world.account(who))
    return Scene(world.knowledge, REGION, hear(text), State(), viewer, page_number=page)


def weights(world: World, who: str, page: str = "") -> dict[str, float]:
    asked = scene(world, who, "", page)
    assert asked.viewer is not None
    return leaning.prior(asked, asked.viewer)


def test_where_the_only_plan_is_makes_its_topics_likelier(world: World) -> None:
    office = weights(world, "office")  # one plan waits there, under review
    assert office["nm-2"] > 1 > office["nm-9"]


def test_the_page_weighs_more_than_the_list(world: World) -> None:
    mall, project = world.number("多功能一体机"), world.number("学校食堂设备")
    on_mall, on_project = weights(world, "handler", mall), weights(world, "handler", project)
    assert on_mall["nm-4-1"] > 1 > on_project["nm-4-1"]
    assert on_project["nm-3-1"] > 1 > on_mall["nm-3-1"]


def test_roles_weigh(world: World) -> None:
    assert weights(world, "agency")["nm-3-1"] > 1
    assert weights(world, "supplier")["nm-19"] > 1
    assert weights(world, "office")["nm-8"] > 1


@pytest.mark.parametrize("who", sorted(LOGINS))
def test_weights_stay_small_and_name_real_topics(world: World, who: str) -> None:
    known = leaning.leanings()
    for name, factor in weights(world, who).items():
        assert (REGION, name) in world.knowledge.library.entries
        assert known.limits.least <= factor <= known.limits.most
    assert {name for role in known.roles.values() for name in role} <= {
        topic for _, topic in world.knowledge.library.entries
    }


@pytest.mark.parametrize("who", ["handler", "agency", "supplier", "office", "reviewer"])
def test_a_clear_question_is_found_alike_whoever_asks(world: World, who: str) -> None:
    for entry in world.knowledge.library.of_region(REGION):
        for text in entry.phrasings.short[:8]:
            clear = world.knowledge.find(REGION, text)
            asked = leaning.find(scene(world, who, text))
            if clear.kind == "clarify":
                continue
            assert (asked.kind, asked.sources) == (clear.kind, clear.sources), text


def test_an_open_question_leans_to_the_page(world: World) -> None:
    def odds(page: str) -> float:
        found = leaning.find(scene(world, "handler", "要退回来再作废", page))
        scores = {one.topic: one.score for one in found.candidates}
        return scores["nm-3-1"] / scores["nm-4-1"]

    project, mall = odds(world.number("学校食堂设备")), odds(world.number("多功能一体机"))
    assert project > odds("") > mall


def test_no_phrasing_of_one_topic_is_taken_for_several(knowledge: Knowledge) -> None:
    texts = [text for entry in knowledge.library.of_region(REGION) for _, _, text in entry.phrasings.items()]
    split = [text for text in texts if several.questions(knowledge, REGION, text)]
    assert len(split) <= len(texts) * 0.002, split


def test_long_and_empty_texts_are_one_question(knowledge: Knowledge) -> None:
    for text in ("", "？？？", "单位账号是多少？合同怎么作废？" * 100, "，" * 300):
        assert several.questions(knowledge, REGION, text) == ()


def test_documents_of_others_do_not_weigh(world: World) -> None:
    other = documents.listing(world.system, world.account("other"), kind="plan")
    assert len(other) == 1
    assert weights(world, "other")["nm-9"] < 1
