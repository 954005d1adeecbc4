"""Every endpoint of the description, with what fits it and with what does not: no error of ours, answers as described.

A longer run: `CAIGOU_FUZZ=300 make test ARGS=tests/web/test_api_fuzz.py` (examples for each endpoint and role; 2 without).
"""

import os
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from core.service.system import System
from tests.web.conftest import HANDLER, OFFICE

EXAMPLES = int(os.environ.get("CAIGOU_FUZZ", "2"))
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
]  # fmt: skip
# Ends the session or locks the account that asks; tried by tests of their own.
LEFT_OUT = {
    ("DELETE", "/api/v1/sessions"), ("POST", "/api/v1/me/password"), ("DELETE", "/api/v1/sessions/{session}"),
}  # fmt: skip
# What the demonstration world holds, so that more than 404 is tried.
KNOWN = {
    "number": [f"JH-150299-2026-{at:06d}" for at in range(1, 11)], "kind": ["plan", "contract", "budget"],
    "variant": ["mall", "project", "contract"], "goal": ["editable", "void"], "table": ["lines", "funding"],
}  # fmt: skip


def meet(case: Any, pick: int) -> None:
    """Point a case at something that there is, half of the time."""
    for name in case.path_parameters or {}:
        if name in KNOWN and pick % 2:
            case.path_parameters[name] = KNOWN[name][pick % len(KNOWN[name])]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_endpoint_answers_as_described(
    app: Flask, system: System, bearer: Callable[[str], dict[str, str]], mode: GenerationMode
) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app)
    roles = [bearer(login) for login in (HANDLER, OFFICE)]
    tried = set()
    for found in schema.get_all_operations():
        operation = found.ok()
        tried.add((operation.method.upper(), operation.path))
        if (operation.method.upper(), operation.path) in LEFT_OUT:
            continue

        @settings(
            max_examples=EXAMPLES, deadline=None, database=None, derandomize=EXAMPLES < 10,
            phases=[Phase.generate], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy(generation_mode=mode), pick=st.integers(0, 99))
        def answers(case: Any, pick: int) -> None:
            meet(case, pick)
            for headers in roles:
                case.call_and_validate(headers=headers, checks=CHECKS)

        answers()
    assert len(tried - LEFT_OUT) > 50
    assert tried >= LEFT_OUT, "what is left out is there"


@pytest.fixture
def app(app: Flask) -> Flask:
    """Unexpected errors are answered as in production, so that they are seen as what they are."""
    app.config["PROPAGATE_EXCEPTIONS"] = False
    return app
