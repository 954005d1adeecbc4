"""The helpers themselves: real servers, empty and separate."""

import pkcs11
import pytest
import redis
import sqlalchemy as sa

from tests.support.need import program


def test_each_test_gets_an_empty_database(database_url: str) -> None:
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE 计划 (id integer)"))
        connection.execute(sa.text("INSERT INTO 计划 VALUES (1)"))
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM 计划")).scalar_one() == 1
    engine.dispose()


def test_the_module_database_answers(postgres_url: str) -> None:
    engine = sa.create_engine(postgres_url)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SHOW listen_addresses")).scalar_one() == "127.0.0.1"
    engine.dispose()


def test_redis_is_empty(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("a", 1)


def test_redis_is_empty_again(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0


def test_tokens_can_be_made_while_the_library_is_loaded(softhsm) -> None:
    for label in ("甲", "乙"):
        token = softhsm.token(label)
        assert token.label == label
        with token.open(user_pin="12345678") as session:
            assert list(session.get_objects({pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY})) == []


def test_chromium_draws(page) -> None:
    page.set_content("<h1>采购计划</h1>")
    assert page.inner_text("h1") == "采购计划"


def test_a_missing_part_is_skipped_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"no-such-thing is missing \(apt-get install nothing\)"):
        program("no-such-thing", "nothing")


def test_a_missing_part_fails_where_it_could_have_been_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(pytest.fail.Exception, match="no-such-thing is missing"):
        program("no-such-thing", "nothing")
