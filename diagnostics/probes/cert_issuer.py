"""Who issued each certificate: a vendor the region accepts, and a chain that holds pair by pair."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from diagnostics.catalogue import Issuer
from diagnostics.inventory import KEY_READING, CertificateData
from diagnostics.probe import Context, FactSpec, Probe, Row

if TYPE_CHECKING:
    from diagnostics.chain import Authorities


def gather(context: Context) -> Sequence[Row]:
    """One row for each certificate; a single one with `seen` false where none is public.

    `accepted` is None where the region lists no vendors; `chain` is "none" without authorities to trust.
    """
    certificates = context.inventory.certificates(context.remaining())
    if not certificates:
        return [dict.fromkeys(PROBE.facts) | {"seen": False}]
    authorities = known_authorities(context)
    vendors = context.region.issuers
    return [
        {
            "seen": True,
            "serial": item.serial,
            "issuer": item.issuer or item.issuer_names,
            "accepted": _accepted(item, vendors) if vendors else None,
            "vendors": "、".join(vendor.name for vendor in vendors) or None,
            "chain": _chain(item, authorities, context),
        }
        for item in certificates
    ]


def known_authorities(context: Context) -> "Authorities":
    """Those the caller trusts, and those that lie in the key."""
    from diagnostics import chain, signatures

    held = context.inventory.certificates(context.remaining(), authorities=True)
    loaded = [signatures.load(item.der) for item in held]
    return chain.Authorities(chain.read_bundle(context.trust), [each for each in loaded if each])


def _accepted(item: CertificateData, vendors: Sequence[Issuer]) -> bool:
    written = _plain(f"{item.issuer or ''} {item.issuer_names or ''}")
    return any(_plain(part) in written for vendor in vendors for part in (vendor.name, *vendor.spellings))


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _chain(item: CertificateData, authorities: "Authorities", context: Context) -> str:
    from diagnostics import chain, signatures

    certificate = signatures.load(item.der)
    return chain.state(certificate, authorities, context.now) if certificate else "none"


PROBE = Probe(
    "cert_issuer",
    {
        "seen": FactSpec("看到公开证书", bool),
        "serial": FactSpec("证书序列号", str, "serial"),
        "issuer": FactSpec("发证机构", str),
        "accepted": FactSpec("在接受的厂商之列", bool),
        "vendors": FactSpec("接受的厂商", str),
        "chain": FactSpec("签发链", str),
    },
    gather,
    needs=(*KEY_READING, "asn1crypto"),
)
