"""Certificates that identify people: reading them, judging them, checking what their keys signed."""

import hashlib
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from core.adapters.seal_trust import Trust
from core.domain.certificates import KeyCertificate
from core.domain.errors import InvalidError, UnavailableError

_LEAST_BITS = 2048
_MOST_BYTES = 16 * 1024


class X509Judge:
    """Implements `core.service.identity_ports.CertificateJudge`."""

    def __init__(self, trust: Trust | None) -> None:
        """`trust` is None where no authority is configured: then nobody is let in by certificate."""
        self._trust = trust

    def read(self, der: bytes) -> KeyCertificate:
        """What is kept of it; InvalidError `bad_proof` for bytes that are none."""
        certificate = _load(der)
        return KeyCertificate(
            serial=f"{certificate.serial_number:X}",
            issuer=certificate.issuer.rfc4514_string(),
            subject=certificate.subject.rfc4514_string(),
            not_after=certificate.not_valid_after_utc,
            sha256=hashlib.sha256(der).hexdigest(),
        )

    def why_not(self, der: bytes, now: datetime) -> str | None:
        """Why it cannot identify anybody at `now`, in Chinese; None if it can."""
        if self._trust is None:
            raise UnavailableError(
                "这台服务器还没有配置认可的发证机构，暂时不能用 CA 登录；请管理员设置 CAIGOU_TRUST",
                code="trust_missing",
            )
        certificate = _load(der)
        fault = _dates(certificate, now) or _algorithm(certificate) or _use(certificate)
        if fault is None and not self._trust.issued(der, now):
            fault = "这张证书不是本系统认可的机构签发的，或签发链不完整"
        return fault

    def signed(self, der: bytes, message: bytes, signature: bytes) -> bool:
        """Whether the certificate's key made `signature` (RSA PKCS#1 v1.5 or ECDSA, SHA-256) over `message`."""
        try:
            key = _load(der).public_key()
            if isinstance(key, rsa.RSAPublicKey):
                key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
            elif isinstance(key, ec.EllipticCurvePublicKey):
                key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
            else:
                return False
        except (InvalidSignature, UnsupportedAlgorithm, ValueError):
            return False
        return True


def _load(der: bytes) -> x509.Certificate:
    if len(der) > _MOST_BYTES:
        raise InvalidError("证书太大，不是一张证书", code="bad_proof", fields={"proof": "证书太大"})
    try:
        certificate = x509.load_der_x509_certificate(der)
        certificate.subject.rfc4514_string()
    except ValueError as error:
        raise InvalidError(
            "签名结果里的证书读不出来，请重新签一次", code="bad_proof", fields={"proof": "证书读不出来"}
        ) from error
    return certificate


def _dates(certificate: x509.Certificate, now: datetime) -> str | None:
    if now < certificate.not_valid_before_utc:
        return f"证书 {certificate.not_valid_before_utc:%Y-%m-%d} 起才生效，请核对电脑时间"
    if now > certificate.not_valid_after_utc:
        return f"证书已于 {certificate.not_valid_after_utc:%Y-%m-%d} 到期，请到发证机构更新"
    return None


def _algorithm(certificate: x509.Certificate) -> str | None:
    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return "这是国密（SM2）或其他暂不支持的证书，这里还不能用它登录；请用密码登录，或换用 RSA 证书"
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _LEAST_BITS:
        return f"证书的密钥只有 {key.key_size} 位，不安全，请到发证机构更换"
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return "证书的算法暂不支持，请换用 RSA 证书"
    return None


def _use(certificate: x509.Certificate) -> str | None:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        if not usage.digital_signature:
            return "这是加密证书，不能用来登录，请选锁里的签名证书"
    except (x509.ExtensionNotFound, ValueError):
        return None
    return None
