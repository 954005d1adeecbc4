"""What mall, trading and finance push to us. Each message proves its sender by a signature over its body."""

from collections.abc import Mapping

from flask import Blueprint, Response, jsonify, request

from core.service import exchange_inbox
from web.parts import system


def create_blueprint(secrets: Mapping[str, bytes]) -> Blueprint:
    """`POST /api/v1/exchange/<source>`; `secrets` by system."""
    pushes = Blueprint("exchange", __name__, url_prefix="/api/v1/exchange")

    @pushes.post("/<source>")
    def receive(source: str) -> Response:
        receipt = exchange_inbox.receive(system(), secrets, source, request.get_data(), dict(request.headers))
        return jsonify(receipt.answer)

    return pushes
