"""What has to hold before requests are sent here."""

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from core.adapters.database import SqlDatabase, reader_of
from core.bootstrap import alembic_config
from core.service.system import System
from core.settings import Settings
from web.health import Check
from web.parts import Parts


def checks(system: System, settings: Settings, parts: Parts) -> dict[str, Check]:
    """By name: the database answers, its tables are the newest, the assistant knows something."""
    heads = set(ScriptDirectory.from_config(alembic_config(settings.database_url)).get_heads())

    def database() -> str | None:
        with system.database.read():
            return None

    def migrations() -> str | None:
        assert isinstance(system.database, SqlDatabase)  # noqa: S101 - the only one there is outside tests
        with reader_of(system.database.engine).connect() as connection:
            current = set(MigrationContext.configure(connection).get_current_heads())
        return None if current == heads else f"at {sorted(current)}, wanted {sorted(heads)}"

    def knowledge() -> str | None:
        return None if parts.talk else "no assistant"

    return {"database": database, "migrations": migrations, "knowledge": knowledge}
