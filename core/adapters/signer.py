"""Seals in PKCS#11 tokens. No module is loaded here: `signer_child.py` does it, in a process of its own."""

import base64
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from cryptography import x509
from cryptography.x509.oid import NameOID

from core.adapters.certificate_pdf import SEAL_BOXES
from core.adapters.seal_stamp import stamp
from core.adapters.seal_trust import Trust
from core.adapters.token_lock import BusyError, alone, store
from core.domain.errors import DomainError, InvalidError, UnavailableError
from core.service.sealing_ports import Seal, SignedPdf, Validation

_log = structlog.get_logger(__name__)
_CHILD = Path(__file__).with_name("signer_child.py")
# A vendor's library has no business with the rest of our environment (keys, passwords of the database).
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "SOFTHSM2_CONF", "SYSTEMROOT")

_ANSWERS: dict[str, DomainError] = {
    "pin_wrong": InvalidError(
        "UKey 口令（PIN）不对，文件没有签章。请先核实口令，不要连续试，多次输错 UKey 会锁死",
        code="pin_wrong",
        fields={"pin": "口令不对"},
    ),
    "pin_wrong_final": InvalidError(
        "UKey 口令（PIN）不对，而且只剩最后一次机会。请不要再试，先向发证机构核实口令",
        code="pin_wrong",
        fields={"pin": "口令不对，只剩最后一次机会"},
    ),
    "pin_locked": InvalidError(
        "UKey 已锁死，请带 UKey 到发证机构解锁，或换一把 UKey",
        code="pin_locked",
        fields={"pin": "UKey 已锁死"},
    ),
    "pin_expired": InvalidError(
        "UKey 口令已过期，请用厂商工具修改口令后再签", code="pin_wrong", fields={"pin": "口令已过期"}
    ),
    "pin_unset": InvalidError(
        "UKey 还没有设置口令，请用厂商工具设置后再签", code="pin_wrong", fields={"pin": "还没有设置口令"}
    ),
    "token_missing": UnavailableError("没有找到本单位的 UKey，请插好 UKey 再试", code="token_missing"),
    "token_ambiguous": UnavailableError("找到多把同名的 UKey，请只留要用的一把再试", code="token_missing"),
    "token_changed": UnavailableError("UKey 已被拔出或换过，请插好后重新选择印章", code="token_missing"),
    "key_missing": InvalidError(
        "UKey 里没有这枚印章的签名密钥，请换一枚印章，或联系发证机构重新制作",
        code="seal_unusable",
        fields={"seal": "没有签名密钥"},
    ),
    "module_missing": UnavailableError(
        "没有安装 UKey 的驱动（PKCS#11 模块），请先安装", code="module_missing"
    ),
    "module_unloadable": UnavailableError(
        "UKey 的驱动（PKCS#11 模块）不能加载，可能是 32 位或已损坏，请重新安装 64 位驱动",
        code="module_missing",
    ),
    "module_failed": UnavailableError(
        "UKey 的驱动报告故障，文件没有签章。请重新插拔 UKey，仍不行请重装驱动", code="module_crashed"
    ),
    "module_crashed": UnavailableError(
        "UKey 的驱动意外退出，文件没有签章。请重新插拔 UKey，仍不行请重装驱动", code="module_crashed"
    ),
    "module_busy": UnavailableError(
        "UKey 正在办理别的签章，等了一会儿还没有轮到，文件没有签章。请过一分钟再签", code="module_busy"
    ),
    "module_timeout": UnavailableError(
        "UKey 的驱动没有在限定时间内答复，文件没有签章。请重新插拔 UKey 后再试", code="module_timeout"
    ),
}


def _error(answer: str) -> DomainError:
    """A fresh error each time: a raised one keeps its traceback."""
    known = _ANSWERS[answer]
    return type(known)(known.message, code=known.code, fields=known.fields)


