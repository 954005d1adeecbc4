"""Several at one token: SoftHSM answers CKR_GENERAL_ERROR where requests are not kept apart."""

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.adapters import softhsm as demo
from core.adapters.seal_trust import Trust
from core.adapters.signer import Pkcs11Signer, ask_module
from core.adapters.token_lock import alone, store
from core.domain.errors import UnavailableError
from tests.core.adapters.test_signer import PDF, PIN, TOKEN, UNIT, WHY, softhsm_module

SEALS = ("公章", "财务专用章")
PROCESSES = multiprocessing.get_context("spawn")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    softhsm_module()
    return tmp_path_factory.mktemp("seals")


def provision(folder: Path) -> demo.Provisioned:
    return demo.provision(folder, [demo.DemoToken(TOKEN, UNIT, PIN, [demo.DemoSeal(each) for each in SEALS])])


@pytest.fixture(scope="module")
def made(folder: Path) -> demo.Provisioned:
    return provision(folder)


def signer(made: demo.Provisioned, limit: float = 60) -> Pkcs11Signer:
    trust = Trust(made.roots, made.intermediates)
    return Pkcs11Signer(made.module, trust, environment=made.environment, limit=limit)


def sign(made: demo.Provisioned, times: int, threads: int) -> list[bool]:
    """Whether each signature is good."""

    def once(number: int) -> bool:
        seal = SEALS[number % 2]
        return signer(made).sign(PDF, token_label=TOKEN, seal=seal, pin=PIN, reason=WHY).validation.ok

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(once, range(times)))


def test_processes_and_threads_may_sign_at_once(made: demo.Provisioned) -> None:
    with PROCESSES.Pool(2) as pool:
        done = pool.starmap(sign, [(made, 3, 2)] * 2)
    assert done == [[True] * 3] * 2


def test_processes_may_make_the_tokens_at_once(tmp_path: Path) -> None:
    with PROCESSES.Pool(3) as pool:
        first, *others = pool.map(provision, [tmp_path] * 3)
    assert others == [first] * 2
    assert [each.label for each in signer(first).seals(TOKEN)] == list(SEALS)


def test_a_key_that_stays_busy_is_said(made: demo.Provisioned) -> None:
    with alone(store(made.module, made.environment), 60), pytest.raises(UnavailableError) as caught:
        signer(made, limit=0.2).seals(TOKEN)
    assert caught.value.code == "module_busy"
    assert "正在办理别的签章" in caught.value.message
    assert ask_module(made.module, made.environment, {"op": "tokens"}, limit=60) == [TOKEN]
