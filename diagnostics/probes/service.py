"""Whether the region's Windows services are installed, running and start by themselves."""

from collections.abc import Sequence

from diagnostics.catalogue import ServiceData
from diagnostics.desk import Services
from diagnostics.probe import Context, FactSpec, Probe, Row

OLD_WINDOWS = {"Vista", "7", "2008Server", "2008ServerR2"}


def gather(context: Context) -> Sequence[Row]:
    """One row for each service; a single one with `presence` None where there is nothing to look at."""
    services, wanted = context.desk.services, context.region.services
    if services is None or not wanted:
        return [dict.fromkeys(PROBE.facts) | {"told": bool(wanted)}]
    # The icon that opens the computer's management was renamed after Windows 7.
    icon = "计算机" if context.desk.windows in OLD_WINDOWS else "此电脑"
    return [_row(services, service, icon) for service in wanted]


def _row(services: Services, service: ServiceData, icon: str) -> Row:
    state = services.state(service.name)
    return {
        "told": True,
        "service": service.name,
        "symptom": service.symptom,
        "presence": state.presence,
        "automatic": state.automatic,
        "icon": icon,
    }


PROBE = Probe(
    "service",
    {
        "told": FactSpec("区划资料给出服务名", bool),
        "service": FactSpec("服务", str),
        "symptom": FactSpec("未启动时的现象", str),
        "presence": FactSpec("状态", str),
        "automatic": FactSpec("自动启动", bool),
        "icon": FactSpec("桌面图标", str),
    },
    gather,
)
