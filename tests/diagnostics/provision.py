"""Fill a SoftHSM token in a process of its own: `provision.py MODULE LABEL PIN`, objects as JSON on stdin.

A certificate is {"der": hex, "id": hex, "private": bool}, a public key {"spki": hex, "id": hex}.
"""

import json
import sys

import pkcs11
from asn1crypto.keys import PublicKeyInfo
from pkcs11 import Attribute, CertificateType, ObjectClass
from pkcs11.util.ec import decode_ec_public_key

module, label, pin = sys.argv[1:]
with pkcs11.lib(module).get_token(token_label=label).open(rw=True, user_pin=pin) as session:
    for item in json.load(sys.stdin):
        if "spki" in item:
            spki = bytes.fromhex(item["spki"])
            assert PublicKeyInfo.load(spki).algorithm == "ec"
            attributes = decode_ec_public_key(spki)
        else:
            attributes = {
                Attribute.CLASS: ObjectClass.CERTIFICATE,
                Attribute.CERTIFICATE_TYPE: CertificateType.X_509,
                Attribute.VALUE: bytes.fromhex(item["der"]),
                Attribute.SUBJECT: b"",
                Attribute.PRIVATE: item["private"],
            }
        session.create_object({**attributes, Attribute.TOKEN: True, Attribute.ID: bytes.fromhex(item["id"])})
