"""Servers on loopback: in threads of a test, and a private PostgreSQL and Redis for a pytest process, gone at its end."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from socketserver import BaseServer
from typing import Any

import psycopg
import pytest
import redis
from psycopg import sql
from werkzeug.serving import make_server

from core.bootstrap import migrate
from core.settings import Settings
from tests.support.need import missing, program

START_SECONDS = 60
NOTICE_SECONDS = 0.01  # until a server in a thread sees that it shall stop


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextlib.contextmanager
def running(server: BaseServer) -> Iterator[int]:
    """A server in a thread of this process; its port."""
    thread = threading.Thread(target=server.serve_forever, args=(NOTICE_SECONDS,))
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def serving(app: Any) -> Iterator[str]:
    """A WSGI application on a socket of this machine; its address."""
    with running(make_server("127.0.0.1", 0, app, threaded=True)) as port:
        yield f"http://127.0.0.1:{port}"


def start(
    command: Callable[[int], list[str]], ready: Callable[[int], None], **popen: object
) -> tuple[int, subprocess.Popen[bytes]]:
    """Start a server on a free port and wait until `ready` no longer raises; retry if the port was taken."""
    error: Exception | None = None
    for _ in range(3):
        port = free_port()
        process = subprocess.Popen(
            command(port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **popen
        )  # type: ignore[call-overload]
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            try:
                ready(port)
            except Exception as e:  # noqa: BLE001 - any failure means not ready yet
                error = e
                time.sleep(0.05)
            else:
                return port, process
        stop(process)
    pytest.fail(f"{command(0)[0]} did not start: {error}")


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _owner() -> dict[str, object]:
    """PostgreSQL refuses to run as root, so root lends the cluster to the user postgres."""
    if os.geteuid() != 0:
        return {}
    try:
        account = pwd.getpwnam("postgres")
    except KeyError:
        missing("the user postgres", "postgresql")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


@pytest.fixture(scope="session")
def postgres_port() -> Iterator[int]:
    """Port of a private cluster: user postgres, no password, loopback only."""
    initdb, postgres = program("initdb", "postgresql"), program("postgres", "postgresql")
    owner = _owner()
    # not pytest's tmp_path: its parents are closed to the user postgres
    home = Path(tempfile.mkdtemp(prefix="caigou-pg-"))
    if owner:
        os.chown(home, int(str(owner["user"])), int(str(owner["group"])))
    data = str(home / "data")
    try:
        subprocess.run(
            [initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
            check=True,
            cwd=home,
            stdout=subprocess.DEVNULL,
            **owner,  # type: ignore[call-overload]
        )
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
        }
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        port, process = start(
            lambda p: [str(postgres), "-D", data, "-p", str(p), *options],
            lambda p: psycopg.connect(f"host=127.0.0.1 port={p} user=postgres", connect_timeout=5).close(),
            cwd=home,
            **owner,
        )
        yield port
        process.send_signal(2)  # SIGINT: fast shutdown, does not wait for clients
        stop(process)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def database(port: int, template: str = "template1") -> Iterator[str]:
    """SQLAlchemy URL of a new database, a copy of `template` that PostgreSQL makes by itself; gone afterwards."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    made, source = sql.Identifier(name), sql.Identifier(template)
    with psycopg.connect(f"host=127.0.0.1 port={port} user=postgres", autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(made, source))
        yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/{name}"
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(made))


def database_template(port: int, name: str, fill: Callable[[str], object]) -> str:
    """`name`, a new database for others to be copies of, once `fill(url)` has filled it and closed its connections."""
    with psycopg.connect(f"host=127.0.0.1 port={port} user=postgres", autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    fill(f"postgresql+psycopg://postgres@127.0.0.1:{port}/{name}")
    return name


@pytest.fixture(scope="module")
def postgres_url(postgres_port: int) -> Iterator[str]:
    """SQLAlchemy URL of an empty PostgreSQL database for this test module."""
    with database(postgres_port) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """SQLAlchemy URL of an empty database for this test: each test runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    with database(request.getfixturevalue("postgres_port")) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_migrated(postgres_port: int, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name of a migrated database without rows."""
    var = tmp_path_factory.mktemp("migrated")
    return database_template(
        postgres_port, "migrated", lambda url: migrate(Settings(var=var, database_url=url))
    )


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def small_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """As `database_url`, for `small_world.build`: there is nothing left to migrate."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    with database(
        request.getfixturevalue("postgres_port"), request.getfixturevalue("postgres_migrated")
    ) as url:
        yield url


@pytest.fixture(scope="session")
def redis_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    server = str(program("redis-server", "redis-server"))

    def ping(port: int) -> None:
        with redis.Redis(port=port) as client:
            client.ping()

    port, process = start(
        lambda p: [server, "--port", str(p), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        ping,
        cwd=tmp_path_factory.mktemp("redis"),
    )
    yield port
    stop(process)


@pytest.fixture
def redis_url(redis_port: int) -> str:
    """URL of an empty Redis."""
    with redis.Redis(port=redis_port) as client:
        client.flushall()
    return f"redis://127.0.0.1:{redis_port}/0"
