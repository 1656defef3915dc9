"""The vault over S3 and KMS keeps the same promises as over a folder and a file."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests import amazon
from tests.evidence.sealing import opened, sealed_item
from tests.pictures import drawn, encoded
from tutela.errors import DamagedEvidenceError, StorageError
from tutela.evidence.model import new_item_id
from tutela.evidence.shredding import shred
from tutela.evidence.sweeping import sweep
from tutela.evidence.tables import evidence_items
from tutela.evidence.vault import Vault
from tutela.storage.settings import Settings, load_settings

CONTENT = bytes(range(256)) * (12 << 12)
KNOWN = encoded(drawn(1))


@pytest.fixture
def settings(data: Path, amazon_endpoint: str) -> Settings:
    """On SQLite alone: what is here is between the vault and Amazon."""
    return load_settings(
        data=data,
        cells=2,
        vault_key=f"aws-kms:{amazon.new_key(amazon_endpoint)}",
        kms_endpoint=amazon_endpoint,
        blob_url=f"s3://{amazon.new_bucket(amazon_endpoint, locked=True)}/vault",
        s3_endpoint=amazon_endpoint,
    )


def objects(settings: Settings) -> list[str]:
    bucket = str(settings.blob_url).split("/")[2]
    s3 = amazon.client("s3", str(settings.s3_endpoint))
    return [each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", ())]


def test_what_is_sealed_opens_and_no_key_file_is_made(
    vault: Vault, settings: Settings, new_case
) -> None:
    items = [sealed_item(vault, new_case(), content) for content in (CONTENT, b"", CONTENT)]
    assert [opened(vault, item) for item in items] == [CONTENT, b"", CONTENT]
    assert len(objects(settings)) == 2
    assert not settings.keys_folder.exists()
    assert not (settings.data / "vault").exists()
    assert vault.check() == "keys in AWS KMS, blobs in S3"


def test_damage_is_found(vault: Vault, settings: Settings, new_case) -> None:
    item = sealed_item(vault, new_case(), CONTENT)
    bucket = str(settings.blob_url).split("/")[2]
    s3 = amazon.client("s3", str(settings.s3_endpoint))
    (key,) = objects(settings)
    sound = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    altered = bytearray(sound)
    altered[len(sound) // 2] ^= 1
    for damaged in (bytes(altered), sound[:-1], sound[: 1 << 20]):
        s3.put_object(Bucket=bucket, Key=key, Body=damaged)
        with pytest.raises(DamagedEvidenceError, match="not as it was sealed"):
            opened(vault, item)
    s3.delete_object(Bucket=bucket, Key=key)
    with pytest.raises(DamagedEvidenceError, match="is missing"):
        opened(vault, item)


def test_what_was_destroyed_is_removed_although_it_is_retained(
    vault: Vault, settings: Settings, new_case, clock
) -> None:
    clock.now = datetime.now(UTC)
    item = sealed_item(vault, new_case(), CONTENT)
    with vault.database.writing() as connection:
        blob = shred(connection, item, clock)
    assert blob
    vault.store.retain(blob, clock() + timedelta(days=90))
    clock.turn(hours=25)
    assert sweep(vault).blobs == 1
    assert objects(settings) == []


def test_one_blob_that_is_retained_does_not_keep_others_from_being_swept(
    vault: Vault, settings: Settings, new_case, clock
) -> None:
    clock.now = datetime.now(UTC)
    several = [
        vault.seal(lambda content=content: [content], new_case(), new_item_id())
        for content in (b"one", b"two", b"three")
    ]
    retained = several[1].blob
    vault.store.retain(retained, clock() + timedelta(days=90))
    kept = vault.seal(lambda: [b"kept"], new_case(), new_item_id())
    with vault.database.writing() as connection:
        vault.claim(connection, [kept])
    clock.turn(hours=25)
    with pytest.raises(StorageError, match="Object Lock keeps it"):
        sweep(vault)
    assert sorted(objects(settings)) == sorted([f"vault/{retained}", f"vault/{kept.blob}"])


def test_a_service_whose_bucket_or_kms_is_gone_acknowledges_nothing(
    make_house, settings: Settings
) -> None:
    for gone in ({"s3_endpoint": "http://127.0.0.1:1"}, {"kms_endpoint": "http://127.0.0.1:1"}):
        with make_house(**gone) as house:
            house.add_picture("partner", KNOWN)
            answer = house.client.post("/v1/screen", files={"file": KNOWN})
            assert answer.status_code == 503
            assert house.stranger().get("/readyz").status_code == 503
            with house.service.database.reading() as connection:
                count = select(func.count()).select_from(evidence_items)
                assert connection.execute(count).scalar_one() == 0
    with make_house() as house:
        answer = house.client.post("/v1/screen", files={"file": KNOWN}).json()
        (item,) = house.client.get(f"/v1/cases/{answer['case']}").json()["items"]
        evidence = item["evidence"]
        content = opened(house.service.screening.vault, evidence["item"])
        assert hashlib.sha256(content).digest() == hashlib.sha256(KNOWN).digest()


def test_without_the_kms_no_blob_is_written(settings: Settings, database, clock, new_case) -> None:
    lost = settings.model_copy(update={"kms_endpoint": "http://127.0.0.1:1"})
    vault = Vault.over(lost, database, clock)
    with pytest.raises(StorageError, match="the KMS does not use the key"):
        vault.seal(lambda: [CONTENT], new_case(), new_item_id())
    assert objects(settings) == []
