"""Whether the key's library is there and survives being used: each one is read in a child of its own."""

from collections.abc import Sequence

from diagnostics.probe import Context, FactSpec, Probe, Row


def gather(context: Context) -> Sequence[Row]:
    """One row for each library; one with `outcome` "none" where none is known."""
    readings = context.inventory.readings(context.remaining())
    if not readings:
        return [dict.fromkeys(PROBE.facts) | {"outcome": "none", "works_elsewhere": False}]
    return [
        {
            "library": reading.path.name,
            "outcome": reading.how,
            "detail": reading.detail or None,
            "stage": (reading.stage or None) if reading.how != "ok" else None,
            "architecture": reading.architecture,
            "works_elsewhere": any(other.tokens for other in readings if other is not reading),
        }
        for reading in readings
    ]


PROBE = Probe(
    "driver",
    {
        "library": FactSpec("驱动库", str),
        "outcome": FactSpec("读取结果", str),
        "detail": FactSpec("细节", str),
        "stage": FactSpec("停在哪一步", str),
        "architecture": FactSpec("位数", str),
        "works_elsewhere": FactSpec("其他驱动库能读到KEY", bool),
    },
    gather,
)