def ask_module(
    module: Path, environment: Mapping[str, str], request: Mapping[str, object], *, limit: float
) -> Any:
    """Have one child carry out `request` on `module` within `limit` seconds; never repeated.

    Requests to one module's tokens go one at a time, whatever process they come from; before its own time starts,
    each waits at most `limit` seconds for the others (`module_busy`).
    Raises the errors of `core.service.sealing_ports.Signer`; RuntimeError when the child itself is at fault.
    """
    if not module.is_file():
        raise _error("module_missing")
    if not os.access(module, os.R_OK):
        raise _error("module_unloadable")
    try:
        with alone(store(module, environment), limit) as lock:
            return _ask(module, environment, {**request, "module": str(module), "limit": limit}, lock)
    except BusyError:
        _log.warning("pkcs11_busy", op=request["op"], module=module.name)
        raise _error("module_busy") from None


def _ask(module: Path, environment: Mapping[str, str], request: Mapping[str, Any], lock: int) -> Any:
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    child = subprocess.Popen(  # noqa: S603 - our own file, no input in the arguments
        [sys.executable, "-I", str(_CHILD)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**passed_on, **environment},
        start_new_session=True,
        pass_fds=() if sys.platform == "win32" else (lock,),
    )
    try:
        answer, _ = child.communicate(json.dumps(request).encode(), timeout=request["limit"])
    except subprocess.TimeoutExpired:
        _log.warning("pkcs11_timeout", op=request["op"], module=module.name)
        raise _error("module_timeout") from None
    finally:
        _end(child)
    return _result(answer, request["op"], module.name, child.returncode)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill the child and what the module started in its group, unless it has already been waited for."""
    if child.returncode is None:
        with suppress(ProcessLookupError):
            if sys.platform == "win32":
                child.kill()
            else:
                os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe:
            with suppress(BrokenPipeError):
                pipe.close()


def _result(answer: bytes, op: object, module: str, returncode: int) -> Any:
    """Only a complete document counts: a module may end the process with code 0."""
    try:
        document = json.loads(answer)
    except ValueError:
        document = None
    if not isinstance(document, dict) or not document.keys() & {"result", "error"}:
        _log.warning("pkcs11_crash", op=op, module=module, returncode=returncode)
        raise _error("module_crashed")
    if "error" not in document:
        return document["result"]
    if document["error"] == "internal":
        raise RuntimeError(f"signer child failed at {op}: {document['detail']}")
    _log.warning("pkcs11_refused", op=op, module=module, answer=document["error"], detail=document["detail"])
    raise _error(document["error"])


@dataclass(frozen=True)
class _Held:
    """A seal with what the token needs to find it again."""

    seal: Seal
    der: bytes
    key_id: str
    key_label: str
    unit: str


class Pkcs11Signer:
    """Implements `core.service.sealing_ports.Signer` for one PKCS#11 module."""

    def __init__(
        self,
        module: Path,
        trust: Trust,
        *,
        environment: Mapping[str, str] | None = None,
        limit: float = 10.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`environment` is added for the module (SOFTHSM2_CONF …); `limit` in seconds for each request."""
        self._module = module
        self._trust = trust
        self._environment = dict(environment or {})
        self._limit = limit
        self._clock = clock

    def seals(self, token_label: str) -> list[Seal]:
        """All seals of the token, usable or not, without login; sorted by label and serial."""
        return [held.seal for held in self._held(token_label)]

    def certificates(self, token_label: str) -> list[bytes]:
        """DER of the certificates of all seals of the token, without login."""
        return [held.der for held in self._held(token_label)]

    def sign(
        self,
        pdf: bytes,
        *,
        token_label: str,
        seal: str,
        pin: str,
        reason: str,
        location: str = "",
        parties: int = 1,
    ) -> SignedPdf:
        """Seal a PDF; the PIN is sent once, after everything that can be checked without it."""
        if not pin:
            raise InvalidError("请输入 UKey 口令（PIN）", code="pin_wrong", fields={"pin": "请输入口令"})
        turn = self._turn(pdf, parties)
        held = _choose(self._held(token_label), seal)
        left, bottom, right, top = SEAL_BOXES[turn]
        visible = stamp(held.unit, held.seal.label, self._clock(), (right - left, top - bottom))
        answer = self._ask(
            op="sign",
            token=token_label,
            certificate=_text(held.der),
            key_id=held.key_id,
            key_label=held.key_label,
            pin=pin,
            pdf=_text(pdf),
            stamp=_text(visible),
            boxes=SEAL_BOXES[:parties],
            turn=turn,
            reason=reason,
            location=location,
            name=held.unit,
            chain=[_text(each.dump()) for each in self._trust.intermediates],
        )
        return self._checked(base64.b64decode(answer["pdf"]), held.seal)

    def validate(self, pdf: bytes) -> Validation:
        """Judge the signatures of `pdf` now, without network; never raises for a bad file."""
        return self._trust.validate(pdf, self._clock())

    def _turn(self, pdf: bytes, parties: int) -> int:
        """How many parties have sealed the PDF so far; refused where all have, or where what they sealed is not good."""
        before = self.validate(pdf)
        if before.signed and (before.seals >= parties or not before.ok):
            said = "文件上已有签章，重新签章要从未签章的备案书开始"
            raise InvalidError(
                said if before.ok else f"前一方的签章有问题：{before.problem}", code="already_signed"
            )
        if not pdf.startswith(b"%PDF-"):
            raise InvalidError("要签章的文件不是 PDF，请重新生成备案书", code="signature_invalid")
        return before.seals

    def _checked(self, signed: bytes, seal: Seal) -> SignedPdf:
        verdict = self.validate(signed)
        if not verdict.ok or verdict.serial != seal.serial or verdict.signed_at is None:
            raise InvalidError(
                f"签章没有通过核对，已丢弃：{verdict.problem or '签章与所选印章不符'}",
                code="signature_invalid",
            )
        digest = hashlib.sha256(signed).hexdigest()
        return SignedPdf(signed, digest, seal, verdict.signed_at, verdict)

    def _held(self, token_label: str) -> list[_Held]:
        now = self._clock()
        found = [self._read(entry, now) for entry in self._ask(op="seals", token=token_label)]
        return sorted(
            (held for held in found if held is not None), key=lambda held: (held.seal.label, held.seal.serial)
        )

    def _read(self, entry: Mapping[str, Any], now: datetime) -> _Held | None:
        """The seal of a certificate object; None for an authority's certificate or an unreadable one."""
        der = base64.b64decode(entry["certificate"])
        try:
            certificate = x509.load_der_x509_certificate(der)
            if _is_authority(certificate):
                return None
            subject = certificate.subject.rfc4514_string()
        except ValueError:
            _log.warning("pkcs11_certificate_unreadable", module=self._module.name)
            return None
        keys = [base64.b64decode(each) for each in entry["public_keys"]]
        why_not = self._trust.why_not(der, keys, now)
        common = _name(certificate, NameOID.COMMON_NAME)
        # Labels in GBK arrive with replacement characters; the certificate says the same in UTF-8.
        label = common if "\ufffd" in entry["label"] or not entry["label"] else entry["label"]
        seal = Seal(
            label,
            subject,
            f"{certificate.serial_number:X}",
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
            why_not is None,
            why_not,
        )
        unit = _name(certificate, NameOID.ORGANIZATION_NAME) or common
        return _Held(seal, der, entry["id"], entry["label"], unit)

    def _ask(self, **request: object) -> Any:
        return ask_module(self._module, self._environment, request, limit=self._limit)


def _choose(held: Sequence[_Held], wanted: str) -> _Held:
    """The seal of this serial, else of this label; a label shared with an encryption certificate is clear."""
    serial = wanted.replace(":", "").replace(" ", "").upper().lstrip("0")
    named = [each for each in held if each.seal.serial == serial] or [
        each for each in held if each.seal.label == wanted
    ]
    fit = [each for each in named if each.seal.usable] or named
    if len(fit) == 1 and fit[0].seal.usable:
        return fit[0]
    if not fit:
        problem = f"UKey 里没有印章“{wanted}”，现有：" + ("、".join(each.seal.label for each in held) or "无")
    elif fit[0].seal.usable:
        problem = f"UKey 里有多枚印章叫“{wanted}”，请按证书序列号选择"
    else:
        problem = f"印章“{fit[0].seal.label}”不能用：{fit[0].seal.why_not}"
    raise InvalidError(problem, code="seal_unusable", fields={"seal": problem})


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        return False


def _name(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    found = certificate.subject.get_attributes_for_oid(oid)
    return str(found[0].value) if found else ""


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
