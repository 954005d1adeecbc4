import json

import structlog
from hypothesis import given
from hypothesis import strategies as st

from web import logs
from web.logs import mask, mask_name, mask_text


@given(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.text(alphabet="电话是，。ab "),
    st.text(alphabet="谢 ，x"),
)
def test_no_mobile_number_gets_through(phone: str, before: str, after: str) -> None:
    masked = mask_text(f"{before}{phone}{after}")
    assert phone not in masked
    assert masked == f"{before}{phone[:3]}****{phone[-4:]}{after}"


@given(st.text(alphabet="王小明李青ABC", min_size=2, max_size=6))
def test_names_keep_their_first_sign_only(name: str) -> None:
    assert mask_name(name) == name[0] + "*" * (len(name) - 1)


def test_other_numbers_stay() -> None:
    assert mask_text("JH-150299-2026-000001 金额 12800.50") == "JH-150299-2026-000001 金额 12800.50"
    assert mask_text("0471-8942366") == "0471-***2366" or "8942366" not in mask_text("0471-8942366")
    assert mask_text("150102199001011234") == "150102********1234"


def test_secrets_and_people_are_masked_at_any_depth() -> None:
    event = mask(
        None,
        "info",
        {"event": "x", "pin": "123456", "form": {"password": "p", "who": "王小明"}, "a": ["13812345678"]},
    )
    text = json.dumps(event, ensure_ascii=False)
    assert '123456"' not in text.replace("138****5678", "")
    assert "王小明" not in text
    assert "13812345678" not in text


def test_a_traceback_shows_no_local_values(capsys: object) -> None:
    logs.configure()
    try:
        renderer = structlog.get_config()["processors"][-1]
        assert (
            getattr(renderer, "_exception_formatter", structlog.dev.plain_traceback)
            is structlog.dev.plain_traceback
        )
    finally:
        structlog.reset_defaults()
