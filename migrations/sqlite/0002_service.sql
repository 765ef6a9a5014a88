-- What a site needs in production: lists by change, revisions, reports, sanctions, idempotency keys.

-- The name people see, and how often the policy was changed: what is compiled of it is kept as long as that number.
ALTER TABLE sites ADD COLUMN name TEXT;
ALTER TABLE sites ADD COLUMN policy_version INTEGER NOT NULL DEFAULT 1;

-- When anything of a comment last changed, for who keeps in step.
ALTER TABLE comments ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0;
UPDATE comments SET changed_at = MAX(
    created_at, COALESCE(edited_at, 0),
    COALESCE((SELECT MAX(at) FROM decisions WHERE decisions.comment_id = comments.id), 0)
);
CREATE INDEX comments_by_change ON comments (site_id, changed_at, id);
CREATE INDEX threads_by_time ON threads (site_id, created_at, id);

-- What a comment said before each edit: the text of that version.
CREATE TABLE revisions (
    comment_id BLOB NOT NULL REFERENCES comments (id),
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    -- When it was replaced.
    at INTEGER NOT NULL,
    PRIMARY KEY (comment_id, version)
) STRICT, WITHOUT ROWID;

-- Readers' reports, one for each reporter and comment, with the text as they saw it.
CREATE TABLE reports (
    id BLOB NOT NULL PRIMARY KEY,
    comment_id BLOB NOT NULL REFERENCES comments (id),
    reporter_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    note TEXT,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (comment_id, reporter_id)
) STRICT;

-- Authors who asked for another look, with what they say.
CREATE TABLE appeals (
    id BLOB NOT NULL PRIMARY KEY,
    comment_id BLOB NOT NULL REFERENCES comments (id),
    text TEXT NOT NULL,
    -- The decision appealed against, if a human made one; one appeal for each version.
    decision_id BLOB REFERENCES decisions (id),
    version INTEGER NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (comment_id, version)
) STRICT;

-- Measures against authors. One is in force until it is lifted or its end comes.
CREATE TABLE sanctions (
    id BLOB NOT NULL PRIMARY KEY,
    site_id BLOB NOT NULL REFERENCES sites (id),
    author_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    until INTEGER,
    note TEXT,
    moderator TEXT NOT NULL,
    at INTEGER NOT NULL,
    lifted_at INTEGER,
    lifted_by TEXT
) STRICT;
CREATE INDEX sanctions_by_author ON sanctions (site_id, author_id, at, id);

-- What moderators tell one another about an author.
CREATE TABLE author_notes (
    id BLOB NOT NULL PRIMARY KEY,
    site_id BLOB NOT NULL REFERENCES sites (id),
    author_id TEXT NOT NULL,
    text TEXT NOT NULL,
    moderator TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX author_notes_by_author ON author_notes (site_id, author_id, at, id);

-- The first answer to a request with an Idempotency-Key, for a day. The id is a digest of site, method, path and key.
CREATE TABLE idempotency_keys (
    id TEXT NOT NULL PRIMARY KEY,
    -- A digest of the request's body.
    request TEXT NOT NULL,
    status INTEGER NOT NULL,
    answer TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_time ON idempotency_keys (at);

-- The same table without its reference to fingerprints, which was checked sixteen times a comment: bands are written
-- and deleted with their fingerprint, by two statements that stand beside one another.
CREATE TABLE bands (
    band INTEGER NOT NULL,
    comment_id BLOB NOT NULL,
    PRIMARY KEY (band, comment_id)
) STRICT, WITHOUT ROWID;
INSERT INTO bands SELECT band, comment_id FROM fingerprint_bands;
DROP TABLE fingerprint_bands;
ALTER TABLE bands RENAME TO fingerprint_bands;
