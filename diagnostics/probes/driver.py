"""Whether the key's library is there and survives being used: each one is read in a child of its own."""

from collections.abc import Sequence

from diagnostics.inventory import KEY_READING, ModuleReading, read
from diagnostics.probe import Context, FactSpec, Probe, Row


def gather(context: Context) -> Sequence[Row]:
    """One row for each library; where none is known, one for the region's provider, or `outcome` "none"."""
    readings = context.inventory.readings(context.remaining())
    if not readings:
        return [_provider(context)]
    return [
        {
            "library": reading.path.name,
            "outcome": reading.how,
            "detail": reading.detail or None,
            "stage": (reading.stage or None) if reading.how != "ok" else None,
            "architecture": reading.architecture,
            "provider": None,
            "works_elsewhere": any(_sees_a_key(other) for other in readings if other is not reading),
        }
        for reading in readings
    ]


def _sees_a_key(reading: ModuleReading) -> bool:
    """Also one that is not initialised: then the other library is not what keeps it from being read."""
    return any(slot.token for slot in reading.slots)


def _provider(context: Context) -> Row:
    """Whether the provider that the region's notes name is installed and its library loads.

    "provider_…" outcomes say nothing of what is in the key: only a PKCS#11 library can be read without login.
    """
    wanted, providers = context.region.driver_provider, context.desk.providers
    row = dict.fromkeys(PROBE.facts) | {"outcome": "none", "works_elsewhere": False, "provider": wanted}
    if wanted is None or providers is None:
        return row
    plain = wanted.casefold()
    library = next((path for name, path in providers().items() if name.casefold().startswith(plain)), None)
    if library is None:
        return row | {"outcome": "provider_absent"}
    reading = read(library, context.remaining(), load_only=True)
    return row | {
        "library": library.name,
        "outcome": "provider_loads" if reading.how == "ok" else reading.how,
        "detail": reading.detail or None,
        "stage": reading.stage or None,
        "architecture": reading.architecture,
    }


PROBE = Probe(
    "driver",
    {
        "library": FactSpec("驱动库", str),
        "outcome": FactSpec("读取结果", str),
        "detail": FactSpec("细节", str),
        "stage": FactSpec("停在哪一步", str),
        "architecture": FactSpec("位数", str),
        "provider": FactSpec("区划要求的驱动", str),
        "works_elsewhere": FactSpec("其他驱动库能读到KEY", bool),
    },
    gather,
    needs=KEY_READING,
)
