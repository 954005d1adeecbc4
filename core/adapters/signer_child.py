"""The only code that touches a PKCS#11 module: one process for one request, one thread in it.

Vendors' modules crash, hang, print, or end the process. So this file runs as a process of its own, reads one
JSON request from standard input (the PIN with it: never argv, never the environment), and writes one JSON
document: `{"result": …}`, or `{"error": code, "detail": type}`. Anything else the parent reads as a crash.
It imports nothing of the project, because it is started isolated, by path.

Requests: `module` (path), `limit` (seconds), `op`, and by op
- `tokens`: → `[label]`
- `seals` (`token`): → `[{"label", "id", "certificate", "public_keys"}]`, without login
- `sign` (`token`, `certificate`, `key_id`, `key_label`, `pin`, `pdf`, `stamp`, `box`, `reason`, `location`,
  `name`, `chain`): → `{"pdf"}`
- `sign_text` (`token`, `certificate`, `key_id`, `key_label`, `pin`, `text`): → `{"signature"}`: RSA PKCS#1 v1.5 or
  ECDSA (DER), SHA-256
- `set_pin` (`token`, `so_pin`, `pin`), `import` (`token`, `pin`, `label`, `id`, `certificate`, `modulus` …):
  filling demonstration tokens
Bytes are base64.
"""

import asyncio
import base64
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from io import BytesIO
from math import ceil
from typing import Any, TypeVar, TypeVarTuple

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass, TokenFlag
from pkcs11.util.ec import encode_ec_public_key
from pkcs11.util.rsa import encode_rsa_public_key

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """The request cannot be done; `args` are the error code and a detail for the log."""


def main() -> None:
    """Answer the request on standard input; what the module itself prints goes nowhere."""
    answer_to = os.dup(1)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    with suppress(ImportError):  # absent on Windows, which writes no core files
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash leaves no PIN in a core file
    request = json.load(sys.stdin)
    # Should the parent be killed, a module that hangs must not keep the key's lock.
    if hasattr(signal, "alarm"):
        signal.alarm(ceil(request["limit"]) + 1)
    try:
        document: dict[str, Any] = {"result": _OPS[request["op"]](request)}
    except Refused as refused:
        document = {"error": refused.args[0], "detail": refused.args[1]}
    except pkcs11.PKCS11Error as error:
        document = {"error": _code(error), "detail": type(error).__name__}
    except Exception as error:  # noqa: BLE001 - reported as ours, with its type only: texts may quote the PIN
        document = {"error": "internal", "detail": type(error).__name__}
    with os.fdopen(answer_to, "w", encoding="utf-8") as out:
        json.dump(document, out)
    os._exit(0)  # modules also crash while they are unloaded


_CODES: dict[type[pkcs11.PKCS11Error], str] = {
    pkcs11.PinIncorrect: "pin_wrong",
    pkcs11.PinLenRange: "pin_wrong",
    pkcs11.PinInvalid: "pin_wrong",
    pkcs11.PinLocked: "pin_locked",
    pkcs11.PinExpired: "pin_expired",
    pkcs11.UserPinNotInitialized: "pin_unset",
    pkcs11.TokenNotPresent: "token_missing",
    pkcs11.TokenNotRecognised: "token_missing",
    pkcs11.DeviceRemoved: "token_missing",
    pkcs11.NoSuchKey: "key_missing",
}


def _code(error: pkcs11.PKCS11Error) -> str:
    return _CODES.get(type(error), "module_failed")


def _slots(module: str) -> list[pkcs11.Slot]:
    try:
        library = pkcs11.lib(module)
    except pkcs11.PKCS11Error as error:
        if type(error) is pkcs11.PKCS11Error:  # the bare type: the file cannot be loaded
            raise Refused("module_unloadable", "PKCS11Error") from error
        raise
    return list(library.get_slots(token_present=True))


def _tokens(module: str) -> list[pkcs11.Token]:
    """All initialised tokens; slot by slot, because one faulty device would hide the others."""
    found = []
    for slot in _slots(module):
        try:
            token = slot.get_token()
        except pkcs11.PKCS11Error:
            continue
        if TokenFlag.TOKEN_INITIALIZED in token.flags:
            found.append(token)
    return found


