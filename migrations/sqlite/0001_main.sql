-- Palabre on SQLite. Times are unix milliseconds; ids are 16-byte UUIDv7; booleans are 0 or 1.
-- migrations/postgres holds the same tables under the same numbers and names.

CREATE TABLE sites (
    id BLOB NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    policy TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE threads (
    id BLOB NOT NULL PRIMARY KEY,
    site_id BLOB NOT NULL REFERENCES sites (id),
    key TEXT NOT NULL,
    title TEXT,
    url TEXT,
    lang TEXT,
    closed INTEGER NOT NULL,
    mode TEXT,
    created_at INTEGER NOT NULL,
    UNIQUE (site_id, key)
) STRICT;

-- What a site last said of a reader; mail and address are never shown to readers.
CREATE TABLE authors (
    site_id BLOB NOT NULL REFERENCES sites (id),
    author_id TEXT NOT NULL,
    name TEXT NOT NULL,
    email TEXT,
    ip TEXT,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (site_id, author_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE comments (
    id BLOB NOT NULL PRIMARY KEY,
    site_id BLOB NOT NULL REFERENCES sites (id),
    thread_id BLOB NOT NULL REFERENCES threads (id),
    parent_id BLOB REFERENCES comments (id),
    depth INTEGER NOT NULL,
    external_id TEXT,
    author_id TEXT NOT NULL,
    author_name TEXT NOT NULL,
    body TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    edited_at INTEGER,
    version INTEGER NOT NULL,
    -- The decision that stands, if a human made one.
    decision_id BLOB REFERENCES decisions (id)
) STRICT;
CREATE INDEX comments_by_thread ON comments (thread_id, status);
CREATE INDEX comments_by_author ON comments (site_id, author_id, status);
CREATE INDEX comments_by_parent ON comments (parent_id) WHERE parent_id IS NOT NULL;
CREATE UNIQUE INDEX comments_by_external_id ON comments (site_id, external_id) WHERE external_id IS NOT NULL;

-- What the machine said of a comment, and which model said it.
CREATE TABLE scores (
    comment_id BLOB NOT NULL PRIMARY KEY REFERENCES comments (id),
    model TEXT NOT NULL,
    toxicity REAL NOT NULL,
    insult REAL NOT NULL,
    threat REAL NOT NULL,
    identity_attack REAL NOT NULL,
    profanity REAL NOT NULL,
    spam REAL NOT NULL,
    reasons TEXT NOT NULL,
    duplicate_of BLOB REFERENCES comments (id),
    duplicate_kind TEXT,
    similarity REAL,
    -- Which spans of the text raised the scores, and which were set aside as quotes: JSON.
    highlights TEXT NOT NULL,
    quotes TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE fingerprints (
    comment_id BLOB NOT NULL PRIMARY KEY REFERENCES comments (id),
    site_id BLOB NOT NULL REFERENCES sites (id),
    exact INTEGER NOT NULL,
    -- A human's approval stands on the comment.
    approved INTEGER NOT NULL,
    signature BLOB NOT NULL,
    cluster_id BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX fingerprints_by_exact ON fingerprints (site_id, exact, comment_id);
CREATE INDEX fingerprints_by_cluster ON fingerprints (cluster_id, comment_id);
CREATE INDEX fingerprints_approved ON fingerprints (cluster_id) WHERE approved = 1;

-- Where to look for near copies: a row for each band of a signature. The site is mixed into the band.
CREATE TABLE fingerprint_bands (
    band INTEGER NOT NULL,
    comment_id BLOB NOT NULL REFERENCES fingerprints (comment_id),
    PRIMARY KEY (band, comment_id)
) STRICT, WITHOUT ROWID;

-- One row for each item that waits for a moderator.
CREATE TABLE queue (
    comment_id BLOB NOT NULL PRIMARY KEY REFERENCES comments (id),
    site_id BLOB NOT NULL REFERENCES sites (id),
    thread_id BLOB NOT NULL REFERENCES threads (id),
    author_id TEXT NOT NULL,
    queue TEXT NOT NULL,
    -- Priority in ten-thousandths of a point, then its parts as JSON.
    priority INTEGER NOT NULL,
    priority_parts TEXT NOT NULL,
    -- The set of reason codes, a bit each.
    reason_bits INTEGER NOT NULL,
    max_score REAL NOT NULL,
    cluster_id BLOB,
    -- The body without case and accents, for search.
    folded TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX queue_by_priority ON queue (site_id, queue, priority DESC, comment_id);
CREATE INDEX queue_by_time ON queue (site_id, queue, created_at, comment_id);
CREATE INDEX queue_by_cluster ON queue (cluster_id, comment_id);

-- The audit log. Rows are added, never changed.
CREATE TABLE decisions (
    id BLOB NOT NULL PRIMARY KEY,
    comment_id BLOB NOT NULL REFERENCES comments (id),
    site_id BLOB NOT NULL REFERENCES sites (id),
    thread_id BLOB NOT NULL REFERENCES threads (id),
    action TEXT NOT NULL,
    reason TEXT,
    note TEXT,
    labels TEXT NOT NULL,
    moderator TEXT NOT NULL,
    at INTEGER NOT NULL,
    from_status TEXT NOT NULL,
    to_status TEXT NOT NULL,
    from_queue TEXT,
    to_queue TEXT,
    version INTEGER NOT NULL,
    replaces BLOB REFERENCES decisions (id),
    undoes BLOB REFERENCES decisions (id),
    group_id BLOB
) STRICT;
CREATE INDEX decisions_by_comment ON decisions (comment_id, at, id);
CREATE INDEX decisions_by_site ON decisions (site_id, at, id);
CREATE TRIGGER decisions_are_not_changed BEFORE UPDATE ON decisions
BEGIN
    SELECT RAISE (ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER decisions_are_not_deleted BEFORE DELETE ON decisions
BEGIN
    SELECT RAISE (ABORT, 'the audit log is append-only');
END;

-- What happened, in one order. Commits are serial on SQLite, so the order of seq is the order of commits.
CREATE TABLE events (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    site_id BLOB NOT NULL REFERENCES sites (id),
    kind TEXT NOT NULL,
    comment_id BLOB NOT NULL REFERENCES comments (id),
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE models (
    version TEXT NOT NULL PRIMARY KEY,
    checksum TEXT NOT NULL,
    -- 'shipped' with a release, or 'trained' here.
    origin TEXT NOT NULL,
    artefact BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Each time a model went live; the last row is the live one.
CREATE TABLE model_activations (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    version TEXT NOT NULL REFERENCES models (version),
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE signing_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    -- The one algorithm this key signs and verifies with.
    algorithm TEXT NOT NULL,
    secret BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
