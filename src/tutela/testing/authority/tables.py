"""The tables of the authority's SQLite file. Times are seconds since 1970.

Numbers of reports begin where time stands: whoever removes the folder to begin anew gets none that
an earlier one gave out, by which a house that still has one open would ask about another's report.
"""

TABLES = """
CREATE TABLE IF NOT EXISTS reports (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    state TEXT NOT NULL,
    user TEXT NOT NULL,
    document TEXT NOT NULL,
    opened_at REAL NOT NULL,
    changed_at REAL NOT NULL,
    ended_at REAL
);
CREATE INDEX IF NOT EXISTS open_reports ON reports (state) WHERE state = 'open';
CREATE TABLE IF NOT EXISTS files (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    report INTEGER NOT NULL REFERENCES reports (number),
    name TEXT NOT NULL,
    size INTEGER NOT NULL,
    md5 TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    uploaded_at REAL NOT NULL,
    details TEXT,
    times_detailed INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS files_of_a_report ON files (report);
CREATE TABLE IF NOT EXISTS calls (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    call TEXT NOT NULL,
    user TEXT,
    report INTEGER,
    code INTEGER,
    spoiling TEXT,
    took_effect INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS faults (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    fault TEXT NOT NULL,
    seen INTEGER NOT NULL DEFAULT 0,
    done INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS clock (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    forward REAL NOT NULL
);
INSERT OR IGNORE INTO clock VALUES (1, 0);
INSERT OR IGNORE INTO sqlite_sequence
    SELECT 'reports', (CAST(strftime('%s', 'now') AS INTEGER) - 1700000000) * 10
    WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'reports');
"""
