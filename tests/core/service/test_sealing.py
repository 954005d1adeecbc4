"""Sealing the filing certificate with a real token (nm-9)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core import demo
from core.adapters import softhsm
from core.adapters.softhsm import DemoSeal, DemoToken
from core.bootstrap import build_system
from core.domain.errors import (
    BlockedError,
    DomainError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnavailableError,
)
from core.service import acts, documents, sealing
from core.service.sealing_ports import SignedPdf, Signer
from core.service.views import ActResult
from core.settings import Settings
from tests.core.world import World, new_key
from tests.support.need import softhsm_module

pytestmark = pytest.mark.covers("nm-9")


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory, template: Settings) -> Settings:
    """Settings with the school's token; the seal 旧章 ran out yesterday."""
    var = tmp_path_factory.mktemp("tokens")
    now = datetime.now(UTC)
    old = DemoSeal("旧章", not_before=now - timedelta(days=400), not_after=now - timedelta(days=1))
    token = DemoToken(
        "DEMO-SCHOOL", "青原市示范中学", demo.PIN, (DemoSeal("公章"), DemoSeal("合同专用章"), old)
    )
    softhsm_module()
    softhsm.provision(var / "softhsm", [token])
    return replace(template, var=var)


@pytest.fixture
def sealed_world(new_world: Callable[[], World], tokens: Settings) -> World:
    world = new_world()
    world.system = build_system(tokens, clock=world.clock, engine=world.engine)
    return world


class Counting:
    """The real signer, counting how often a PIN goes to the token."""

    def __init__(self, signer: Signer) -> None:
        self.signer, self.used = signer, 0
        self.before: Callable[[], object] = lambda: None
        self.seals, self.validate = signer.seals, signer.validate

    def sign(
        self,
        pdf: bytes,
        *,
        token_label: str,
        seal: str,
        pin: str,
        reason: str,
        location: str = "",
        parties: int = 1,
    ) -> SignedPdf:
        self.before()
        self.used += 1
        return self.signer.sign(
            pdf, token_label=token_label, seal=seal, pin=pin, reason=reason, location=location,
            parties=parties,
        )  # fmt: skip


@pytest.fixture
def counting(sealed_world: World) -> Counting:
    counter = Counting(sealed_world.system.signer)
    sealed_world.system = replace(sealed_world.system, signer=counter)
    return counter


def sign(
    world: World,
    number: str,
    seal: str = "公章",
    who: str = "handler",
    pin: str = demo.PIN,
    key: str | None = None,
) -> ActResult:
    return sealing.sign(
        world.system,
        world[who],
        number,
        version=world.document(number).version,
        seal=seal,
        pin=pin,
        key=key or new_key(),
    )


def test_no_transaction_is_held_while_the_key_is_busy(sealed_world: World, counting: Counting) -> None:
    world = sealed_world
    number = world.plan(node="completed")
    held: list[str] = []
    counting.before = lambda: held.append(world.engine.pool.status())
    sign(world, number)
    assert len(held) == 1
    assert "Checked out connections: 0" in held[0]


def test_a_seal_is_chosen_signed_again_before_filing_and_fixed_after_it(sealed_world: World) -> None:
    world = sealed_world
    number = world.plan(node="completed")
    offered = {seal.label: seal.usable for seal in sealing.seals(world.system, world["handler"])}
    assert offered == {"公章": True, "合同专用章": True, "旧章": False}
    sign(world, number, "合同专用章")  # the wrong one
    first = documents.get(world.system, world["handler"], number)
    assert first.certificate is not None
    assert first.certificate.seal == "合同专用章"
    sign(world, number, "公章")  # the right one, before filing
    second = documents.get(world.system, world["handler"], number)
    assert second.certificate is not None
    assert second.certificate.seal == "公章"
    name, pdf = sealing.certificate(world.system, world["handler"], number)
    assert name == f"{number}-备案书.pdf"
    verdict = world.system.signer.validate(pdf)
    assert (verdict.ok, verdict.serial) == (True, second.certificate.seal_serial)
    world.act("handler", number, "file")
    before = world.everything()
    with pytest.raises(BlockedError, match="章不能再换"):
        sign(world, number, "合同专用章")
    assert world.everything() == before
    assert sealing.certificate(world.system, world["handler"], number) == (name, pdf)
    world.sound()


