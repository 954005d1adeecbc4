import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diagnostics
from diagnostics.desk import Desk
from diagnostics.probes import browser

FLAG = "block-insecure-private-network-requests"
SITE = "https://ywxt.ccgp-neimenggu.gov.cn:443,*"
Profile = Callable[..., Desk]


@pytest.fixture
def profile(tmp_path: Path, bare_desk: Desk) -> Profile:
    """`profile(version, flag, permission, site)` lays out a Chrome folder as that version does."""

    def make(version: int, flag: str = "", permission: int | None = None, site: str = SITE) -> Desk:
        folder = tmp_path / "User Data"
        (folder / "Default").mkdir(parents=True)
        (folder / "Last Version").write_text(f"{version}.0.7000.12\n")
        flags = {"enabled_labs_experiments": [f"{FLAG}@{flag}"] if flag else ["smooth-scrolling@1"]}
        (folder / "Local State").write_text(json.dumps({"browser": flags}))
        name = "loopback_network" if version >= 145 else "local_network_access"
        entries = {} if permission is None else {site: {"setting": permission, "last_modified": "1"}}
        content = {"profile": {"content_settings": {"exceptions": {name: entries}}}}
        (folder / "Default" / "Preferences").write_text(json.dumps(content))
        return replace(bare_desk, browsers=[folder])

    return make


def check(desk: Desk, **facts: object) -> diagnostics.Result:
    return diagnostics.run("neimenggu", only=["browser"], desk=desk, facts=facts, offline=True).of("browser")


@pytest.mark.covers("nm-27")
@pytest.mark.parametrize(
    ("version", "flag", "permission", "secure", "finding"),
    [
        (93, "1", None, False, "browser_before_limits"),
        (94, "1", None, False, "browser_flag_blocks"),
        (137, "1", None, False, "browser_flag_blocks"),
        (120, "", None, False, "browser_flag_unset"),
        (120, "2", None, False, "browser_open"),
        (120, "1", None, True, "browser_open"),
        (138, "1", None, False, "browser_open"),
        (141, "", None, False, "browser_open"),
        (142, "2", 2, True, "browser_denied_local"),
        (144, "", 1, False, "browser_http_refused"),
        (144, "", 1, True, "browser_allowed"),
        (144, "", None, True, "browser_will_ask"),
        (145, "1", None, False, "browser_http_refused"),
        (147, "", None, False, "browser_http_refused"),
        (145, "", None, True, "browser_will_ask"),
        (147, "", 2, False, "browser_denied"),
        (145, "", 2, True, "browser_denied"),
        (147, "", 1, True, "browser_allowed"),
    ],
)
def test_settings_are_judged_by_version(
    profile: Profile,
    region: Callable[..., None],
    version: int,
    flag: str,
    permission: int | None,
    secure: bool,  # noqa: FBT001 – a column of the table
    finding: str,
) -> None:
    scheme = "https" if secure else "http"
    region(login_url=f"{scheme}://www.ccgp-neimenggu.gov.cn/")
    result = check(profile(version, flag, permission))
    assert result.finding == finding
    if result.status in ("fail", "warn"):
        assert result.topic == "nm-27"


@pytest.mark.covers("nm-27")
def test_flag_advice_is_given_only_where_it_helps(profile: Profile, region: Callable[..., None]) -> None:
    old = check(profile(120, "1"))
    assert f"chrome://flags/#{FLAG}" in (old.remedy or "")
    new = check(
        Desk(services=None, roaming=None), browser_version="147.0.7000.1", browser_permission="denied"
    )
    assert new.finding == "browser_denied"
    assert f"#{FLAG}" not in (new.remedy or "")


@pytest.mark.parametrize(
    "site", ["https://evil-ccgp-neimenggu.gov.cn:443,*", "https://example.test:443,*", "broken", "[::1"]
)
def test_permissions_of_other_sites_do_not_count(
    profile: Profile, region: Callable[..., None], site: str
) -> None:
    region(login_url="https://www.ccgp-neimenggu.gov.cn/")
    assert check(profile(147, permission=2, site=site)).finding == "browser_will_ask"


def test_no_browser_is_skipped(bare_desk: Desk) -> None:
    assert check(bare_desk).finding == "browser_unseen"


@settings(deadline=None)
@given(
    st.binary(max_size=200)
    | st.sampled_from([b"[]", b"null", b'{"browser": 3}', b'{"profile": []}', b"[" * 99999])
)
def test_damaged_files_are_as_if_empty(tmp_path_factory: pytest.TempPathFactory, noise: bytes) -> None:
    folder = tmp_path_factory.mktemp("chrome")
    (folder / "Default").mkdir()
    for name in ("Last Version", "Local State", "Default/Preferences"):
        (folder / name).write_bytes(noise)
    rows = list(browser._profiles(folder, "www.ccgp-neimenggu.gov.cn", secure=True))
    assert [row["flag"] for row in rows] == ["default"]