def _token(request: dict[str, Any]) -> pkcs11.Token:
    found = [token for token in _tokens(request["module"]) if token.label == request["token"]]
    if not found:
        raise Refused("token_missing", "no token of this label")
    if len(found) > 1:
        raise Refused("token_ambiguous", "several tokens of this label")
    return found[0]


def _list_tokens(request: dict[str, Any]) -> list[str]:
    return [token.label for token in _tokens(request["module"])]


def _list_seals(request: dict[str, Any]) -> list[dict[str, Any]]:
    with _token(request).open() as session:
        return [
            {
                "label": certificate[Attribute.LABEL],
                "id": _text(certificate[Attribute.ID]),
                "certificate": _text(certificate[Attribute.VALUE]),
                "public_keys": _public_keys(session, certificate),
            }
            for certificate in list(session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE}))
        ]


def _public_keys(session: pkcs11.Session, certificate: pkcs11.Object) -> list[str]:
    """Public keys that claim to belong to `certificate`, as PKCS#1 (RSA) or SubjectPublicKeyInfo (EC)."""
    wanted: dict[Attribute, Any] = {Attribute.CLASS: ObjectClass.PUBLIC_KEY}
    if certificate[Attribute.ID]:
        wanted[Attribute.ID] = certificate[Attribute.ID]
    else:
        wanted[Attribute.LABEL] = certificate[Attribute.LABEL]
    encoders = {KeyType.RSA: encode_rsa_public_key, KeyType.EC: encode_ec_public_key}
    keys: list[Any] = list(session.get_objects(wanted))
    return [_text(encoders[key.key_type](key)) for key in keys if key.key_type in encoders]


def _sign(request: dict[str, Any]) -> dict[str, Any]:
    from asn1crypto import x509

    with _logged_in(request) as session:
        signed = _sign_pdf(session, x509.Certificate.load(_bytes(request["certificate"])), request)
    return {"pdf": _text(signed)}


def _sign_text(request: dict[str, Any]) -> dict[str, Any]:
    from hashlib import sha256

    from pkcs11.util.ec import encode_ecdsa_signature

    message = str(request["text"]).encode()
    wanted: dict[Attribute, Any] = {Attribute.CLASS: ObjectClass.PRIVATE_KEY}
    wanted |= (
        {Attribute.ID: _bytes(request["key_id"])}
        if request["key_id"]
        else {Attribute.LABEL: request["key_label"]}
    )
    with _logged_in(request) as session:
        keys: list[Any] = list(session.get_objects(wanted))
        if not keys:
            raise Refused("key_missing", "no private key")
        if keys[0].key_type == KeyType.EC:
            raw = keys[0].sign(sha256(message).digest(), mechanism=Mechanism.ECDSA)
            return {"signature": _text(encode_ecdsa_signature(raw))}
        return {"signature": _text(keys[0].sign(message, mechanism=Mechanism.SHA256_RSA_PKCS))}


def _logged_in(request: dict[str, Any]) -> pkcs11.Session:
    """A session with the PIN, which is sent once."""
    certificate = _bytes(request["certificate"])
    token = _token(request)
    # One look before the PIN: the key may have been swapped since the seals were listed.
    with token.open() as session:
        held = list(session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE}))
        if all(each[Attribute.VALUE] != certificate for each in held):
            raise Refused("token_changed", "certificate not in the token")
    if TokenFlag.USER_PIN_LOCKED in token.flags:
        raise Refused("pin_locked", "USER_PIN_LOCKED")
    try:
        return token.open(user_pin=request["pin"])
    except pkcs11.PKCS11Error as error:
        if _code(error) == "pin_wrong":
            raise Refused(_after_wrong_pin(request), type(error).__name__) from error
        raise


def _after_wrong_pin(request: dict[str, Any]) -> str:
    """What the token says now; its flags are fetched anew, for the Token object keeps the old ones."""
    flags = _token(request).flags
    if TokenFlag.USER_PIN_LOCKED in flags:
        return "pin_locked"
    return "pin_wrong_final" if TokenFlag.USER_PIN_FINAL_TRY in flags else "pin_wrong"


