"""`/wechat/<channel>`: the URL check and the deliveries of WeChat. Translates HTTP and nothing else.

The blueprint carries its own proof of origin (the signature), so the application exempts it from CSRF checks.
"""

import logging
import secrets
import time
from collections.abc import Mapping

from flask import Blueprint, Response, abort, request
from werkzeug.exceptions import RequestEntityTooLarge

from web.wechat.config import Channel
from web.wechat.errors import WeChatError
from web.wechat.messages import (
    MAX_BODY_BYTES,
    Format,
    Message,
    parse_envelope,
    parse_message,
    render,
    text_reply,
)
from web.wechat.ports import Runner
from web.wechat.service import ChannelService

logger = logging.getLogger(__name__)

WAIT_SECONDS = 4.0  # WeChat hangs up after five
_STATUS = {"wechat_signature": 403, "wechat_cipher": 403, "wechat_app": 403, "wechat_too_large": 413}


def create_blueprint(
    channels: Mapping[str, Channel],
    service: ChannelService,
    runner: Runner,
    *,
    wait_seconds: float = WAIT_SECONDS,
) -> Blueprint:
    """The webhook of all `channels`; `wait_seconds` is how long a delivery waits for its passive reply."""
    blueprint = Blueprint("wechat", __name__, url_prefix="/wechat")

    @blueprint.errorhandler(WeChatError)
    def refuse(error: WeChatError) -> Response:
        logger.warning("wechat refused path=%s code=%s", request.path, error.code)
        return _plain(error.message, _STATUS.get(error.code, 400))

    @blueprint.get("/<channel>")
    def check_url(channel: str) -> Response:
        config = channels.get(channel) or abort(404)
        config.crypto.check_url(_query("signature"), _query("timestamp"), _query("nonce"))
        return _plain(_query("echostr"))

    @blueprint.post("/<channel>")
    def receive(channel: str) -> Response:
        config = channels.get(channel) or abort(404)
        message, body_format = _open(config, _body())
        key = service.accept(channel, message)
        if key is None:
            return _plain("success")
        runner.start(key)
        reply = service.wait(key, wait_seconds)
        if not reply.text:
            return _plain("success")
        response = _reply(config, message, reply.text, body_format)
        if reply.more:  # a long answer's other parts follow once this one is on its way
            response.call_on_close(lambda: runner.start(key))
        return response

    return blueprint


def _open(config: Channel, body: bytes) -> tuple[Message, Format]:
    """Verify, decrypt and read a delivery; raises `WeChatError` before anything is stored."""
    crypto, timestamp, nonce = config.crypto, _query("timestamp"), _query("nonce")
    if config.mode == "plain":
        crypto.check_url(_query("signature"), timestamp, nonce)
        return parse_message(body), "json" if body.lstrip().startswith(b"{") else "xml"
    try:
        envelope = parse_envelope(body)
    except WeChatError:
        # Who cannot sign learns nothing but that
        crypto.check_url(_query("signature"), timestamp, nonce)
        raise
    plain = crypto.open(envelope.encrypted, _query("msg_signature"), timestamp, nonce)
    return parse_message(plain.encode()), envelope.format


def _reply(config: Channel, message: Message, text: str, body_format: Format) -> Response:
    now = int(time.time())
    body = text_reply(message, text, now, body_format)
    if config.mode == "safe":
        nonce = str(secrets.randbelow(10**10))
        encrypted, signature = config.crypto.seal(body, str(now), nonce)
        values: dict[str, str | int] = {"Encrypt": encrypted, "MsgSignature": signature, "TimeStamp": now}
        body = render({**values, "Nonce": nonce}, body_format)
    return Response(body, mimetype="application/json" if body_format == "json" else "application/xml")


def _body() -> bytes:
    request.max_content_length = MAX_BODY_BYTES
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge as error:
        raise WeChatError("消息过大，未处理。", code="wechat_too_large") from error


def _query(name: str) -> str:
    return request.args.get(name, "")


def _plain(text: str, status: int = 200) -> Response:
    # The echo comes from outside: nosniff keeps a browser from reading it as a page
    return Response(text, status, {"X-Content-Type-Options": "nosniff"}, mimetype="text/plain")
