"""`python -m core export --ocds`: projects as open data."""

import argparse
import json
from pathlib import Path

from core.adapters import ocds_packages
from core.bootstrap import build_system
from core.domain.errors import InvalidError
from core.service import ocds
from core.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--ocds", action="store_true", required=True, help="开放合同数据标准（OCDS 1.1.5）")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--project", help="项目里任何一张单据的编号")
    which.add_argument("--region", help="一个地区的全部项目")
    parser.add_argument("--records", action="store_true", help="合并后的记录和历史，不写就是逐条 release")
    parser.add_argument("--public", action="store_true", help="只要门户上已经公开的")
    parser.add_argument("--out", type=Path, help="写到文件，不写就打印")


def run(given: argparse.Namespace) -> str:
    """The package as JSON, or where it was written. DomainError says what is wrong."""
    settings = Settings.from_environment()
    system = build_system(settings)
    rules = ocds_packages.read_rules(site=settings.public_url)
    if given.region and not system.processes.kinds(given.region):
        raise InvalidError(f"没有 {given.region} 这个地区", fields={"region": "没有"})
    if given.project:
        found = [ocds.project(system, rules, given.project, public=given.public)]
    else:
        found = ocds.projects(system, rules, given.region, public=given.public)
    make = ocds_packages.record_package if given.records else ocds_packages.release_package
    name = given.project or given.region
    package = make(found, system.clock(), f"{rules.site}/ocds/{name}.json")
    text = json.dumps(package, ensure_ascii=False, indent=2)
    if not given.out:
        return text
    try:
        given.out.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise InvalidError(f"{given.out} 写不进去：{error.strerror}", fields={"out": "写不进去"}) from None
    return f"{len(found)} 个项目，{sum(len(one.releases) for one in found)} 份 release，写到 {given.out}"