class _InlineLoop(asyncio.SelectorEventLoop):
    """Runs "executor" work in this thread: pyHanko signs in another one, and modules crash on threads."""

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*_Ts], _T], *args: *_Ts
    ) -> asyncio.Future[_T]:
        del executor
        future: asyncio.Future[_T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - the future carries it to who waits
            future.set_exception(error)
        return future


def _sign_pdf(session: pkcs11.Session, certificate: Any, request: dict[str, Any]) -> bytes:
    """The PDF with one more signature and its visible stamp on the last page.

    The first one certifies it and leaves an empty place for the party that seals it next, where there is one.
    """
    from asn1crypto import x509
    from pyhanko.pdf_utils.content import ImportedPdfPage
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.pdf_utils.layout import AxisAlignment, Margins, SimpleBoxLayoutRule
    from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter, append_signature_field
    from pyhanko.sign.pkcs11 import PKCS11Signer
    from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner
    from pyhanko.stamp import StaticStampStyle

    key_id = _bytes(request["key_id"])
    signer = PKCS11Signer(
        session,
        signing_cert=certificate,
        ca_chain=[x509.Certificate.load(_bytes(each)) for each in request["chain"]],
        key_id=key_id or None,
        key_label=None if key_id else request["key_label"],
        embed_roots=False,
    )
    boxes, turn = request["boxes"], request["turn"]
    fields = [
        SigFieldSpec(name, on_page=-1, box=tuple(box))
        for name, box in zip(("Seal", "Seal2"), boxes, strict=False)
    ]
    metadata = PdfSignatureMetadata(
        field_name=fields[turn].sig_field_name,
        md_algorithm="sha256",
        reason=request["reason"],
        location=request["location"] or None,
        name=request["name"],
        certify=not turn,
        docmdp_permissions=MDPPerm.NO_CHANGES if len(fields) == 1 else MDPPerm.FILL_FORMS,
        subfilter=SigSeedSubFilter.PADES,
        signer_key_usage={"digital_signature", "non_repudiation"},
    )
    with tempfile.NamedTemporaryFile(suffix=".pdf") as stamp:
        stamp.write(_bytes(request["stamp"]))
        stamp.flush()
        style = StaticStampStyle(
            border_width=0,
            background=ImportedPdfPage(stamp.name),  # type: ignore[no-untyped-call]
            background_layout=SimpleBoxLayoutRule(
                AxisAlignment.ALIGN_MID, AxisAlignment.ALIGN_MID, Margins()
            ),
        )
        writer = IncrementalPdfFileWriter(BytesIO(_bytes(request["pdf"])))
        for field in [] if turn else fields[1:]:
            append_signature_field(writer, field)
        signing = PdfSigner(metadata, signer, stamp_style=style, new_field_spec=None if turn else fields[0])
        with asyncio.Runner(loop_factory=_InlineLoop) as runner:
            out = runner.run(signing.async_sign_pdf(writer))
    return bytes(out.getvalue())


def _set_pin(request: dict[str, Any]) -> None:
    with _token(request).open(rw=True, so_pin=request["so_pin"]) as session:
        session.init_pin(request["pin"])


def _import(request: dict[str, Any]) -> None:
    """A key pair and its certificate; the certificate last, so that a seal which shows is complete."""
    from pkcs11.util.rsa import decode_rsa_private_key, decode_rsa_public_key
    from pkcs11.util.x509 import decode_x509_certificate

    marks = {Attribute.TOKEN: True, Attribute.LABEL: request["label"], Attribute.ID: _bytes(request["id"])}
    private = decode_rsa_private_key(_bytes(request["private_key"]))
    public = decode_rsa_public_key(_bytes(request["public_key"]))
    certificate = decode_x509_certificate(_bytes(request["certificate"]))
    with _token(request).open(rw=True, user_pin=request["pin"]) as session:
        for leftover in list(session.get_objects({Attribute.LABEL: request["label"]})):
            leftover.destroy()
        session.create_object(private | marks | {Attribute.PRIVATE: True, Attribute.SENSITIVE: True})
        session.create_object(public | marks | {Attribute.PRIVATE: False})
        session.create_object(certificate | marks | {Attribute.PRIVATE: False})


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)


_OPS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "tokens": _list_tokens,
    "seals": _list_seals,
    "sign": _sign,
    "sign_text": _sign_text,
    "set_pin": _set_pin,
    "import": _import,
}

if __name__ == "__main__":
    main()
