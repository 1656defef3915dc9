"""Screening what is at an address that was sent to ``/v1/screen``, or in it.

Each address on the way, the one that was sent and those that it points to, is looked up in the
lists before anybody asks for it: one that a list has is a match, and is not fetched.
"""

from asyncio import get_running_loop, timeout_at
from collections.abc import Sequence
from functools import partial

from tutela.accounts.keys import require
from tutela.accounts.model import ApiKey
from tutela.accounts.permissions import Permission
from tutela.api.capacity import Place
from tutela.api.judging import judged, known_of_upload, submission_of
from tutela.api.receiving import Upload
from tutela.api.screening_documents import ScreenRequest
from tutela.api.service import Service
from tutela.errors import InvalidInputError
from tutela.evidence.model import Content
from tutela.fingerprints.urls import read_url
from tutela.screening.data_urls import is_data_url, read_data_url
from tutela.screening.fetching import Fetched, FetchError, suffix_of, too_often, too_slow
from tutela.screening.model import Known, Screened, Verdict
from tutela.screening.screening import Submission
from tutela.screening.words import content_of, known_not_fetched, known_of_read_url


async def screen_file_of(
    service: Service, item: ScreenRequest, key: ApiKey, idempotency_key: str | None
) -> Screened:
    """The verdict on what is at an address, or in one that begins with ``data:``.

    Raises:
        NotPermittedError: The key may not have anything fetched.
        InvalidInputError: It is no address, or nothing is fetched here.
        OverCapacityError: Too many are being fetched or screened, or too much is held.
        StorageError: The database or the vault fails. No verdict is given then.
    """
    item.check()
    if item.url is not None and is_data_url(item.url):
        # It is all there: nothing is fetched.
        with service.capacity.place() as place:
            place.hold(len(item.url))
            held = await service.work(partial(read_data_url, item.url))
            fetched = Fetched(held.content, suffix_of(held.media_type))
            return await _Way(service, item, key, idempotency_key, place).screened(fetched, ())
    require(key, Permission.SCREEN_FETCH)
    if item.url is None:
        raise InvalidInputError('only addresses are fetched: send it as "url"')
    if not service.settings.links.fetch:
        raise InvalidInputError(
            'nothing is fetched here: set links.fetch = true, or send the address without "fetch" '
            "to have it looked up in lists alone"
        )
    with service.fetches.place(key.id) as place:
        return await _Way(service, item, key, idempotency_key, place).go(item.url)


class _Way:
    """From an address to what is there."""

    def __init__(
        self,
        service: Service,
        item: ScreenRequest,
        key: ApiKey,
        idempotency_key: str | None,
        place: Place,
    ) -> None:
        self._service = service
        self._item = item
        self._key = key
        self._idempotency_key = idempotency_key
        self._place = place

    async def go(self, sent: str) -> Screened:
        """The verdict on what is there."""
        links = self._service.settings.links
        ends = get_running_loop().time() + links.seconds
        url, met = read_url(sent), [sent]
        for _ in range(links.redirects + 1):
            listed = await self._in_lists(known_of_read_url(met[-1], url), met)
            if listed is not None:
                return listed
            try:
                async with timeout_at(ends):
                    step = await self._service.fetcher.ask(url, self._place.hold)
            except TimeoutError:
                return await self._not_fetched(sent, too_slow(links.seconds))
            except FetchError as error:
                return await self._not_fetched(sent, error)
            if isinstance(step, Fetched):
                return await self.screened(step, met)
            url = step
            met.append(step.whole)
        return await self._not_fetched(sent, too_often())

    async def _in_lists(self, known: Known, met: Sequence[str]) -> Screened | None:
        """The match of an address, if it is one that keeps it back."""
        findings = await self._service.look_up([known])
        if findings.nothing:
            return None
        submission = self._submission(known, content_of(met[-1]), met[:-1])
        judge = partial(self._service.screening.screener.judge, [submission], findings)
        (outcome,) = await self._service.judge(judge, self._place.held)
        return outcome if outcome.verdict is Verdict.MATCH else None

    async def screened(self, fetched: Fetched, met: Sequence[str]) -> Screened:
        """The verdict on what was found, on the way over some addresses."""
        upload = Upload("", fetched.content)
        known = await known_of_upload(self._service, upload, fetched.suffix)
        return await self._judged(self._submission(known, upload.pieces, met))

    async def _not_fetched(self, sent: str, error: FetchError) -> Screened:
        known = known_not_fetched(sent, error.reason)
        return await self._judged(self._submission(known, None, ()))

    async def _judged(self, submission: Submission) -> Screened:
        (outcome,) = await judged(self._service, [submission], self._place)
        return outcome

    def _submission(
        self, known: Known, content: Content | None, sources: Sequence[str]
    ) -> Submission:
        # Of a long way its two ends are enough.
        ends = dict.fromkeys([*sources[:1], *sources[-1:]])
        return submission_of(
            known,
            self._item.name,
            self._key,
            self._idempotency_key,
            content,
            subject=self._item.subject,
            reference=self._item.reference,
            sources=tuple(ends),
        )
