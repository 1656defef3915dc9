"""Over HTTP: what is public only where the house wants it, and words that are for leads alone."""

import httpx

from tutela.accounts.permissions import Permission
from tutela.storage.settings import Statistics


def test_statistics_are_published_only_where_the_house_wants_it(make_house) -> None:
    with make_house() as house:
        for path in ("/v1/statistics", "/v1/statistics.csv", "/transparency"):
            assert house.stranger().get(path).status_code == 404
        assert "/transparency" not in house.stranger().get("/").text
    with make_house(statistics=Statistics(public=True)) as house:
        stranger = house.stranger()
        assert "/transparency" in stranger.get("/").text
        assert stranger.get("/v1/statistics").json() == {"months": []}
        table = stranger.get("/v1/statistics.csv")
        assert table.headers["content-type"] == "text/csv; charset=utf-8"
        assert table.text == "month,figure,found_by,value\r\n"
        for language in ("ar", "en", "es", "fr", "ru", "zh"):
            page = stranger.get("/transparency", params={"lang": language})
            assert page.status_code == 200
            assert page.headers["content-language"] == language
            assert "default-src 'none'" in page.headers["content-security-policy"]


def refused(answer: httpx.Response, status: int, words: str) -> None:
    assert answer.status_code == status, answer.text
    assert words in answer.json()["detail"]


def test_webhooks_are_changed_only_by_who_may(make_house) -> None:
    with make_house() as house:
        new = {"name": "forum", "url": "https://forum.example/", "events": ["item.lifted"]}
        reader = house.client_with(Permission.WEBHOOKS_READ)
        assert reader.post("/v1/webhooks", json=new).status_code == 403
        added = house.client.post("/v1/webhooks", json=new).json()
        path = f"/v1/webhooks/{added['id']}"
        changed = house.client.patch(path, json={"on": False, "name": "shop"}).json()
        assert (changed["on"], changed["name"], changed["events"]) == (
            False,
            "shop",
            ["item.lifted"],
        )
        rotated = house.client.post(f"{path}/rotate").json()
        assert rotated["secret"] != added["secret"]
        assert "secret" not in reader.get(path).json()
        local = {**new, "url": "http://127.0.0.1:8470/"}
        refused(house.client.post("/v1/webhooks", json=local), 422, "https://")
        refused(house.client.patch(path, json={"events": ["webhook.test"]}), 422, "at least one")
        assert house.client.delete(path, params={"reason": "moved"}).status_code == 204
        refused(house.client.get(path), 404, "no webhook")
