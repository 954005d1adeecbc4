"""Builds the running core from settings: the only place where adapters and use cases meet."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

from core.adapters import (
    calendar_file,
    catalogue_file,
    processes,
    publication_file,
    rights_file,
    softhsm,
    warning_file,
)
from core.adapters.blobs import FileBlobs
from core.adapters.certificate_pdf import render
from core.adapters.certificates import X509Judge
from core.adapters.database import SqlDatabase, make_engine
from core.adapters.one_time_codes import TotpCodes
from core.adapters.passwords import Argon2Hasher
from core.adapters.process_registry import ProcessRegistry
from core.adapters.seal_trust import Trust
from core.adapters.secret_key import secret_key
from core.adapters.signer import Pkcs11Signer
from core.domain.errors import UnavailableError
from core.service.sealing_ports import Seal, SignedPdf, Signer, Validation
from core.service.system import System
from core.settings import Settings

_MIGRATIONS = Path(__file__).parent / "adapters" / "migrations"


def now() -> datetime:
    """The system clock."""
    return datetime.now(UTC)


def alembic_config(url: str) -> Config:
    """Alembic's configuration without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def migrate(settings: Settings, revision: str = "head") -> None:
    """Bring the database to `revision`."""
    engine = make_engine(settings.database_url)
    config = alembic_config(settings.database_url)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


def build_system(
    settings: Settings | None = None, *, clock: Callable[[], datetime] = now, engine: Engine | None = None
) -> System:
    """The running core. DataError, with every mistake, when a data file is wrong; the database must be migrated."""
    settings = settings or Settings.from_environment()
    registry = ProcessRegistry(processes.load())
    database = SqlDatabase(engine or make_engine(settings.database_url))
    with database.write() as tx:
        tx.records.keep_processes(registry.all())
    trust = _trust(settings)
    return System(
        database=database,
        processes=registry,
        catalogue=catalogue_file.load(),
        clock=clock,
        hasher=Argon2Hasher(),
        blobs=FileBlobs(settings.var / "blobs"),
        signer=_signer(settings, trust, clock),
        renderer=render,
        certificates=X509Judge(trust),
        codes=TotpCodes(secret_key(settings.var)),
        rights=rights_file.load(),
        warnings=warning_file.read_rules(),
        public=publication_file.read_public(),
        calendar=calendar_file.load(),
    )


def _trust(settings: Settings) -> Trust | None:
    """The authorities of CAIGOU_TRUST, else those of the demonstration tokens; None where there are neither."""
    folder = settings.trust_folder
    if folder:
        return Trust(folder / "root.pem", folder / "intermediate.pem")
    demonstration = settings.var / "softhsm" / "authority"
    try:
        return Trust(demonstration / "root.pem", demonstration / "intermediate.pem")
    except OSError:
        return None


def _signer(settings: Settings, trust: Trust | None, clock: Callable[[], datetime]) -> Signer:
    if settings.pkcs11_module and settings.trust_folder and trust:
        return Pkcs11Signer(settings.pkcs11_module, trust, clock=clock)
    try:
        module = softhsm.find_module()
    except UnavailableError:
        return NoSigner()
    demonstration = _trust(replace(settings, trust_folder=None))
    if demonstration is None:
        return NoSigner()
    environment = {"SOFTHSM2_CONF": str(settings.var / "softhsm" / "softhsm2.conf")}
    return Pkcs11Signer(module, demonstration, environment=environment, clock=clock)


class NoSigner:
    """Says why nothing can be signed here."""

    def _refuse(self) -> UnavailableError:
        return UnavailableError(
            "这台服务器还没有配置签章模块，暂时不能签章；请管理员安装 SoftHSM 或设置 CAIGOU_PKCS11_MODULE",
            code="module_missing",
        )

    def seals(self, token_label: str) -> list[Seal]:  # noqa: ARG002 - the port's signature
        """Refused."""
        raise self._refuse()

    def sign(  # the port's signature
        self,
        pdf: bytes,  # noqa: ARG002
        *,
        token_label: str,  # noqa: ARG002
        seal: str,  # noqa: ARG002
        pin: str,  # noqa: ARG002
        reason: str,  # noqa: ARG002
        location: str = "",  # noqa: ARG002
        parties: int = 1,  # noqa: ARG002
    ) -> SignedPdf:
        """Refused."""
        raise self._refuse()

    def validate(self, pdf: bytes) -> Validation:  # noqa: ARG002 - the port's signature
        """Refused."""
        raise self._refuse()
