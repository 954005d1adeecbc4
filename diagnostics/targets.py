"""Which things of this installation the worker checks: what is not set up here is not there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, select

from core.adapters.database import SqlDatabase, reader_of
from core.adapters.identity_tables import unit
from core.adapters.signer import Pkcs11Signer
from core.service.exchange_ports import SYSTEMS
from core.service.system import System
from core.settings import Settings
from diagnostics import catalogue, own_facts
from diagnostics.watch import Target


@dataclass(frozen=True)
class Targets:
    """Of one installation, asked anew in each round."""

    system: System
    settings: Settings

    def __call__(self) -> Sequence[Target]:
        """All of them, in the order in which people look for a cause."""
        return [
            *self._own(),
            *self._counterparts(),
            *self._tokens(),
            *self._sites(),
        ]

    @property
    def _engine(self) -> Engine:
        assert isinstance(self.system.database, SqlDatabase)  # noqa: S101 - the only one there is outside tests
        return self.system.database.engine

    def _own(self) -> Iterator[Target]:
        yield Target("outbox", "all", "待发消息", own_facts.backlog(self._engine))
        if self.settings.secure:
            look = own_facts.site("own", "本平台", self.settings.public_url)
            yield Target("certificate", "own", "本平台网站证书", look)

    def _counterparts(self) -> Iterator[Target]:
        for name, url in self.settings.system_urls.items():
            label = SYSTEMS[name]
            yield Target("counterpart", name, f"对接系统 · {label}", own_facts.counterpart(label, url))

    def _tokens(self) -> Iterator[Target]:
        signer = self.system.signer
        if not isinstance(signer, Pkcs11Signer):
            return  # nothing can be signed here: the pages say so where it matters
        with reader_of(self._engine).connect() as connection:
            query = select(unit.c.token_label, unit.c.name).where(unit.c.token_label.is_not(None))
            held = {row.token_label: row.name for row in connection.execute(query.order_by(unit.c.id.desc()))}
        for label, name in sorted(held.items()):
            look = own_facts.token(name, label, signer)
            yield Target("token", label, f"签章密钥 · {name}", look)
        authorities = self.settings.trust_folder or self.settings.var / "softhsm" / "authority"
        for label, name in sorted(held.items()):
            yield Target("revocation", label, f"证书吊销 · {name}", _revoked(signer, label, authorities))

    def _sites(self) -> Iterator[Target]:
        for region in catalogue.regions():
            local = catalogue.load(region).region
            if local.login_url:
                look = own_facts.site(region, local.name, local.login_url)
                yield Target("site", region, f"登录网站 · {local.name}", look)


def _revoked(signer: Pkcs11Signer, label: str, authorities: Path) -> own_facts.Gather:
    return own_facts.revoked(
        lambda: signer.certificates(label), authorities / "root.pem", authorities / "intermediate.pem"
    )
