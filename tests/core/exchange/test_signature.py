from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.errors import AuthenticationError
from core.service.exchange_signature import NONCE, SIGNATURE, TIME, TOLERANCE, sign, verify

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SECRET, BODY = b"shared", b'{"topic": "x"}'


def refused(
    headers: dict[str, str], *, body: bytes = BODY, audience: str = "mall", at: datetime = NOW
) -> str:
    with pytest.raises(AuthenticationError) as caught:
        verify(SECRET, audience, headers, body, at)
    return caught.value.code


def test_a_genuine_message_gives_its_key_whatever_the_case_of_the_headers() -> None:
    headers = {name.upper(): value for name, value in sign(SECRET, "mall", "k-1", BODY, NOW).items()}
    assert verify(SECRET, "mall", headers, BODY, NOW + timedelta(seconds=TOLERANCE)) == "k-1"


def test_anything_changed_is_refused() -> None:
    headers = sign(SECRET, "mall", "k-1", BODY, NOW)
    for name in headers:
        assert refused({**headers, name: headers[name] + "0"}) == "bad_signature"
        assert refused({key: value for key, value in headers.items() if key != name}) == "bad_signature"
    assert refused(headers, body=BODY + b" ") == "bad_signature"
    assert refused(headers, audience="platform:mall") == "bad_signature", "turned round"
    assert refused(sign(b"other", "mall", "k-1", BODY, NOW)) == "bad_signature"
    assert refused({**headers, SIGNATURE: "签名"}) == "bad_signature"


def test_parts_cannot_run_over_into_each_other() -> None:
    headers = sign(SECRET, "mall", "k-1", BODY, NOW)
    time, nonce = headers[TIME], headers[NONCE]
    assert refused({**headers, TIME: time + nonce[:1], NONCE: nonce[1:]}) == "bad_signature"


def test_an_old_or_early_message_is_refused() -> None:
    headers = sign(SECRET, "mall", "k-1", BODY, NOW)
    for seconds in (-TOLERANCE - 1, TOLERANCE + 1):
        assert refused(headers, at=NOW + timedelta(seconds=seconds)) == "stale_signature"


@given(st.dictionaries(st.text(max_size=30), st.text(max_size=80), max_size=6), st.binary(max_size=50))
def test_no_foreign_headers_break_it(headers: dict[str, str], body: bytes) -> None:
    assert refused(headers, body=body) == "bad_signature"
