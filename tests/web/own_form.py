"""Plans of a test's own: the kind `plan/direct` with further fields, as another region's data might have it."""

from dataclasses import replace

import pytest

from core.domain.forms import Check, Field
from core.service.system import System


def add_fields(
    system: System, monkeypatch: pytest.MonkeyPatch, fields: tuple[Field, ...], checks: tuple[Check, ...] = ()
) -> None:
    """Let new and stored plans of this variant have these fields, too."""
    known = system.processes.current("neimenggu", "plan", "direct")
    form = replace(known.form, fields=(*known.form.fields, *fields), checks=(*known.form.checks, *checks))
    made = replace(known, form=form, version="own-form")
    with system.database.write() as tx:
        tx.records.keep_processes([made])
    book = {known.version: made, made.version: made}
    registry = type(system.processes)
    current, version, variants = registry.current, registry.version, registry.variants
    monkeypatch.setattr(
        registry,
        "current",
        lambda self, *place: made if place[1:] == ("plan", "direct") else current(self, *place),
    )
    monkeypatch.setattr(registry, "version", lambda self, name, tx: book.get(name) or version(self, name, tx))
    monkeypatch.setattr(
        registry,
        "variants",
        lambda self, *place: [book.get(one.version, one) for one in variants(self, *place)],
    )
