"""While the database does not answer, the service goes on with what it knows, and says so."""

import pytest
from sqlalchemy import create_engine, make_url, text

from tests.house import House, running_house
from tests.waiting import comes_true
from tutela.storage.settings import load_settings

MD5 = "0123456789abcdef" * 2


class Outage:
    """A PostgreSQL database that can be shut to everybody and opened again."""

    def __init__(self, server: str, url: str) -> None:
        self._name = make_url(url).database
        self._engine = create_engine(
            server.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT"
        )

    def begin(self) -> None:
        with self._engine.connect() as connection:
            connection.execute(text(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS false"))
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    f"WHERE datname = '{self._name}'"
                )
            )

    def end(self) -> None:
        with self._engine.connect() as connection:
            connection.execute(text(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS true"))
        self._engine.dispose()


def verdict(house: House, md5: str = "0" * 32) -> str:
    answer = house.client.post("/v1/screen", json={"fingerprints": {"md5": md5}})
    return str(answer.json().get("verdict", answer.status_code))


def test_an_outage_of_the_database_is_told_once_and_stops_no_clear_answer(
    data, clock, postgresql_server, postgresql_url, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = load_settings(data=data, database_url=postgresql_url, cells=1)
    outage = Outage(postgresql_server, postgresql_url)
    with running_house(settings, clock) as house:
        house.add("partner", {"kind": "md5", "hash": MD5})
        assert house.service.following_keys.hurry(60)
        outage.begin()
        try:
            for following in (house.service.following_lists, house.service.following_keys):
                assert comes_true(lambda each=following: each.failure is not None)
                # It is tried again and again.
                for _ in range(3):
                    assert not following.hurry(60)
            assert verdict(house) == "clear"
            assert verdict(house, MD5) == "503"
            ready = house.stranger().get("/readyz")
            assert ready.status_code == 503
            failing = {check["name"] for check in ready.json()["checks"] if not check["ok"]}
            # The vault's keys are compared with the database too, but not each time.
            assert failing - {"vault"} == {"database", "index"}
            assert house.stranger().get("/healthz").status_code == 200
        finally:
            outage.end()
        assert comes_true(lambda: house.stranger().get("/readyz").status_code == 200)
        assert verdict(house, MD5) == "match"
        house.add("partner", {"kind": "md5", "hash": "0" * 32})
        assert verdict(house) == "match"
    said = capfd.readouterr().err
    for check in ("lists", "keys"):
        assert said.count(f'"check": "{check}"') == 1, said
