"""What other systems tell the platform, signed with secrets that all tests share."""

import json
from typing import Any

from core.service import exchange_inbox, exchange_signature
from core.service.exchange_inbox import Receipt
from core.service.exchange_ports import SYSTEMS
from core.service.system import System

SECRETS = {system: f"secret of {system}".encode() for system in SYSTEMS}


def push(system: System, topic: str, body: Any, key: str, source: str = "") -> Receipt:
    """The platform takes a message in, from the system that its topic begins with or from `source`."""
    source = source or topic.partition(".")[0]
    raw = json.dumps({"topic": topic, "body": body}).encode()
    sender = f"{exchange_signature.PLATFORM}:{source}"
    headers = exchange_signature.sign(SECRETS[source], sender, key, raw, system.clock())
    return exchange_inbox.receive(system, SECRETS, source, raw, headers)
