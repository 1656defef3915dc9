"""The key is made once, never replaced, and its loss is said clearly."""

import threading

import pytest
from sqlalchemy import select

from tests import amazon
from tests.evidence.sealing import opened, sealed_item
from tutela.errors import SettingsError, StorageError
from tutela.evidence.aws_kms import AwsKms
from tutela.evidence.key_file import KeyFile
from tutela.evidence.key_registry import keys_in_use, prepare_keys
from tutela.evidence.keyring import Keyring
from tutela.evidence.model import KeyProvider, WrappedKey, WrongKeyError
from tutela.evidence.shredding import shred
from tutela.evidence.tables import vault_keys
from tutela.evidence.vault import Vault
from tutela.storage.database import Database
from tutela.storage.settings import Settings

SECRET, CONTEXT = b"a data key" * 12, b"tutela evidence 1|blob|case|item"


@pytest.fixture(params=["file", "kms", "kms alias"])
def provider(request: pytest.FixtureRequest, tmp_path) -> KeyProvider:
    if request.param == "file":
        file = KeyFile(tmp_path / "keys" / "vault.key")
        file.make()
        return file
    endpoint = request.getfixturevalue("amazon_endpoint")
    alias = f"vault-{tmp_path.name}"
    arn = amazon.new_key(endpoint, alias)
    return AwsKms(arn if request.param == "kms" else f"alias/{alias}", endpoint)


def test_what_is_wrapped_opens_in_its_context_alone(provider: KeyProvider) -> None:
    wrapped = provider.wrap(SECRET, CONTEXT)
    assert SECRET not in wrapped.ciphertext
    assert provider.unwrap(wrapped, CONTEXT) == SECRET
    with pytest.raises(WrongKeyError):
        provider.unwrap(wrapped, CONTEXT + b"2")
    assert provider.check().startswith("keys in ")


def test_what_is_altered_does_not_open(provider: KeyProvider) -> None:
    wrapped = provider.wrap(SECRET, CONTEXT)
    for place in range(0, len(wrapped.ciphertext) * 8, 97):
        altered = bytearray(wrapped.ciphertext)
        altered[place // 8] ^= 1 << place % 8
        # Amazon's own service says so; the server of these tests says that there is no such key.
        with pytest.raises((WrongKeyError, StorageError)):
            provider.unwrap(WrappedKey(wrapped.key_id, bytes(altered)), CONTEXT)


def test_a_key_id_is_that_of_the_key_and_not_of_its_alias(amazon_endpoint: str) -> None:
    arn = amazon.new_key(amazon_endpoint, "named")
    wrapped = AwsKms("alias/named", amazon_endpoint).wrap(SECRET, CONTEXT)
    assert wrapped.key_id == f"aws-kms:{arn}"


def test_a_kms_that_does_not_answer_is_said(amazon_endpoint: str) -> None:
    arn = amazon.new_key(amazon_endpoint)
    wrapped = AwsKms(arn, amazon_endpoint).wrap(SECRET, CONTEXT)
    for kms in (AwsKms(arn, "http://127.0.0.1:1"), AwsKms("alias/absent", amazon_endpoint)):
        with pytest.raises(StorageError, match=r"the KMS does not use the key .*check vault_key"):
            kms.wrap(SECRET, CONTEXT)
    with pytest.raises(StorageError, match="the KMS does not use the key"):
        AwsKms(arn, "http://127.0.0.1:1").unwrap(wrapped, CONTEXT)


def test_a_misspelt_vault_key_is_explained(tmp_path) -> None:
    with pytest.raises(SettingsError, match='should be "file" or "aws-kms:"'):
        Keyring(Settings(data=tmp_path, vault_key="kms"))


def test_the_key_is_made_at_the_first_start_and_people_are_told_once(
    settings: Settings, database: Database
) -> None:
    said: list[str] = []
    for _ in range(2):
        prepare_keys(Keyring(settings), database, said.append)
    (line,) = said
    assert str(settings.keys_folder / "vault.key") in line
    assert "Keep a copy of it in another place" in line
    assert (settings.keys_folder / "vault.key").stat().st_mode & 0o777 == 0o600
    assert not settings.keys_folder.is_relative_to(settings.data.absolute())


def test_processes_that_start_together_have_one_key(settings: Settings, database) -> None:
    said: list[str] = []
    ids = []

    def start() -> None:
        keyring = Keyring(settings)
        prepare_keys(keyring, database, said.append)
        ids.append(keyring.file.key_ids())

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == 1
    assert len(ids) == 8
    assert len(set(ids)) == 1


def test_a_key_that_is_lost_is_never_replaced_while_it_wraps_something(
    vault: Vault, settings: Settings, new_case, clock
) -> None:
    item = sealed_item(vault, new_case(), b"content")
    key = settings.keys_folder / "vault.key"
    away = key.rename(key.with_suffix(".away"))
    with pytest.raises(StorageError, match="is missing: put back the copy"):
        prepare_keys(Keyring(settings), vault.database, pytest.fail)
    assert not key.exists()

    foreign = KeyFile(key)
    foreign.make()
    for use in (
        lambda: prepare_keys(Keyring(settings), vault.database, pytest.fail),
        lambda: sealed_item(Vault.over(settings, vault.database, clock), new_case(), b"other"),
        lambda: opened(vault, item),
    ):
        with pytest.raises(StorageError, match=r"Put back the right copy|put back the copy"):
            use()
    key.unlink()
    away.rename(key)
    assert opened(vault, item) == b"content"

    with vault.database.writing() as connection:
        shred(connection, item, clock)
    key.unlink()
    said: list[str] = []
    prepare_keys(Keyring(settings), vault.database, said.append)
    assert len(said) == 1


@pytest.mark.parametrize("content", [b"", b"{}", b"no keys", b'{"key": []}', b"\xff\xfe"])
def test_a_damaged_key_file_is_said_and_left_alone(
    settings: Settings, vault: Vault, content: bytes
) -> None:
    key = settings.keys_folder / "vault.key"
    key.write_bytes(content)
    with pytest.raises(StorageError, match=f"{key} is damaged or is no file of keys"):
        vault.check()
    assert key.read_bytes() == content


def test_a_key_file_that_others_may_read_is_refused(settings: Settings, vault: Vault) -> None:
    key = settings.keys_folder / "vault.key"
    key.chmod(0o644)
    with pytest.raises(StorageError, match=f'run "chmod 600 {key}"'):
        vault.check()
    key.chmod(0o600)
    vault.check()


def test_a_key_is_remembered_before_it_wraps_and_counts_as_used_once_it_does(
    vault: Vault, new_case
) -> None:
    with vault.database.reading() as connection:
        assert keys_in_use(connection) == set()
    sealed_item(vault, new_case(), b"content")
    with vault.database.reading() as connection:
        assert keys_in_use(connection) == set(vault.keyring.file.key_ids())
        assert connection.execute(select(vault_keys.c.retired_at)).scalars().all() == [None]
