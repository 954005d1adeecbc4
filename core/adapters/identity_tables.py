"""Tables of units, accounts, how they sign in, and who works for whom."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from core.adapters.table_types import Utc, key, metadata

unit = Table(
    "unit", metadata, key(),
    Column("region", String(20), nullable=False),
    Column("division", String(6), nullable=False),
    Column("code", String(20), nullable=False),
    Column("name", String(100), nullable=False),
    Column("parent_id", ForeignKey("unit.id")),
    Column("office_id", ForeignKey("unit.id")),
    Column("procurement_id", ForeignKey("unit.id")),
    Column("landline", String(30), nullable=False, server_default=""),
    Column("token_label", String(32)),
    UniqueConstraint("division", "code"),
)  # fmt: skip

account = Table(
    "account", metadata, key(),
    Column("login", String(40), nullable=False, unique=True),
    Column("name", String(50), nullable=False),
    Column("phone", String(30), nullable=False, server_default=""),
    Column("role", String(30), nullable=False),
    Column("unit_id", ForeignKey("unit.id"), nullable=False),
    Column("password_hash", String(200), nullable=False),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("locked_until", Utc),
    Column("active", Boolean, nullable=False, server_default="1"),
    Index(None, "unit_id", "role"),
)  # fmt: skip

session = Table(
    "session", metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    Column("method", String(20), nullable=False, server_default="password"),
    Column("certificate", String(64), nullable=False, server_default=""),
    Column("device", String(120), nullable=False, server_default=""),
    Column("deputy_id", ForeignKey("deputy.id")),
    Index(None, "account_id"),
)  # fmt: skip

# What may be used once and soon: challenges to sign, tickets between two steps of a sign-in. Only hashes are kept.
one_time = Table(
    "one_time", metadata,
    Column("hash", String(64), primary_key=True),
    Column("purpose", String(20), nullable=False),
    Column("account_id", ForeignKey("account.id")),
    Column("body", JSON, nullable=False),
    Column("expires_at", Utc, nullable=False),
    Index(None, "expires_at"),
    Index(None, "account_id"),
)  # fmt: skip

# One certificate is bound to one account; an account may have several (an old and a renewed one).
account_certificate = Table(
    "account_certificate", metadata, key(),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("serial", String(64), nullable=False),
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("not_after", Utc, nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("bound_at", Utc, nullable=False),
    Index(None, "account_id"),
    Index(None, "serial"),
)  # fmt: skip

# `secret` is encrypted; `last_step` is the time step of the last code that was accepted, so that none works twice.
second_factor = Table(
    "second_factor", metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("secret", String(200), nullable=False),
    Column("enrolled_at", Utc),
    Column("last_step", BigInteger, nullable=False, server_default="0"),
)  # fmt: skip

recovery_code = Table(
    "recovery_code", metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("code_hash", String(64), primary_key=True),
)  # fmt: skip

# A number that was registered at somebody's first sign-in; nobody else can register it (sx-phone).
registered_phone = Table(
    "registered_phone", metadata,
    Column("phone", String(30), primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("at", Utc, nullable=False),
)  # fmt: skip

invitation = Table(
    "invitation", metadata, key(),
    Column("unit_id", ForeignKey("unit.id"), nullable=False),
    Column("role", String(30), nullable=False),
    Column("name", String(50), nullable=False),
    Column("phone", String(30), nullable=False),
    Column("code_hash", String(64), nullable=False, unique=True),
    Column("invited_by", ForeignKey("account.id"), nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    Column("state", String(10), nullable=False, server_default="open"),
    Column("account_id", ForeignKey("account.id")),
    CheckConstraint("state in ('open', 'accepted', 'withdrawn')", name="state"),
    Index(None, "unit_id", "id"),
)  # fmt: skip

# `deputy_id` acts in the role of `principal_id` from the day `since` to the day `until`, both included.
deputy = Table(
    "deputy", metadata, key(),
    Column("principal_id", ForeignKey("account.id"), nullable=False),
    Column("deputy_id", ForeignKey("account.id"), nullable=False),
    Column("since", Date, nullable=False),
    Column("until", Date, nullable=False),
    Column("appointed_by", ForeignKey("account.id"), nullable=False),
    Column("at", Utc, nullable=False),
    Column("ended_at", Utc),
    CheckConstraint("since <= until", name="span"),
    CheckConstraint("principal_id <> deputy_id", name="another"),
    Index(None, "principal_id"),
    Index(None, "deputy_id"),
)  # fmt: skip
