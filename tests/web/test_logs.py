import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest
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


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, str]]]]:
    """What was logged, as data."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure(stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
    for handler in before:
        root.addHandler(handler)
    root.setLevel(level)


def test_both_ways_of_logging_are_masked_lines_of_json(lines: Callable[[], list[dict[str, str]]]) -> None:
    structlog.get_logger("x").warning("sent", phone="13812345678", pin="246813")
    logging.getLogger("core.x").warning("call %s", "13812345678")
    first, second = lines()
    assert (first["phone"], first["pin"], first["level"]) == ("138****5678", "***", "warning")
    assert (second["event"], second["level"]) == ("call 138****5678", "warning")


def test_a_traceback_shows_no_local_values(lines: Callable[[], list[dict[str, str]]]) -> None:
    def fail(pin: str) -> None:
        raise ValueError(len(pin))

    secret = "246" + "813"
    try:
        fail(secret)
    except ValueError as error:
        structlog.get_logger("x").error("unexpected", exc_info=error)
    (line,) = lines()
    assert "ValueError" in line["exception"]
    assert secret not in json.dumps(line)
