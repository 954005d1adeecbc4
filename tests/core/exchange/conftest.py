from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from core.adapters.counterpart.server import Counterpart
from core.adapters.exchange_client import HttpExchange
from core.service import exchange
from core.service.exchange_ports import SYSTEMS
from tests.support import small_world
from tests.support.clock import Clock
from tests.support.pushing import SECRETS
from tests.support.small_world import World

PATIENCE = httpx.Timeout(5, read=0.5)


@dataclass(frozen=True)
class Exchange:
    """A world whose outbox leads to a counterpart."""

    world: World
    counterpart: Counterpart
    port: HttpExchange
    clock: Clock

    def deliver(self) -> int:
        return exchange.deliver_due(self.world.system, self.port)

    def seen(self, system: str = "mall") -> list[tuple[str, int]]:
        """(topic, deliveries) of what arrived."""
        return [(item.topic, item.deliveries) for item in self.counterpart.store.messages(system)]

    def node(self, number: str) -> str:
        return self.world.find(number).node


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 6, 1, 8, tzinfo=UTC))


@pytest.fixture
def world(small_url: str, tmp_path: Path, clock: Clock) -> Iterator[World]:
    built = small_world.build(small_url, tmp_path, clock=clock)
    yield built
    built.system.database.engine.dispose()


@pytest.fixture
def counterpart(clock: Clock) -> Iterator[Counterpart]:
    with Counterpart(SECRETS, clock=clock, control=True) as running:
        yield running


@pytest.fixture
def port_to(clock: Clock) -> Iterator[Callable[[str], HttpExchange]]:
    ports: list[HttpExchange] = []

    def make(url: str) -> HttpExchange:
        ports.append(HttpExchange(dict.fromkeys(SYSTEMS, url), SECRETS, clock=clock, limits=PATIENCE))
        return ports[-1]

    yield make
    for port in ports:
        port.close()


@pytest.fixture
def line(
    world: World, counterpart: Counterpart, port_to: Callable[[str], HttpExchange], clock: Clock
) -> Exchange:
    return Exchange(world, counterpart, port_to(counterpart.url), clock)
