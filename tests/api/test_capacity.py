"""What is over capacity is told at once to come back, and what is left makes room again."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest
from PIL import Image

from tests.house import House
from tests.pictures import drawn, encoded
from tutela.api.capacity import Capacity, Memory, Turns
from tutela.errors import OverCapacityError

SENT = {"fingerprints": {"md5": "0" * 32}}


def test_places_are_counted_and_given_back() -> None:
    capacity = Capacity(2, Memory(100))
    with capacity.place(), capacity.place():
        assert capacity.in_use
        with pytest.raises(OverCapacityError, match="2 screenings"), capacity.place():
            pass
    assert not capacity.in_use


def test_of_all_places_one_key_has_half_at_most_and_at_least_one() -> None:
    capacity = Capacity(5, Memory(100), "fetches")
    with ExitStack() as held:
        for _ in range(2):
            held.enter_context(capacity.place(1))
        with pytest.raises(OverCapacityError, match="2 fetches"), capacity.place(1):
            pass
        for key in (2, 3, 4):
            held.enter_context(capacity.place(key))
        with pytest.raises(OverCapacityError, match="5 fetches"), capacity.place(5):
            pass
    alone = Capacity(1, Memory(100))
    for _ in range(2):
        with alone.place(1):
            pass


def test_bytes_are_counted_over_all_that_share_the_memory_and_given_back() -> None:
    memory = Memory(100)
    one, other = Capacity(1, memory), Capacity(1, memory)
    for _ in range(3):
        with one.place() as place, other.place() as another:
            place.hold(60)
            another.hold(40)
            with pytest.raises(OverCapacityError):
                another.hold(1)


def test_of_a_crowd_that_waits_together_those_who_would_wait_too_long_are_turned_away() -> None:
    turns = Turns(most=3, seconds=0.05)
    assert len(begun_together(turns, 100, each_takes=0.01).turned_away) > 50
    assert begun_together(turns, 3, each_takes=0.0).turned_away == []


def test_a_crowd_that_is_answered_in_time_is_let_in_whole_and_in_order() -> None:
    crowd = begun_together(Turns(most=3, seconds=3600), 1000, each_takes=0.0001)
    assert crowd.let_in == list(range(1000))


def test_a_few_are_let_in_however_long_it_takes() -> None:
    assert begun_together(Turns(most=10, seconds=0.0), 10, each_takes=0.01).turned_away == []


def test_while_a_crowd_is_let_in_the_loop_does_other_things_too() -> None:
    crowd = begun_together(Turns(most=1000, seconds=3600), 100, each_takes=0.01)
    assert len(crowd.let_in) == 100
    assert crowd.looked_up > 50


def test_a_request_that_is_given_up_while_it_waits_keeps_nobody_waiting() -> None:
    async def crowd() -> list[int]:
        turns = Turns(most=1000)
        let_in = []

        async def request(number: int) -> None:
            await turns.take()
            time.sleep(0.01)
            let_in.append(number)

        requests = [asyncio.create_task(request(number)) for number in range(6)]
        await asyncio.sleep(0)
        requests[3].cancel()
        await asyncio.gather(*requests, return_exceptions=True)
        return let_in

    assert asyncio.run(crowd()) == [0, 1, 2, 4, 5]


class Crowd:
    """What became of requests that were all there at once.

    Attributes:
        let_in: The numbers of those that had their turn, in its order.
        turned_away: The numbers of the others.
        looked_up: How often the loop did something else meanwhile.
    """

    def __init__(self) -> None:
        self.let_in: list[int] = []
        self.turned_away: list[int] = []
        self.looked_up = 0


def begun_together(turns: Turns, count: int, each_takes: float) -> Crowd:
    crowd = Crowd()

    async def request(number: int) -> None:
        try:
            await turns.take()
        except OverCapacityError:
            crowd.turned_away.append(number)
        else:
            time.sleep(each_takes)
            crowd.let_in.append(number)

    async def look_up() -> None:
        while True:
            await asyncio.sleep(0)
            crowd.looked_up += 1

    async def all_at_once() -> None:
        other = asyncio.create_task(look_up())
        await asyncio.gather(*(request(number) for number in range(count)))
        other.cancel()

    asyncio.run(all_at_once())
    return crowd


def test_while_all_places_for_files_are_taken_fingerprints_and_health_are_answered(
    make_house,
) -> None:
    with make_house(max_waiting=1) as house, house.service.capacity.place():
        refused = house.client.post("/v1/screen", files={"file": ("p.png", b"x")})
        assert refused.status_code == 503
        assert house.client.post("/v1/screen", json=SENT).json() == {"verdict": "clear"}
        assert house.client.get("/healthz").status_code == 200
        assert house.client.get("/readyz").status_code == 200


def test_fingerprints_over_capacity_are_told_to_come_back(make_house) -> None:
    with make_house(max_waiting=1) as house, house.service.fingerprint_capacity.place():
        for path, sent in (("/v1/screen", SENT), ("/v1/screen/batch", {"items": [SENT]})):
            refused = house.client.post(path, json=sent)
            assert refused.status_code == 503
            assert refused.headers["retry-after"] == "1"
            assert refused.headers["content-type"] == "application/problem+json"
        assert house.client.get("/healthz").status_code == 200


def test_unknown_keys_take_no_more_than_their_places_and_known_keys_are_answered(
    make_house,
) -> None:
    with make_house() as house:
        assert house.service.following_keys.hurry(30)
        unknown = house.service.unknown_keys
        object.__setattr__(house.service, "unknown_keys", Capacity(0, Memory(0), "checks"))
        refused = house.stranger({"Authorization": "Bearer guess"}).post("/v1/screen", json=SENT)
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
        assert house.client.post("/v1/screen", json=SENT).status_code == 200
        object.__setattr__(house.service, "unknown_keys", unknown)


def test_many_more_slow_files_than_places_get_an_answer_each(make_house) -> None:
    slow = encoded(Image.new("RGB", (4000, 4000)), "PNG")
    with make_house(max_waiting=2, cells=1) as house:
        at_once = threading.Barrier(8)

        def send(_number: int) -> httpx.Response:
            at_once.wait()
            return house.client.post("/v1/screen", files={"file": ("p.png", slow)})

        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(send, range(8)))
        assert any(answer.status_code == 200 for answer in answers)
        for answer in answers:
            if answer.status_code != 200:
                assert answer.status_code == 503
                assert answer.headers["retry-after"] == "1"
        again = house.client.post("/v1/screen", files={"file": ("p.png", encoded(drawn(2)))})
        assert again.json() == {"verdict": "clear"}


def test_a_house_that_is_not_ready_says_when_to_ask_again(make_house) -> None:
    with make_house() as house:
        break_the_cells(house)
        answer = house.stranger().get("/readyz")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"


def break_the_cells(house: House) -> None:
    house.service.screening.cells.close()
