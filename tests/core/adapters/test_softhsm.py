from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from core.adapters import softhsm
from core.adapters.seal_trust import Trust
from core.adapters.signer import Pkcs11Signer
from core.adapters.softhsm import DemoSeal, DemoToken, Provisioned, provision
from core.domain.errors import InvalidError, UnavailableError
from core.service.sealing_ports import Seal
from tests.support.need import softhsm_module

TOKEN = DemoToken("河湾三中", "河湾示例区第三中学", "73915026", (DemoSeal("公章"), DemoSeal("财务专用章")))


@pytest.fixture(autouse=True)
def _installed() -> None:
    softhsm_module()


def seals(made: Provisioned, token: str) -> list[Seal]:
    trust = Trust(made.roots, made.intermediates)
    return Pkcs11Signer(made.module, trust, environment=made.environment, limit=60).seals(token)


def test_each_unit_gets_its_token_with_usable_seals(tmp_path: Path) -> None:
    other = DemoToken("青松学校", "青松示例学校", "11112222")
    made = provision(tmp_path, [TOKEN, other])
    assert [seal.label for seal in seals(made, "河湾三中")] == ["公章", "财务专用章"]
    assert {seal.label for seal in seals(made, "青松学校")} == {"公章", "财务专用章", "合同专用章"}
    assert all(seal.usable for seal in seals(made, "青松学校"))
    assert all(seal.not_after > datetime.now(UTC) for seal in seals(made, "青松学校"))


def test_again_keeps_what_is_there_and_adds_what_is_missing(tmp_path: Path) -> None:
    before = seals(provision(tmp_path, [TOKEN]), TOKEN.label)
    more = DemoToken(TOKEN.label, TOKEN.unit, TOKEN.pin, (*TOKEN.seals, DemoSeal("合同专用章")))
    made = provision(tmp_path, [more])
    after = seals(made, TOKEN.label)
    assert [seal for seal in after if seal.label != "合同专用章"] == before
    assert len(after) == 3
    assert seals(provision(tmp_path, [more]), TOKEN.label) == after


def test_another_pin_for_a_token_that_exists_is_said(tmp_path: Path) -> None:
    provision(tmp_path, [TOKEN])
    with pytest.raises(InvalidError) as caught:
        provision(tmp_path, [DemoToken(TOKEN.label, TOKEN.unit, "99999999", (DemoSeal("合同专用章"),))])
    assert caught.value.code == "pin_wrong"


def test_the_authority_is_a_root_and_an_intermediate_with_a_private_key_for_us_alone(tmp_path: Path) -> None:
    made = provision(tmp_path, [])
    root = x509.load_pem_x509_certificate(made.roots.read_bytes())
    intermediate = x509.load_pem_x509_certificate(made.intermediates.read_bytes())
    intermediate.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    key = tmp_path / "authority" / "intermediate.key"
    assert key.stat().st_mode & 0o077 == 0
    assert not (tmp_path / "authority" / "root.key").exists()


def test_without_softhsm_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(softhsm, "_PLACES", ("/nowhere/libsofthsm2.so",))
    with pytest.raises(UnavailableError) as caught:
        provision(tmp_path, [TOKEN])
    assert caught.value.code == "module_missing"
    assert "softhsm2" in caught.value.message


def test_a_token_label_that_does_not_fit(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        provision(tmp_path, [DemoToken("一个非常非常长的单位名称", "单位", "12345678")])


def test_the_pin_of_a_token_is_not_shown() -> None:
    assert TOKEN.pin not in repr(TOKEN)
