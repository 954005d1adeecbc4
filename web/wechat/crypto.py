"""Signatures and the safe mode of WeChat: AES-256-CBC around random, length, message and app id.

Source: WeChat, message encryption and decryption. Whatever comes in, only `WeChatError` goes out.
"""

import base64
import binascii
import hashlib
import hmac
import os
import re
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from web.wechat.errors import WeChatError

_BLOCK = 32  # WeChat pads to 32 bytes although the AES block has 16
_RANDOM = 16
_KEY_CHARACTERS = 43
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_MAX_NONCE = 32
_HEADER = _RANDOM + 4  # random bytes, then the message's length as big-endian uint32


def sign(*parts: str) -> str:
    """SHA-1 over the sorted, joined `parts`, as 40 hexadecimal digits; prescribed by WeChat, not chosen."""
    # surrogatepass: a lone surrogate in a forged query is a wrong signature, not an exception
    joined = "".join(sorted(parts)).encode("utf-8", "surrogatepass")
    return hashlib.sha1(joined, usedforsecurity=False).hexdigest()


def check_signature(given: str, *parts: str) -> None:
    """Compare `given` with the signature over `parts` in constant time; raises `wechat_signature`."""
    expected = sign(*parts).encode()
    if not hmac.compare_digest(expected, given.encode("utf-8", "surrogatepass")):
        raise WeChatError("签名不正确，请求未处理。", code="wechat_signature")


class MessageCrypto:
    """Encrypts and decrypts messages of one channel.

    `token` signs, `aes_key` (43 characters, from the operator's console) encrypts, `app_id` is sealed into
    every message and checked on the way out. A key of the wrong shape raises `WeChatError` `wechat_key`.
    """

    def __init__(self, token: str, aes_key: str, app_id: str) -> None:
        """Decode the key once; it never appears in an error."""
        self._token = token
        self._app_id = app_id.encode("utf-8", "surrogatepass")
        self._key = _decode_key(aes_key)

    def check_url(self, signature: str, timestamp: str, nonce: str) -> None:
        """Check the signature of a URL check or of a plain delivery; raises `wechat_signature`."""
        check_signature(signature, self._token, timestamp, nonce)

    def open(self, encrypted: str, signature: str, timestamp: str, nonce: str) -> str:
        """Check `msg_signature` and return the message inside `encrypted`.

        Raises `wechat_signature` before anything is decrypted, then `wechat_cipher` or `wechat_app`.
        """
        # The signature joins its parts without a mark between them: only short, plain parts leave no room
        # to shift characters from one to another
        if not _TIMESTAMP.fullmatch(timestamp) or not 0 < len(nonce) <= _MAX_NONCE:
            raise WeChatError("签名不正确，请求未处理。", code="wechat_signature")
        check_signature(signature, self._token, timestamp, nonce, encrypted)
        return self.decrypt(encrypted)

    def seal(
        self, message: str, timestamp: str, nonce: str, *, random: bytes | None = None
    ) -> tuple[str, str]:
        """Encrypt `message`; returns `Encrypt` and its `MsgSignature`. `random` (16 bytes) is for tests."""
        encrypted = self.encrypt(message, random=random)
        return encrypted, sign(self._token, timestamp, nonce, encrypted)

    def encrypt(self, message: str, *, random: bytes | None = None) -> str:
        """Base64 of the encrypted `message`; raises `wechat_cipher` where it is not valid Unicode."""
        try:
            content = message.encode()
        except UnicodeEncodeError as error:
            raise _undecipherable() from error
        head = (random or os.urandom(_RANDOM)) + struct.pack(">I", len(content))
        if len(head) != _HEADER:
            raise _undecipherable()
        plain = _pad(head + content + self._app_id)
        encryptor = self._cipher().encryptor()
        return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()

    def decrypt(self, encrypted: str) -> str:
        """The message inside `encrypted`; raises `wechat_cipher`, or `wechat_app` if sealed for another."""
        try:
            data = base64.b64decode(encrypted, validate=True)
        except (binascii.Error, ValueError) as error:
            raise _undecipherable() from error
        if not data or len(data) % _BLOCK:
            raise _undecipherable()
        decryptor = self._cipher().decryptor()
        plain = _unpad(decryptor.update(data) + decryptor.finalize())
        if len(plain) < _HEADER:
            raise _undecipherable()
        (length,) = struct.unpack(">I", plain[_RANDOM:_HEADER])
        content, app_id = plain[_HEADER : _HEADER + length], plain[_HEADER + length :]
        if len(content) != length:
            raise _undecipherable()
        if not hmac.compare_digest(app_id, self._app_id):
            raise WeChatError("消息不是发给本公众号的，未处理。", code="wechat_app")
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            raise _undecipherable() from error

    def _cipher(self) -> Cipher[modes.CBC]:
        return Cipher(algorithms.AES(self._key), modes.CBC(self._key[:16]))


def _decode_key(aes_key: str) -> bytes:
    if len(aes_key) == _KEY_CHARACTERS and aes_key.isascii():
        try:
            return base64.b64decode(aes_key + "=", validate=True)
        except binascii.Error:
            pass
    raise WeChatError(
        "EncodingAESKey 应为 43 位字母或数字，请从公众平台后台重新复制。",
        code="wechat_key",
        fields={"aes_key": "应为 43 位字母或数字"},
    )


def _pad(data: bytes) -> bytes:
    count = _BLOCK - len(data) % _BLOCK
    return data + bytes([count]) * count


def _unpad(data: bytes) -> bytes:
    count = data[-1]
    if not 1 <= count <= _BLOCK or data[-count:] != bytes([count]) * count:
        raise _undecipherable()
    return data[:-count]


def _undecipherable() -> WeChatError:
    # One error for every cause: what exactly failed would help only a forger
    return WeChatError("消息无法解密，请核对 EncodingAESKey 与 AppID。", code="wechat_cipher")
