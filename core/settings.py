"""Settings from environment variables `CAIGOU_*`; everything has a default that works on one machine."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from core.domain.errors import DataError


@dataclass(frozen=True)
class Settings:
    """Where things are. `var` holds everything the running program writes.

    `public_url` is the address under which browsers reach the program, empty for plain HTTP on this machine;
    `proxies` says how many reverse proxies of ours stand in front, whose X-Forwarded-* headers are believed.
    """

    var: Path
    database_url: str
    redis_url: str | None = None
    pkcs11_module: Path | None = None
    trust_folder: Path | None = None
    mall_url: str = "http://127.0.0.1:8001"
    agency_url: str = "http://127.0.0.1:8001"
    finance_url: str = "http://127.0.0.1:8001"
    portal_url: str = "http://127.0.0.1:8001"
    trade_url: str = "http://127.0.0.1:8001"
    public_url: str = ""
    proxies: int = 0

    @property
    def secure(self) -> bool:
        """Whether browsers come by HTTPS."""
        return self.public_url.startswith("https://")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read `CAIGOU_VAR`, `CAIGOU_DATABASE_URL`, `CAIGOU_REDIS_URL`, `CAIGOU_PKCS11_MODULE`, `CAIGOU_TRUST` …

        DataError where `CAIGOU_PUBLIC_URL` or `CAIGOU_BEHIND_PROXY` cannot be read.
        """
        var = Path(environment.get("CAIGOU_VAR", "var"))
        module, trust = environment.get("CAIGOU_PKCS11_MODULE"), environment.get("CAIGOU_TRUST")
        return cls(
            var=var,
            database_url=environment.get("CAIGOU_DATABASE_URL", f"sqlite:///{var}/caigou.db"),
            redis_url=environment.get("CAIGOU_REDIS_URL"),
            pkcs11_module=Path(module) if module else None,
            trust_folder=Path(trust) if trust else None,
            mall_url=environment.get("CAIGOU_MALL_URL", cls.mall_url),
            agency_url=environment.get("CAIGOU_AGENCY_URL", cls.agency_url),
            finance_url=environment.get("CAIGOU_FINANCE_URL", cls.finance_url),
            portal_url=environment.get("CAIGOU_PORTAL_URL", cls.portal_url),
            trade_url=environment.get("CAIGOU_TRADE_URL", cls.trade_url),
            public_url=_public_url(environment.get("CAIGOU_PUBLIC_URL", "")),
            proxies=_proxies(environment.get("CAIGOU_BEHIND_PROXY", "")),
        )

    @property
    def system_urls(self) -> dict[str, str]:
        """Address of each system around, by its key in `core.service.exchange_ports.SYSTEMS`."""
        return {
            "mall": self.mall_url,
            "agency": self.agency_url,
            "finance": self.finance_url,
            "portal": self.portal_url,
            "trade": self.trade_url,
        }


_MOST_PROXIES = 9


def _public_url(text: str) -> str:
    given = text.strip().rstrip("/")
    parts = urlsplit(given)
    if given and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.path):
        raise DataError(["CAIGOU_PUBLIC_URL: 要写成 https://主机名，后面不带路径"])
    return given


def _proxies(text: str) -> int:
    given = text.strip()
    if not given:
        return 0
    if not (given.isascii() and given.isdigit()) or int(given) > _MOST_PROXIES:
        raise DataError([f"CAIGOU_BEHIND_PROXY: 要写前面有几层反向代理，0 到 {_MOST_PROXIES}，一般是 1"])
    return int(given)
