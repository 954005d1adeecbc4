"""Tables of the WeChat channel. Times are whole seconds UTC, so that both databases compare them alike."""

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, Text, UniqueConstraint

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

# The key alone outlives the answer: openid, text and reply are deleted once it has gone out.
inbox = Table(
    "wechat_inbox",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("channel", String(32), nullable=False),
    Column("openid", String(64)),
    Column("kind", String(8), nullable=False),
    Column("text", Text),
    Column("reply", Text),
    Column("state", String(8), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("touched_at", BigInteger, nullable=False),
    Index("ix_wechat_inbox_state_touched_at", "state", "touched_at"),
    Index("ix_wechat_inbox_channel_openid", "channel", "openid"),
)

# One openid speaks for one account, and an account has one openid in a channel: binding again replaces.
binding = Table(
    "wechat_binding",
    metadata,
    Column("channel", String(32), primary_key=True),
    Column("openid", String(64), primary_key=True),
    Column("account_id", BigInteger, nullable=False),
    Column("bound_at", BigInteger, nullable=False),
    UniqueConstraint("channel", "account_id"),
)

bind_code = Table(
    "wechat_bind_code",
    metadata,
    Column("code_hash", String(64), primary_key=True),
    Column("account_id", BigInteger, nullable=False, unique=True),
    Column("expires_at", BigInteger, nullable=False),
)

bind_attempt = Table(
    "wechat_bind_attempt",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("channel", String(32), nullable=False),
    Column("who", String(64), nullable=False),
    Column("tried_at", BigInteger, nullable=False),
    Index("ix_wechat_bind_attempt_channel_tried_at", "channel", "tried_at"),
)

token = Table(
    "wechat_token",
    metadata,
    Column("app_id", String(64), primary_key=True),
    Column("token", String(512)),
    Column("expires_at", BigInteger, nullable=False),
    Column("lease", String(32)),
    Column("lease_until", BigInteger, nullable=False),
)
