"""A private PostgreSQL cluster for the benchmarks, with the settings PostgreSQL ships with."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.support import servers


def sqlalchemy_address(address: str) -> str:
    """The same database as the product is told of it."""
    return address.replace("postgresql://", "postgresql+psycopg://")


@contextmanager
def cluster() -> Iterator[str | None]:
    """Address (without a database); None where PostgreSQL is not installed."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which("initdb") or next(
        (str(f / "initdb") for f in folders if (f / "initdb").exists()), None
    )
    if found is None:
        yield None
        return
    binaries, owner = Path(found).parent, servers._owner()
    home = Path(tempfile.mkdtemp(prefix="caigou-bench-"))
    if owner:
        os.chown(home, int(str(owner["user"])), int(str(owner["group"])))
    options: dict[str, Any] = {"cwd": home, **owner}
    try:
        initdb = [
            str(binaries / "initdb"),
            "-D",
            str(home / "data"),
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
        ]
        subprocess.run([*initdb, "--locale=C"], check=True, stdout=subprocess.DEVNULL, **options)
        settings = ("listen_addresses=127.0.0.1", "unix_socket_directories=")
        chosen = [part for setting in settings for part in ("-c", setting)]
        port, process = servers.start(
            lambda p: [str(binaries / "postgres"), "-D", str(home / "data"), "-p", str(p), *chosen],
            lambda p: psycopg.connect(f"host=127.0.0.1 port={p} user=postgres", connect_timeout=5).close(),
            **options,
        )
        yield f"postgresql://postgres@127.0.0.1:{port}"
        process.send_signal(2)  # fast shutdown
        servers.stop(process)
    finally:
        shutil.rmtree(home, ignore_errors=True)
