"""Whether a certificate for signing is in the key, and whether each one fits the key pair beside it."""

from collections.abc import Sequence

from diagnostics.inventory import KEY_READING, CertificateData, SlotData
from diagnostics.probe import Context, FactSpec, Probe, Row


def gather(context: Context) -> Sequence[Row]:
    """One row for each certificate; a single one with `seen` false where none is public."""
    tokens = context.inventory.tokens(context.remaining())
    pairs = [(slot, item) for slot in tokens for item in slot.certificates if item.error is None]
    if not pairs:
        return [dict.fromkeys(PROBE.facts) | {"seen": False}]
    signing = any(_signs(item) for _, item in pairs)
    return [
        {
            "seen": True,
            "serial": item.serial,
            "signs": _signs(item),
            "signing_in_key": signing,
            "key_fits": _key_fits(slot, item),
        }
        for slot, item in pairs
    ]


def _signs(item: CertificateData) -> bool:
    """A certificate without the key usage extension is not restricted."""
    return item.usage is None or bool({"digital_signature", "content_commitment"} & set(item.usage))


def _key_fits(slot: SlotData, item: CertificateData) -> bool | None:
    """None where the key pair's public part is not readable, or the key is SM2."""
    keys = {key.key for key in slot.public_keys if key.id == item.id and key.key is not None}
    return item.key in keys if item.key and item.id and keys else None


PROBE = Probe(
    "cert_use",
    {
        "seen": FactSpec("看到公开证书", bool),
        "serial": FactSpec("证书序列号", str, "serial"),
        "signs": FactSpec("可用于签名", bool),
        "signing_in_key": FactSpec("KEY里有签名证书", bool),
        "key_fits": FactSpec("与KEY内密钥相符", bool),
    },
    gather,
    needs=KEY_READING,
)
