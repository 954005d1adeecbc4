"""What differs by data: probes with their causes and rules, and what is local to a region.

In the project it is read from `catalogue/*.yaml` and checked (`catalogue_file`); in the single-file build it
was checked when built and is read from `catalogue/packed.json` with the standard library alone.
"""

import json
import pkgutil
import types
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from core.domain.errors import NotFoundError
from diagnostics.result import Status

FOLDER = Path(__file__).parent / "catalogue"
PACKED = "catalogue/packed.json"
BASE = "base"
OPEN_PAGE = "open_page"
REPAIRS = (
    "start_services",
    "start_component",
    OPEN_PAGE,
    "renew_session",
)  # carried out by diagnostics.repair
_STRICT = {"extra": "forbid", "strict": True}


@dataclass(frozen=True)
class Rule:
    """When the facts are so: this finding, this verdict, these words. The first rule that holds decides.

    `repair` names what can be done about it here (`diagnostics.repair`), `page` the setting it opens. `blocks`
    defaults to "a failure blocks what depends on it, nothing else does".
    """

    __pydantic_config__ = _STRICT
    finding: str
    status: Status
    say: str
    when: dict[str, dict[str, Any]] = field(default_factory=dict)
    remedy: str | None = None
    repair: str | None = None
    page: str | None = None
    blocks: bool | None = None

    @property
    def blocking(self) -> bool:
        """Whether dependent probes are skipped."""
        return self.status == "fail" if self.blocks is None else self.blocks


@dataclass(frozen=True)
class ProbeData:
    """One probe as data; the place in the file is its place in the causal order. `limit_s` in seconds.

    `values` says what the codes of a fact are called in sentences; the evidence keeps the code.
    """

    __pydantic_config__ = _STRICT
    name: str
    title: str
    about: str
    limit_s: float
    rules: list[Rule]
    gates: list[str] = field(default_factory=list)
    values: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Base:
    """All probes, the limit of a whole run in seconds, and words for what a region's notes do not tell."""

    __pydantic_config__ = _STRICT
    run_limit_s: float
    words: dict[str, str]
    probes: list[ProbeData]


@dataclass(frozen=True)
class ServiceData:
    """A Windows service by its service name, and the symptom seen when it does not run."""

    __pydantic_config__ = _STRICT
    name: str
    symptom: str


@dataclass(frozen=True)
class SealClient:
    """The local seal component: its program, and its folder below the roaming profile folder."""

    __pydantic_config__ = _STRICT
    folder: str
    program: str


@dataclass(frozen=True)
class Driver:
    """A vendor's PKCS#11 library by file name, looked for in the system folders."""

    __pydantic_config__ = _STRICT
    vendor: str
    library: str


@dataclass(frozen=True)
class Issuer:
    """An accepted vendor of certificates; `spellings` are parts of the issuer's name on its certificates."""

    __pydantic_config__ = _STRICT
    name: str
    spellings: list[str]


@dataclass(frozen=True)
class Region:
    """What differs between regions; absent is what the region's notes do not tell.

    `topics` maps a finding to the knowledge entry with its cure; `driver_provider` is the beginning of the
    name of the key's cryptographic service provider; `issuers` the accepted vendors; `exempt_roles` need no
    certificate; `intranet_hosts` may answer from private addresses (CRL and OCSP inside a network).
    """

    __pydantic_config__ = _STRICT
    region: str
    name: str
    login_url: str | None = None
    words: dict[str, str] = field(default_factory=dict)
    topics: dict[str, str] = field(default_factory=dict)
    services: list[ServiceData] = field(default_factory=list)
    seal_client: SealClient | None = None
    drivers: list[Driver] = field(default_factory=list)
    driver_provider: str | None = None
    issuers: list[Issuer] = field(default_factory=list)
    exempt_roles: list[str] = field(default_factory=list)
    intranet_hosts: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Catalogue:
    """One region's resolved data: probes in causal order by name; `words` of base and region together."""

    region: Region
    run_limit_s: float
    probes: Mapping[str, ProbeData]
    words: Mapping[str, str]

    def ancestors(self, name: str) -> set[str]:
        """All probes `name` depends on, directly or not."""
        gates = self.probes[name].gates
        return set(gates).union(*(self.ancestors(gate) for gate in gates))


def regions(folder: Path = FOLDER) -> list[str]:
    """Names of the regions that have data."""
    if not folder.is_dir():
        return sorted(_packed()["regions"])
    return sorted(file.stem for file in folder.glob("*.yaml") if file.stem != BASE)


@cache
def load(region: str, folder: Path = FOLDER) -> Catalogue:
    """Catalogue of one region; NotFoundError for an unknown one, DataError listing every mistake."""
    known = regions(folder)
    if region not in known:
        raise NotFoundError(
            f"没有区划“{region}”的诊断数据，现有：{'、'.join(known)}",
            code="unknown_region",
            fields={"region": region},
        )
    if folder.is_dir():
        from diagnostics import catalogue_file

        base, local = catalogue_file.read(folder, region)
    else:
        packed = _packed()
        base, local = _made(Base, packed["base"]), _made(Region, packed["regions"][region])
    probes = {probe.name: probe for probe in base.probes}
    return Catalogue(local, base.run_limit_s, probes, {**base.words, **local.words})


@cache
def _packed() -> Any:
    content = pkgutil.get_data("diagnostics", PACKED)
    if content is None:
        raise FileNotFoundError(PACKED)
    return json.loads(content)


def _made(kind: Any, value: Any) -> Any:
    """`value` from JSON as `kind`; it was validated before it was packed."""
    if get_origin(kind) in (Union, types.UnionType):
        return None if value is None else _made(get_args(kind)[0], value)
    if get_origin(kind) is list:
        return [_made(get_args(kind)[0], item) for item in value]
    if not is_dataclass(kind):
        return value
    hints = get_type_hints(kind)
    known = {
        part.name: _made(hints[part.name], value[part.name]) for part in fields(kind) if part.name in value
    }
    return kind(**known)  # type: ignore[operator]
