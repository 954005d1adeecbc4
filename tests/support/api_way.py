"""Walks through the public API: every step a request to a running server, by the right account.

Passwords open sessions; who has to come with a key proves it with the unit's demonstration token (SoftHSM).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from core import worlds
from core.adapters import challenge_signing
from core.domain.errors import BlockedError, DomainError
from core.walk_ways import Call, Column, Seen, Who, filled_in
from web.api_form_schemas import FormFieldOut

_SEAL = "公章"


class ApiWay:
    """Implements `core.walk_ways.Way` with nothing but /api/v1. Time cannot be made to pass."""

    def __init__(self, client: httpx.Client, place: worlds.Place) -> None:
        """`client` has the address of /api/v1 as its base."""
        self._client, self._place = client, place
        self._logins = worlds.logins(place)
        self._tokens: dict[Who, str] = {}
        self._kinds: dict[Who, Any] = {}

    def fields(self, who: Who, kind: str, variant: str) -> Sequence[Column]:
        """From GET /kinds."""
        if who not in self._kinds:
            self._kinds[who] = self._ask(who, "GET", "/kinds")["items"]
        variants = next(item["variants"] for item in self._kinds[who] if item["kind"] == kind)
        found = next(item["fields"] for item in variants if item["variant"] == variant)
        return [FormFieldOut.model_validate(item) for item in found]

    def create(
        self, who: Who, kind: str, variant: str, form: Mapping[str, Any], *, above: str | None, key: str
    ) -> str:
        """POST /documents."""
        given = {"kind": kind, "variant": variant, "form": form, "parent": above}
        return str(self._ask(who, "POST", "/documents", json=given, key=key)["summary"]["number"])

    def save(self, who: Who, number: str, form: Mapping[str, Any], *, version: int, key: str) -> None:
        """PUT /documents/<number>."""
        self._ask(who, "PUT", f"/documents/{number}", json={"form": form, "version": version}, key=key)

    def act(self, who: Who, number: str, action: str, given: Mapping[str, str], *, key: str) -> None:
        """POST …/acts; what signs is POST …/signature with the first usable seal."""
        version = self._ask(who, "GET", f"/documents/{number}")["summary"]["version"]
        if action in {"sign", "sign_supplier"}:
            seals = self._ask(who, "GET", "/seals")["items"]
            seal = next(item["label"] for item in seals if item["usable"])
            body = {"version": version, "seal": seal, "pin": worlds.PIN, "action": action}
            self._ask(who, "POST", f"/documents/{number}/signature", json=body, key=key)
        else:
            body = {"version": version, "action": action, "arguments": dict(given)}
            self._ask(who, "POST", f"/documents/{number}/acts", json=body, key=key)

    def see(self, who: Who, number: str) -> Seen:
        """GET /documents/<number>."""
        found = self._ask(who, "GET", f"/documents/{number}")
        summary, account = found["summary"], found["account"]
        return Seen(
            number=number, kind=summary["kind"], variant=summary["variant"], node=summary["node"],
            version=summary["version"], form=found["form"], flags=frozenset(found["flags"]),
            held_fen=sum(hold["frozen_fen"] + hold["used_fen"] for hold in found["holds"]),
            account_id=account["id"] if account else None,
            account_fen=account["available_fen"] if account else 0,
            errors=frozenset(found["form_errors"]), doubts=frozenset(found["doubts"]),
        )  # fmt: skip

    def below(self, who: Who, number: str, kind: str) -> list[str]:
        """`linked` of the document."""
        linked = self._ask(who, "GET", f"/documents/{number}")["linked"]
        return [item["number"] for item in linked if item["kind"] == kind]

    def steps(self, who: Who, number: str, goal: str) -> list[Call]:
        """GET …/plans-to/<goal>."""
        found = self._ask(who, "GET", f"/documents/{number}/plans-to/{goal}")
        if not found["possible"]:
            raise BlockedError("；".join(found["reasons"]))
        return [
            Call(
                step["number"],
                step["action"],
                filled_in(((field["name"], field["required"]) for field in step["form"]), step["target"]),
            )
            for step in found["steps"]
        ]

    def able(self, number: str, goal: str, call: Call) -> Who:
        """The first account of the city whose own way to the goal begins with this step as its own."""
        for who in (Who(unit, role) for unit, role in self._logins):
            try:
                found = self._ask(who, "GET", f"/documents/{number}/plans-to/{goal}")
            except DomainError as error:
                if error.code != "not_found":
                    raise
                continue  # the document is not for them to see
            first = next(iter(found["steps"]), None)
            if first and first["mine"] and (first["number"], first["action"]) == (call.number, call.action):
                return who
        raise AssertionError(f"{number}：没有账号能办 {call}")

    def upload(self, who: Who, name: str, content: bytes) -> dict[str, str]:
        """POST /attachments."""
        kept = self._ask(who, "POST", "/attachments", files={"file": (name, content, "application/pdf")})
        return {"sha256": kept["sha256"], "name": kept["name"]}

    def indicators(self, who: Who) -> list[int]:
        """GET /indicators."""
        return [item["id"] for item in self._ask(who, "GET", "/indicators")["items"]]

    def today(self) -> str:
        """The server's clock is the machine's."""
        return datetime.now(ZoneInfo("Asia/Shanghai")).date().isoformat()

    def wait(self, days: int) -> None:
        """Nobody can turn a server's clock by the API."""
        raise AssertionError(f"接口走不了要等 {days} 天的演练")

    def _ask(self, who: Who, method: str, path: str, *, key: str = "", **body: Any) -> Any:
        if who not in self._tokens:
            self._tokens[who] = self._signed_in(who)
        headers = {"Authorization": f"Bearer {self._tokens[who]}"} | ({"Idempotency-Key": key} if key else {})
        return _answer(self._client.request(method, path, headers=headers, **body))

    def _signed_in(self, who: Who) -> str:
        login = self._logins[who.unit, who.role]
        account = {"login": login, "password": worlds.PASSWORD}
        if not who.by_key:
            return str(_answer(self._client.post("/sessions", json=account))["token"])
        challenge, proof = self._proof(who, "bind")
        _answer(self._client.post("/certificates", json={**account, "challenge": challenge, "proof": proof}))
        challenge, proof = self._proof(who, "sign_in")
        given = {"challenge": challenge, "proof": proof, "login": login}
        return str(_answer(self._client.post("/sessions/certificate", json=given))["token"])

    def _proof(self, who: Who, purpose: str) -> tuple[str, str]:
        text = _answer(self._client.post("/challenges", json={"purpose": purpose}))["text"]
        token = self._place.token(who.unit) or ""
        return text, challenge_signing.prove(text, lambda _said: worlds.PIN, token=token, wanted=_SEAL)


def _answer(response: httpx.Response) -> Any:
    """The body, or what the problem says as the product's own error."""
    found = response.json()
    if response.is_success:
        return found
    raise DomainError(found["detail"], code=found["code"], fields=found["fields"])