def test_what_can_be_refused_is_refused_before_the_pin_is_used(
    sealed_world: World, counting: Counting
) -> None:
    world = sealed_world
    early, filed, mine = (
        world.plan(node="unit_second"),
        world.plan(node="filed"),
        world.plan(node="completed"),
    )
    for number, who, error in (
        (early, "handler", BlockedError),
        (filed, "handler", BlockedError),
        (mine, "reviewer", ForbiddenError),
        (mine, "library_handler", NotFoundError),
    ):
        with pytest.raises(error):
            sign(world, number, who=who)
    with pytest.raises(DomainError, match="变动"):
        sealing.sign(
            world.system, world["handler"], mine, version=1, seal="公章", pin=demo.PIN, key=new_key()
        )
    used = new_key()
    acts.perform(
        world.system, world["handler"], mine, "cancel", version=world.document(mine).version,
        arguments={"reason": "x"}, key=used,
    )  # fmt: skip
    world.act("handler", mine, "cancel_recall")
    with pytest.raises(InvalidError) as caught:
        sign(world, mine, key=used)
    assert caught.value.code == "key_reused"
    assert counting.used == 0


def test_the_same_key_signs_once(sealed_world: World, counting: Counting) -> None:
    world = sealed_world
    number, key = world.plan(node="completed"), new_key()
    version = world.document(number).version
    results = [
        sealing.sign(
            world.system, world["handler"], number, version=version, seal="公章", pin=demo.PIN, key=key
        )
        for _ in range(2)
    ]
    assert [result.repeated for result in results] == [False, True]
    assert counting.used == 1


def test_a_wrong_pin_is_tried_once_and_kept_nowhere(sealed_world: World, counting: Counting) -> None:
    world = sealed_world
    number = world.plan(node="completed")
    before = world.everything()
    with pytest.raises(InvalidError) as caught:
        sign(world, number, pin="86420975")
    assert caught.value.code == "pin_wrong"
    assert counting.used == 1
    assert world.everything() == before
    sign(world, number)
    assert demo.PIN not in repr(world.everything())


def test_an_expired_seal_is_refused_with_its_date(sealed_world: World) -> None:
    number = sealed_world.plan(node="completed")
    with pytest.raises(InvalidError, match="到期") as caught:
        sign(sealed_world, number, "旧章")
    assert caught.value.code == "seal_unusable"
    with pytest.raises(InvalidError, match="公章"):
        sign(sealed_world, number, "没有的章")
    with pytest.raises(BlockedError, match="还没有签章"):
        sealed_world.act("handler", number, "file")


def test_the_draft_can_be_read_once_the_review_is_over(sealed_world: World) -> None:
    world = sealed_world
    with pytest.raises(NotFoundError, match="还没有办结"):
        sealing.certificate(world.system, world["handler"], world.plan(node="procurement_second"))
    name, pdf = sealing.certificate(world.system, world["handler"], world.plan(node="completed"))
    assert "未签章" in name
    assert pdf.startswith(b"%PDF")
    assert not world.system.signer.validate(pdf).signed


def test_a_unit_without_a_seal_is_told_so(sealed_world: World) -> None:
    with pytest.raises(BlockedError, match="还没有登记印章"):
        sealing.seals(sealed_world.system, sealed_world["agency"])


def test_a_damaged_file_is_not_handed_out(sealed_world: World, tokens: Settings) -> None:
    world = sealed_world
    number = world.plan(node="completed")
    sign(world, number)
    shown = documents.get(world.system, world["handler"], number)
    assert shown.certificate is not None
    stored = tokens.var / "blobs" / shown.certificate.sha256[:2] / shown.certificate.sha256
    stored.write_bytes(stored.read_bytes()[:-1])
    with pytest.raises(NotFoundError) as caught:
        sealing.certificate(world.system, world["handler"], number)
    assert caught.value.code == "file_missing"


def test_without_a_module_it_is_said_what_to_install(world: World) -> None:
    number = world.plan(node="completed")
    with pytest.raises(UnavailableError, match="CAIGOU_PKCS11_MODULE"):
        sign(world, number)
