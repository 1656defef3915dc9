"""Where the house says that it is, and from where it takes what changes something."""

import pytest
from fastapi import Request

from tutela.console.origin import check_origin, own_origin
from tutela.errors import NotPermittedError
from tutela.storage.settings import Console, Settings

OWN = "https://tutela.example"
FOREIGN = "http://foreign.example"


def posted(host: str, **headers: str) -> Request:
    """What changes something, as a browser or a proxy sends it on."""
    sent = {"host": host, **headers}
    return Request(
        {
            "type": "http",
            "method": "POST",
            "scheme": "http",
            "server": ("127.0.0.1", 8000),
            "path": "/people",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        }
    )


def at(settings: Settings, address: str | None) -> Settings:
    return settings.model_copy(update={"console": Console(address=address)})


def test_where_an_address_is_set_no_header_says_another(settings: Settings) -> None:
    house = at(settings, OWN)
    forwarded = {"x-forwarded-host": "foreign.example", "forwarded": "host=foreign.example"}
    for request in (posted("foreign.example"), posted("foreign.example", **forwarded)):
        assert own_origin(request, house) == OWN
    with pytest.raises(NotPermittedError):
        check_origin(posted("foreign.example", origin=FOREIGN), house)
    check_origin(posted("127.0.0.1:8000", origin=OWN), house)


def test_without_one_the_house_is_where_the_request_went(settings: Settings) -> None:
    assert own_origin(posted("127.0.0.1:8000"), at(settings, None)) == "http://127.0.0.1:8000"
