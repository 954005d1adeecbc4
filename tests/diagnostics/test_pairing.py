import pytest

from core.domain.errors import AuthenticationError
from diagnostics.pairing import CODE_LIFE_S, TOKEN_LIFE_S, Pairing

ORIGIN = "https://caigou.example"


def test_codes_and_tokens_run_out() -> None:
    now = 0.0
    pairing = Pairing(lambda: now)
    token = pairing.pair(pairing.code or "", ORIGIN, "")
    now = TOKEN_LIFE_S - 1
    assert pairing.paired(token, ORIGIN).origin == ORIGIN
    now = TOKEN_LIFE_S
    with pytest.raises(AuthenticationError):
        pairing.paired(token, ORIGIN)
    late = Pairing(lambda: now)
    now += CODE_LIFE_S
    assert late.code is None


def test_every_agent_has_a_code_and_every_page_a_token_of_its_own() -> None:
    first, second = Pairing(), Pairing()
    assert first.code != second.code
    token = first.pair(first.code or "", ORIGIN, "")
    assert first.code is None
    with pytest.raises(AuthenticationError):
        second.paired(token, ORIGIN)
