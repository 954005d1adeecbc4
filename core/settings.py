"""Settings from environment variables `CAIGOU_*`; everything has a default that works on one machine."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Where things are. `var` holds everything the running program writes."""

    var: Path
    database_url: str
    redis_url: str | None = None
    pkcs11_module: Path | None = None
    trust_folder: Path | None = None
    mall_url: str = "http://127.0.0.1:8001"
    agency_url: str = "http://127.0.0.1:8001"
    finance_url: str = "http://127.0.0.1:8001"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read `CAIGOU_VAR`, `CAIGOU_DATABASE_URL`, `CAIGOU_REDIS_URL`, `CAIGOU_PKCS11_MODULE`, `CAIGOU_TRUST` …"""
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
        )
