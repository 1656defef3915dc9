"""The peer's service: a matcher that does for each call what Meta's HMA does.

HMA (hasher-matcher-actioner) is a Flask application under gunicorn's own (synchronous) workers.
``GET /m/lookup`` asks the database which signal types are enabled, checks the hash, asks faiss's
``IndexBinaryMultiHash`` with the distances, asks the database for the contents that matched and
their banks, tosses each bank's coin, and answers JSON by a pydantic model. So does this, written
anew; where HMA has PostgreSQL through SQLAlchemy, this has SQLite without, which is quicker.

Run by ``gunicorn 'benchmarks.matcher:create(FOLDER)'``; the folder is made by ``prepare``.
"""

import random
import re
import sqlite3
from http import HTTPStatus
from pathlib import Path

import faiss
import numpy as np
from flask import Flask, abort, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, RootModel

from benchmarks.contenders import build_multi
from benchmarks.sets import MAX_DISTANCE, Hashes

_INDEX = "index.faiss"
_DATABASE = "matcher.sqlite3"
_PDQ = re.compile("[0-9a-f]{64}")


class _Lookup(BaseModel):
    signal: str
    signal_type: str
    seed: str | None = None


class _Match(BaseModel):
    bank_content_id: int
    distance: str


class _Answer(RootModel[dict[str, list[_Match]]]):
    pass


def prepare(folder: Path, values: Hashes) -> None:
    """Write the index and the database of a list; content numbers are rows."""
    folder.mkdir()
    faiss.write_index_binary(build_multi(values), str(folder / _INDEX))
    with sqlite3.connect(folder / _DATABASE) as database:
        database.executescript(
            "CREATE TABLE signal_type (name TEXT PRIMARY KEY, enabled_ratio REAL);"
            "CREATE TABLE bank (id INTEGER PRIMARY KEY, name TEXT, matching_enabled_ratio REAL);"
            "CREATE TABLE content (id INTEGER PRIMARY KEY, bank INTEGER, disable_until INTEGER);"
            "INSERT INTO signal_type VALUES ('pdq', 1.0), ('video_md5', 1.0);"
            "INSERT INTO bank VALUES (1, 'BENCH', 1.0);"
        )
        rows = ((row,) for row in range(len(values)))
        database.executemany("INSERT INTO content VALUES (?, 1, 0)", rows)


def create(folder: str) -> Flask:
    """The application, with an index of its own in each worker."""
    app = Flask(__name__)
    faiss.omp_set_num_threads(1)
    index = faiss.read_index_binary(str(Path(folder) / _INDEX))
    database = sqlite3.connect(Path(folder) / _DATABASE, check_same_thread=False)

    @app.get("/m/lookup")
    def look_up() -> ResponseReturnValue:
        query = _Lookup.model_validate(request.args.to_dict())
        ratios = dict(database.execute("SELECT name, enabled_ratio FROM signal_type"))
        if not ratios.get(query.signal_type):
            abort(HTTPStatus.BAD_REQUEST, "no such signal type")
        if not _PDQ.fullmatch(query.signal):
            abort(HTTPStatus.BAD_REQUEST, "invalid signal")
        distances = _find(index, query.signal)
        return jsonify(_banks_of(database, distances, query.seed).model_dump())

    return app


def _find(index: faiss.IndexBinary, signal: str) -> dict[int, str]:
    vector = np.frombuffer(bytes.fromhex(signal), np.uint8).reshape(1, 32)
    # faiss gives what is nearer than the radius.
    _, distances, rows = index.range_search(vector, MAX_DISTANCE + 1)
    return {int(row): str(int(distance)) for row, distance in zip(rows, distances, strict=True)}


def _banks_of(database: sqlite3.Connection, distances: dict[int, str], seed: str | None) -> _Answer:
    places = ",".join("?" * len(distances))
    contents = database.execute(
        "SELECT content.id, bank.name, bank.matching_enabled_ratio FROM content"
        " JOIN bank ON bank.id = content.bank"
        f" WHERE content.disable_until = 0 AND content.id IN ({places})",
        list(distances),
    ).fetchall()
    coin = random.Random(seed).random()
    found: dict[str, list[_Match]] = {}
    for content, bank, ratio in contents:
        if ratio >= coin:
            match = _Match(bank_content_id=content, distance=distances[content])
            found.setdefault(bank, []).append(match)
    return _Answer(found)
