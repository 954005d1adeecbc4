"""`python -m core sign-challenge`: signs the server's challenge on the user's own machine, where the key is.

The PIN is typed here and goes to the key's driver alone, once. It is never an argument, and nothing is retried.
"""

import argparse
import base64
import getpass
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cryptography import x509

from core.adapters import softhsm
from core.adapters.signer import ask_module
from core.domain.certificates import common_name, serials
from core.domain.errors import InvalidError, NotFoundError
from core.service.challenges import LABELS, PATTERN, pack

_LIMIT = 30.0  # seconds for one request to the key


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command. There is none for the PIN: other users of the machine could read it."""
    parser.add_argument(
        "--module", type=Path, help="锁的 PKCS#11 驱动文件；不写则用 CAIGOU_PKCS11_MODULE，再没有用 SoftHSM"
    )
    parser.add_argument("--token", required=True, help="锁的标签")
    parser.add_argument("--certificate", default="", help="锁里有几张证书时，用哪一张：标签或序列号")
    parser.add_argument("--challenge", required=True, help="页面上的验证文字")


def run(given: argparse.Namespace) -> str:
    """What to paste into the page. DomainError says what is wrong."""
    return prove(given.challenge, _pin, module=given.module, token=given.token, wanted=given.certificate)


def prove(
    challenge: str,
    ask_pin: Callable[[str], str],
    *,
    module: Path | None = None,
    token: str = "",
    wanted: str = "",
) -> str:
    """Sign one of the server's challenges, and nothing else, with a key of this machine.

    `ask_pin` gets a sentence that says what is signed for and with which certificate, and gives the PIN, which is used
    once; it is asked last. `token` and `wanted` are needed only where there are several. DomainError says what is wrong.
    """
    match = PATTERN.match(challenge.strip())
    if match is None:
        raise InvalidError(
            "这不是本平台的验证文字，没有签名。请从页面上整段复制", fields={"challenge": "不是验证文字"}
        )
    driver, environment = _driver(module)
    token = token or _only_token(driver, environment)
    held = ask_module(driver, environment, {"op": "seals", "token": token}, limit=_LIMIT)
    chosen = _choose(held, wanted)
    request = {
        "op": "sign_text",
        "token": token,
        "certificate": chosen["certificate"],
        "key_id": chosen["id"],
        "key_label": chosen["label"],
        "pin": ask_pin(f"用证书“{chosen['label']}”签名，用途：{LABELS[match[1]]}"),
        "text": challenge.strip(),
    }
    answer = ask_module(driver, environment, request, limit=_LIMIT)
    return pack(base64.b64decode(chosen["certificate"]), base64.b64decode(answer["signature"]))


def _only_token(module: Path, environment: Mapping[str, str]) -> str:
    found = list(ask_module(module, environment, {"op": "tokens"}, limit=_LIMIT))
    if len(found) == 1:
        return str(found[0])
    if not found:
        raise NotFoundError("没有读到锁，请插好锁再试", code="token_missing")
    raise NotFoundError(f"插着几把锁，请用 --token 指明一把：{'、'.join(found)}", code="token_ambiguous")


def _driver(module: Path | None) -> tuple[Path, Mapping[str, str]]:
    named = module or os.environ.get("CAIGOU_PKCS11_MODULE")
    if named:
        return Path(named), {}
    demonstration = Path(os.environ.get("CAIGOU_VAR", "var")) / "softhsm" / "softhsm2.conf"
    own = {} if "SOFTHSM2_CONF" in os.environ else {"SOFTHSM2_CONF": str(demonstration)}
    return softhsm.find_module(), own


def _pin(said: str) -> str:
    sys.stderr.write(f"{said}\n")
    pin = getpass.getpass("锁的口令（PIN）：") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if not pin:
        raise InvalidError("没有输入锁的口令（PIN），没有签名", code="pin_wrong", fields={"pin": "没有输入"})
    return pin


def _choose(held: list[dict[str, Any]], wanted: str) -> dict[str, Any]:
    """The only certificate for signing, or the one named by label or serial."""
    described = [(entry, *_described(entry)) for entry in held]
    fit = [(entry, name, serial) for entry, name, serial, signs in described if signs]
    if wanted:
        meant = serials(wanted)
        fit = [one for one in fit if one[0]["label"] == wanted or one[2] in meant]
    if len(fit) == 1:
        return fit[0][0]
    known = "；".join(
        f"{entry['label']}（{name}，序列号 {serial}）" for entry, name, serial, signs in described if signs
    )
    if not known:
        raise NotFoundError("锁里没有能签名的证书")
    reason = "锁里没有这张证书" if not fit else "锁里有几张证书，请用 --certificate 指明一张"
    raise NotFoundError(f"{reason}。现有：{known}", fields={"certificate": "请指明"})


def _described(entry: Mapping[str, Any]) -> tuple[str, str, bool]:
    """Owner, serial, and whether it is one that signs and is no authority's."""
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode(entry["certificate"]))
        owner = common_name(certificate.subject.rfc4514_string())
        return owner, f"{certificate.serial_number:X}", _signs(certificate)
    except ValueError:
        return "", "", False


def _signs(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return usage.digital_signature and not usage.key_cert_sign
