"""One rule for parts of the machine that a test needs."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

from core.adapters import softhsm
from core.domain.errors import UnavailableError


def missing(part: str, package: str) -> NoReturn:
    """Skip, saying what is missing; under CI as root, where it could have been installed, fail."""
    reason = f"{part} is missing (apt-get install {package})"
    if os.environ.get("CI") == "true" and os.geteuid() == 0:
        pytest.fail(reason)
    pytest.skip(reason)


def softhsm_module() -> Path:
    """SoftHSM's library."""
    try:
        return softhsm.find_module()
    except UnavailableError:
        missing("SoftHSM", "softhsm2")


def program(name: str, package: str) -> Path:
    """Path of a program, PostgreSQL's own folders included."""
    found = shutil.which(name)
    if found:
        return Path(found)
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / name).exists():
            return folder / name
    missing(name, package)
