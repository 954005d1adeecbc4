"""CA keys in the conversation: what is bound, and unbinding after a yes."""

from dataclasses import replace
from pathlib import Path

import pytest

from assistant import turn
from assistant.cards import ConfirmCard, FactsCard, Reply
from core import demo
from core.adapters.certificates import X509Judge
from core.domain.accounts import Session
from core.service import accounts, certificates, challenges
from tests.assistant.world import LOGINS, World
from tests.core.keys import Authority, Key

HANDLER = LOGINS["handler"]


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def key(authority: Authority) -> Key:
    return authority.issue()


@pytest.fixture
def bound(world: World, authority: Authority, key: Key, tmp_path: Path) -> World:
    """The handler's account with a key."""
    world.system = replace(world.system, certificates=X509Judge(authority.trust(tmp_path)))
    world.system = replace(world.system, clock=lambda: key.certificate.not_valid_before_utc)
    text = challenges.issue(world.system, "bind").text
    certificates.bind(world.system, HANDLER, demo.PASSWORD, challenge=text, proof=key.proof(text))
    return world


class Talk:
    """One conversation of one session."""

    def __init__(self, world: World, session: Session) -> None:
        self.world, self.session, self.conversation, self.count = world, session, "", 0

    def say(self, text: str) -> tuple[Reply, ...]:
        self.count += 1
        answer = turn.respond(
            self.world.system, self.world.knowledge, self.session.account, self.conversation or None, text,
            f"key-{self.count}", session=self.session,
        )  # fmt: skip
        self.conversation = answer.conversation
        return answer.replies

    def ask(self, title: str) -> tuple[Reply, ...]:
        """A topic by its title, chosen from the list where the assistant asks back."""
        replies = self.say(title)
        chosen = [choice.say for choice in replies[-1].choices if choice.title == title]
        return self.say(chosen[0]) if chosen else replies


def by_password(world: World) -> Talk:
    return Talk(world, accounts.sign_in(world.system, HANDLER, demo.PASSWORD))


def by_key(world: World, key: Key) -> Talk:
    text = challenges.issue(world.system, "sign_in").text
    return Talk(world, certificates.sign_in(world.system, text, key.proof(text)))


def told(replies: tuple[Reply, ...]) -> str:
    return "".join(reply.text for reply in replies)


@pytest.mark.covers("nm-6")
def test_what_is_bound_and_where_to_bind(world: World) -> None:
    replies = by_password(world).ask("CA锁怎么绑定账号")
    assert f"您的账号 {HANDLER} 现在没有绑定 CA 锁" in told(replies)
    assert [card.page for card in (r.card for r in replies) if isinstance(card, FactsCard)] == [
        "/account#certificates"
    ]
    assert not replies[-1].choices


@pytest.mark.covers("nm-7")
def test_signed_in_by_the_key_a_yes_unbinds_it(bound: World, key: Key) -> None:
    talk = by_key(bound, key)
    replies = talk.ask("CA锁绑错账号怎么办")
    assert isinstance(replies[-1].card, ConfirmCard)
    assert "要解绑吗" in replies[-1].text
    assert key.serial in "".join(
        row.value for r in replies if isinstance(r.card, FactsCard) for row in r.card.rows
    )
    assert len(certificates.mine(bound.system, talk.session.account)) == 1
    assert "已解绑" in told(talk.say("是"))
    assert certificates.mine(bound.system, talk.session.account) == []
    assert "没有再办一次" in told(talk.say("是"))
    assert "现在没有绑定" in told(talk.ask("CA锁绑错账号怎么办"))


@pytest.mark.covers("nm-7")
def test_a_no_leaves_it(bound: World, key: Key) -> None:
    talk = by_key(bound, key)
    talk.ask("CA锁绑错账号怎么办")
    talk.say("不")
    talk.say("是")
    assert len(certificates.mine(bound.system, talk.session.account)) == 1


def test_what_is_unclear_asks_again_and_a_question_in_between_is_answered(bound: World, key: Key) -> None:
    talk = by_key(bound, key)
    talk.ask("CA锁绑错账号怎么办")
    assert "解绑" in told(talk.say("嗯这个那个"))
    assert "150299" in told(talk.say("单位账号是多少"))
    assert "已解绑" in told(talk.say("是"))


@pytest.mark.covers("nm-7")
def test_signed_in_by_password_it_is_done_on_the_page(bound: World) -> None:
    talk = by_password(bound)
    replies = talk.ask("CA锁绑错账号怎么办")
    assert "解绑要输账号密码" in replies[-1].text
    talk.say("是")
    assert len(certificates.mine(bound.system, talk.session.account)) == 1


def test_unbound_elsewhere_meanwhile(bound: World, key: Key) -> None:
    talk = by_key(bound, key)
    talk.ask("CA锁绑错账号怎么办")
    certificates.unbind(bound.system, talk.session, key.serial)
    assert "已经不在您的账号上" in told(talk.say("是"))
