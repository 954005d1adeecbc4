import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.crypto import PrpCrypto, WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException

from web.wechat.crypto import MessageCrypto, sign
from web.wechat.errors import WeChatError

# Test vectors of WeChat's documentation of message push
TOKEN, AES_KEY, APP_ID = "AAAAA", "A" * 43, "wxba5fad812f8e6fb9"
PUSH = (
    "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6J"
    "sXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8"
    "EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04="
)
REPLY = "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ=="

official = MessageCrypto(TOKEN, AES_KEY, APP_ID)
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
ours = MessageCrypto("AToken01", KEY, "wx01")
peer = WeChatCrypto("AToken01", KEY, "wx01")

anything = st.text(st.characters(codec=None))  # lone surrogates too


def test_official_url_check():
    official.check_url("f464b24fc39322e44b38aa78f5edd27bd1441696", "1714036504", "1514711492")


def test_official_push():
    plain = official.open(PUSH, "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3", "1714112445", "415670741")
    assert '"Event":"debug_demo"' in plain.replace(" ", "")
    assert "hello world" in plain


def test_official_reply_both_ways():
    assert official.decrypt(REPLY) == '{"demo_resp":"good luck"}'
    sealed = official.seal('{"demo_resp":"good luck"}', "1713424427", "415670741", random=b"707722b803182950")
    assert sealed == (REPLY, "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1")


@given(st.text(min_size=1, max_size=300))
def test_the_peer_reads_us(message: str):
    encrypted, signature = ours.seal(message, "1714112445", "n1")
    assert peer.decrypt_message({"Encrypt": encrypted}, signature, "1714112445", "n1") == message
    with pytest.raises(InvalidSignatureException):
        peer.decrypt_message({"Encrypt": encrypted}, signature, "1714112446", "n1")


@given(st.text(min_size=1, max_size=300))
def test_we_read_the_peer(message: str):
    encrypted = PrpCrypto(peer.key).encrypt(message, "wx01").decode()
    assert ours.open(encrypted, sign("AToken01", "1", "n", encrypted), "1", "n") == message


def test_another_account_is_refused_by_both():
    encrypted, signature = MessageCrypto("AToken01", KEY, "wx02").seal("hi", "1", "n")
    with pytest.raises(WeChatError) as caught:
        ours.open(encrypted, signature, "1", "n")
    assert caught.value.code == "wechat_app"
    with pytest.raises(InvalidAppIdException):
        peer.decrypt_message({"Encrypt": encrypted}, signature, "1", "n")


@given(anything, anything, anything, anything)
def test_forged_input_is_a_wrong_signature(encrypted: str, signature: str, timestamp: str, nonce: str):
    with pytest.raises(WeChatError) as caught:
        ours.open(encrypted, signature, timestamp, nonce)
    assert caught.value.code == "wechat_signature"


@given(anything)
def test_random_text_does_not_decrypt(encrypted: str):
    with pytest.raises(WeChatError) as caught:
        ours.decrypt(encrypted)
    assert caught.value.code == "wechat_cipher"


@given(st.binary(max_size=200), st.integers(0, 40))
def test_signed_rubbish_inside_is_refused(plain: bytes, pad: int):
    """Whatever was encrypted with the right key: a value or `WeChatError`."""
    plain += bytes([pad]) * (-len(plain) % 32)
    encryptor = ours._cipher().encryptor()
    encrypted = base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()
    with contextlib.suppress(WeChatError):
        assert isinstance(ours.decrypt(encrypted), str)


@pytest.mark.parametrize(
    "plain",
    [
        b"r" * 16 + b"\0\0\0\x02hi" + b"wx01" + b"\x01" * 5 + b"\x06",  # padding bytes differ
        b"r" * 16 + b"\0\0\0\x02hi" + b"wx01" + b"\x00" * 6,  # padding of nothing
        b"r" * 16 + b"\0\0\0\x02hi" + b"wx01" + b"\x21" * 6,  # padding longer than a block
        b"r" * 16 + b"\xff\xff\xff\xffhi" + b"wx01" + b"\x06" * 6,  # length past the end
        b"r" * 16 + b"\0\0\0\x02\xff\xfe" + b"wx01" + b"\x06" * 6,  # not UTF-8
        b"\x20" * 32,  # nothing but padding
    ],
)
def test_each_fault_inside_is_refused(plain: bytes):
    assert len(plain) == 32
    encryptor = ours._cipher().encryptor()
    with pytest.raises(WeChatError) as caught:
        ours.decrypt(base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode())
    assert caught.value.code == "wechat_cipher"


def test_characters_cannot_be_shifted_between_the_signed_parts():
    """The signature joins its parts without a mark: the same joined text, cut elsewhere, must not pass."""
    seals = (ours.seal("x" * 50, "1", "0", random=bytes([n]) * 16) for n in range(256))
    encrypted, signature = next(s for s in seals if "AToken01" < s[0] < s[0][-64:])
    for timestamp, nonce, rest in [("01", "", encrypted), ("01", encrypted[-64:], encrypted[:-64])]:
        assert sign("AToken01", timestamp, nonce, rest) == signature
        with pytest.raises(WeChatError) as caught:
            ours.open(rest, signature, timestamp, nonce)
        assert caught.value.code == "wechat_signature"


@pytest.mark.parametrize("key", ["", "A" * 42, "A" * 44, "A" * 42 + "!", "密" * 43])
def test_a_wrong_key_is_named_without_being_shown(key: str):
    with pytest.raises(WeChatError) as caught:
        MessageCrypto("AToken01", key, "wx01")
    assert caught.value.code == "wechat_key"
    assert not key or key not in str(caught.value)
