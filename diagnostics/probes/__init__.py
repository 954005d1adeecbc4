"""One file for each probe, listed here. Order, gates and rules are data: `catalogue/base.yaml`."""

from collections.abc import Mapping

from diagnostics.probe import Probe
from diagnostics.probes import cert_dates, clock, driver, pin_state, token, ukey

PROBES: Mapping[str, Probe] = {
    module.PROBE.name: module.PROBE for module in (clock, driver, ukey, pin_state, cert_dates, token)
}
