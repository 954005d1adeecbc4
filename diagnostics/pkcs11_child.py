"""Read one PKCS#11 library in a process of its own: `python -m diagnostics.pkcs11_child MODULE`.

Vendor libraries crash, hang and call exit(0), and python-pkcs11 crashes with threads. So this process loads
one library in one thread, never logs in, prints one complete JSON document on standard output and ends. The
parent (`diagnostics.child`) holds the clock and believes nothing but a complete document. The file imports
nothing of the project, so it also runs by its path without the package's imports.
"""

import hashlib
import json
import os
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

FORMAT = "caigou-pkcs11/1"
LAST_RESORT_S = 60
MAX_OUTPUT_BYTES = 16 * 1024 * 1024
Json = dict[str, Any]


def read_module(path: str) -> Json:
    """Document of one library: its slots, their tokens and public certificates; errors are part of it."""
    document: Json = {"format": FORMAT, "library": None, "slots": [], "error": None, "complete": True}
    try:
        _stage("load")
        import pkcs11

        library = pkcs11.lib(path)
        document["library"] = {
            "manufacturer": library.manufacturer_id,
            "description": library.library_description,
        }
        _stage("slots")
        slots = library.get_slots()
    except Exception as error:  # noqa: BLE001 – the library's fault is the finding
        document["error"] = _error(error)
        return document
    document["slots"] = [_slot(slot) for slot in slots]
    return document


def load_only(path: str) -> Json:
    """Document of a library that was loaded and nothing more; it has no slots to show."""
    import ctypes

    document: Json = {"format": FORMAT, "library": None, "slots": [], "error": None, "complete": True}
    _stage("load")
    try:
        ctypes.CDLL(path)
    except OSError as error:
        document["error"] = _error(error)
    return document


def describe_certificate(der: bytes) -> Json:
    """Subject, issuer, serial, validity, key usage and key fingerprint; raises ValueError for anything odd.

    SM2 certificates have no `public_key()` in `cryptography`: their `key` is None, everything else is read.
    """
    from cryptography import x509

    with warnings.catch_warnings():
        # An odd certificate (negative serial, say) is a fact to report, not a warning to print.
        warnings.simplefilter("ignore")
        try:
            return _described(x509.load_der_x509_certificate(der), der)
        except Exception as error:  # cryptography has several of its own that are no ValueError
            raise ValueError(type(error).__name__) from error


def _described(certificate: Any, der: bytes) -> Json:
    return {
        "subject": _common_name(certificate.subject),
        "issuer": _common_name(certificate.issuer),
        "issuer_names": " ".join(str(part.value) for part in certificate.issuer),
        "authority": _is_authority(certificate),
        "der": der.hex(),
        "serial": format(certificate.serial_number, "x"),
        "not_before": certificate.not_valid_before_utc.isoformat(),
        "not_after": certificate.not_valid_after_utc.isoformat(),
        "usage": _key_usage(certificate),
        "key": _certificate_key(certificate),
        "sha256": hashlib.sha256(der).hexdigest(),
    }


def _slot(slot: Any) -> Json:
    from pkcs11.exceptions import TokenNotPresent

    result: Json = {"slot": slot.slot_id, "token": None, "certificates": [], "public_keys": [], "error": None}
    _stage("token")
    try:
        token = slot.get_token()
        result["token"] = {
            "label": token.label,
            "manufacturer": token.manufacturer_id,
            "model": token.model,
            "serial": token.serial.decode("ascii", "replace").strip("\0 "),
            "flags": [flag.name for flag in type(token.flags) if flag & token.flags],
        }
        if "TOKEN_INITIALIZED" in result["token"]["flags"]:
            _objects(token, result)
    except TokenNotPresent:
        pass
    except Exception as error:  # noqa: BLE001 – one bad reader must not hide the others
        result["error"] = _error(error)
    return result


def _objects(token: Any, result: Json) -> None:
    from pkcs11 import Attribute, ObjectClass

    with token.open() as session:
        _stage("certificates")
        for item in session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE}):
            result["certificates"].append(_guarded(_certificate, item))
        _stage("public keys")
        for item in session.get_objects({Attribute.CLASS: ObjectClass.PUBLIC_KEY}):
            result["public_keys"].append(_guarded(_public_key, item))


def _certificate(item: Any) -> Json:
    from pkcs11 import Attribute

    return {"id": _attribute_hex(item, Attribute.ID), **describe_certificate(item[Attribute.VALUE])}


def _public_key(item: Any) -> Json:
    from pkcs11 import Attribute, KeyType

    key = None
    if item.key_type == KeyType.RSA:
        key = _fingerprint("rsa", bytes(item[Attribute.MODULUS]).lstrip(b"\0"))
    elif item.key_type == KeyType.EC:
        # CKA_EC_POINT is an OCTET STRING around the point; its last bytes are the point itself.
        key = _fingerprint("ec", bytes(item[Attribute.EC_POINT])[-64:])
    return {"id": _attribute_hex(item, Attribute.ID), "key": key}


def _certificate_key(certificate: Any) -> str | None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return None
    if isinstance(key, rsa.RSAPublicKey):
        modulus = key.public_numbers().n
        return _fingerprint("rsa", modulus.to_bytes((modulus.bit_length() + 7) // 8, "big"))
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _fingerprint("ec", key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[-64:])
    return None


def _fingerprint(kind: str, material: bytes) -> str:
    return f"{kind}:{hashlib.sha256(material).hexdigest()}"


def _key_usage(certificate: Any) -> list[str] | None:
    """Names of the set key usage bits; None where the extension is absent or cannot be read."""
    from cryptography import x509

    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return None
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
    )
    return [name for name in names if getattr(usage, name)]


def _is_authority(certificate: Any) -> bool:
    from cryptography import x509

    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return False


def _common_name(name: Any) -> str | None:
    from cryptography.x509.oid import NameOID

    values = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(values[0].value) if values else None


def _attribute_hex(item: Any, attribute: Any) -> str | None:
    with suppress(Exception):  # an absent optional attribute; every vendor raises another error
        return bytes(item[attribute]).hex()
    return None


def _guarded(read: Callable[[Any], Json], item: Any) -> Json:
    try:
        return read(item)
    except Exception as error:  # noqa: BLE001 – one bad object must not hide the others
        return {"error": _error(error)}


def _error(error: Exception) -> Json:
    # Most PKCS#11 errors carry an empty text: the type is what tells them apart.
    return {"type": type(error).__name__, "detail": str(error)[:200]}


def _stage(name: str) -> None:
    """Tell the parent how far we came, so that a crash has a place."""
    os.write(2, f"stage: {name}\n".encode())


def _limit_damage() -> None:
    """No core dumps with key material, no endless output, no life without the parent that holds the clock."""
    with suppress(ImportError):  # not on Windows
        import resource
        import signal

        signal.alarm(LAST_RESORT_S)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_OUTPUT_BYTES, MAX_OUTPUT_BYTES))


def main(arguments: list[str]) -> None:
    """Print the document and leave without running the library's own exit handlers."""
    look = load_only if arguments[:1] == ["--load-only"] else read_module
    paths = arguments[1:] if look is load_only else arguments
    if len(paths) != 1:
        sys.stderr.write("用法：python -m diagnostics.pkcs11_child [--load-only] 驱动库文件\n")
        raise SystemExit(2)
    _limit_damage()
    # What the library prints must not mix with the document.
    output = os.dup(1)
    os.dup2(2, 1)
    document = json.dumps(look(paths[0]), ensure_ascii=False)
    with os.fdopen(output, "w", encoding="utf-8") as stream:
        stream.write(document + "\n")
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
