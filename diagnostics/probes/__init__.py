"""One file for each probe, listed here. Order, gates and rules are data: `catalogue/base.yaml`."""

from diagnostics.probe import Probe
from diagnostics.probes import (
    browser,
    cert_binding,
    cert_dates,
    cert_issuer,
    cert_use,
    clock,
    driver,
    kg_local,
    pdf_sign,
    pin_state,
    revocation,
    service,
    site_tls,
    token,
    ukey,
)

_MODULES = (
    *(clock, site_tls, service, kg_local, browser, driver, ukey, pin_state),
    *(cert_dates, cert_use, cert_issuer, cert_binding, revocation, token, pdf_sign),
)
PROBES: dict[str, Probe] = {module.PROBE.name: module.PROBE for module in _MODULES}
