"""A SoftHSM of its own: the tests never see a token of the machine."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pkcs11
import pytest

from tests.support.need import program, softhsm_module


@dataclass(frozen=True)
class SoftHsm:
    module: str  # path for CAIGOU_PKCS11_MODULE
    conf: Path  # what SOFTHSM2_CONF points at

    def token(self, label: str, pin: str = "12345678", so_pin: str = "87654321") -> pkcs11.Token:
        """Make an empty token and return it."""
        tool = program("softhsm2-util", "softhsm2")
        subprocess.run(
            [tool, "--init-token", "--free", "--label", label, "--pin", pin, "--so-pin", so_pin],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        pkcs11.unload(self.module)  # the library lists tokens when it is initialised
        return pkcs11.lib(self.module).get_token(token_label=label)


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftHsm]:
    """One for a pytest process: the library reads its configuration once."""
    module = str(softhsm_module())
    home = tmp_path_factory.mktemp("softhsm")
    (home / "tokens").mkdir()
    conf = home / "softhsm2.conf"
    conf.write_text(
        f"directories.tokendir = {home / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "SOFTHSM2_CONF", str(conf))
        yield SoftHsm(module, conf)
        pkcs11.unload(module)
