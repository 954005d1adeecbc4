"""`python -m diagnostics build FILE`: one file for support staff that any Python from 3.11 runs as it is.

What it holds needs the standard library alone. A probe that needs more runs where that is installed, and else
says what is missing. The catalogue is checked here and packed as JSON.
"""

import json
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from core.domain.errors import InvalidError
from diagnostics import catalogue
from diagnostics.catalogue import FOLDER, PACKED
from diagnostics.result import PACKED_SCHEMA, schema

PACKAGE = Path(__file__).parent
# Only these of the core: the errors, whose base everything shares, and what keeps requests to one key apart.
CORE = (
    *("__init__.py", "domain/__init__.py", "domain/errors.py"),
    *("adapters/__init__.py", "adapters/token_lock.py"),
)
# What only the project or its server uses.
LEFT_AT_HOME = {
    *("build.py", "catalogue_file.py", "page.py", "held.py", "desk_reports.py", "tables.py"),
    *("own_facts.py", "targets.py", "watch.py", "watch_store.py"),
}
STAMP = (1980, 1, 1, 0, 0, 0)  # equal sources give equal files
MAIN = """\
import sys

if sys.version_info < (3, 11):
    sys.exit("需要 Python 3.11 或更高版本，这里是 " + sys.version.split()[0])
if sys.argv[1:2] == ["pkcs11-child"]:
    from diagnostics.pkcs11_child import main as child

    child(sys.argv[2:])
else:
    from diagnostics.__main__ import main

    raise SystemExit(main())
"""


def build(target: Path, folder: Path = FOLDER) -> None:
    """Write the file; `folder` holds the catalogue. Raises DataError (catalogue), InvalidError (target)."""
    members = dict(_members(folder))
    try:
        with target.open("wb") as stream:
            stream.write(b"#!/usr/bin/env python3\n")
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
                for name in sorted(members):
                    entry = zipfile.ZipInfo(name, STAMP)
                    entry.compress_type = zipfile.ZIP_DEFLATED
                    archive.writestr(entry, members[name])
        target.chmod(0o755)
    except OSError as error:
        raise InvalidError(f"写不了文件 {target.name}，请换一个文件夹") from error


def _members(folder: Path) -> Iterator[tuple[str, bytes]]:
    yield "__main__.py", MAIN.encode()
    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix in (".py", ".html") and path.name not in LEFT_AT_HOME:
            yield f"diagnostics/{path.relative_to(PACKAGE).as_posix()}", path.read_bytes()
    core = PACKAGE.parent / "core"
    for name in CORE:
        yield f"core/{name}", (core / name).read_bytes()
    yield f"diagnostics/{PACKED_SCHEMA}", json.dumps(schema(), ensure_ascii=False).encode()
    yield f"diagnostics/{PACKED}", json.dumps(_packed(folder), ensure_ascii=False).encode()


def _packed(folder: Path) -> dict[str, object]:
    from diagnostics import catalogue_file

    names = catalogue.regions(folder)
    read = {name: catalogue_file.read(folder, name) for name in names}
    base = next(iter(read.values()))[0]
    return {"base": asdict(base), "regions": {name: asdict(local) for name, (_, local) in read.items()}}
