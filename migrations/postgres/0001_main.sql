-- Palabre on PostgreSQL. Times are unix milliseconds; ids are UUIDv7; booleans are 0 or 1.
-- migrations/sqlite holds the same tables under the same numbers and names.

CREATE TABLE sites (
    id UUID NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    policy TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE threads (
    id UUID NOT NULL PRIMARY KEY,
    site_id UUID NOT NULL REFERENCES sites (id),
    key TEXT NOT NULL,
    title TEXT,
    url TEXT,
    lang TEXT,
    closed BIGINT NOT NULL,
    mode TEXT,
    created_at BIGINT NOT NULL,
    UNIQUE (site_id, key)
);

-- What a site last said of a reader; mail and address are never shown to readers.
CREATE TABLE authors (
    site_id UUID NOT NULL REFERENCES sites (id),
    author_id TEXT NOT NULL,
    name TEXT NOT NULL,
    email TEXT,
    ip TEXT,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (site_id, author_id)
);

CREATE TABLE comments (
    id UUID NOT NULL PRIMARY KEY,
    site_id UUID NOT NULL REFERENCES sites (id),
    thread_id UUID NOT NULL REFERENCES threads (id),
    parent_id UUID REFERENCES comments (id),
    depth BIGINT NOT NULL,
    external_id TEXT,
    author_id TEXT NOT NULL,
    author_name TEXT NOT NULL,
    body TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    edited_at BIGINT,
    version BIGINT NOT NULL,
    -- The decision that stands, if a human made one.
    decision_id UUID
);
CREATE INDEX comments_by_thread ON comments (thread_id, status);
CREATE INDEX comments_by_author ON comments (site_id, author_id, status);
CREATE INDEX comments_by_parent ON comments (parent_id) WHERE parent_id IS NOT NULL;
CREATE UNIQUE INDEX comments_by_external_id ON comments (site_id, external_id) WHERE external_id IS NOT NULL;

-- What the machine said of a comment, and which model said it.
CREATE TABLE scores (
    comment_id UUID NOT NULL PRIMARY KEY REFERENCES comments (id),
    model TEXT NOT NULL,
    toxicity DOUBLE PRECISION NOT NULL,
    insult DOUBLE PRECISION NOT NULL,
    threat DOUBLE PRECISION NOT NULL,
    identity_attack DOUBLE PRECISION NOT NULL,
    profanity DOUBLE PRECISION NOT NULL,
    spam DOUBLE PRECISION NOT NULL,
    reasons TEXT NOT NULL,
    duplicate_of UUID REFERENCES comments (id),
    duplicate_kind TEXT,
    similarity DOUBLE PRECISION,
    -- Which spans of the text raised the scores, and which were set aside as quotes: JSON.
    highlights TEXT NOT NULL,
    quotes TEXT NOT NULL
);

CREATE TABLE fingerprints (
    comment_id UUID NOT NULL PRIMARY KEY REFERENCES comments (id),
    site_id UUID NOT NULL REFERENCES sites (id),
    exact BIGINT NOT NULL,
    -- A human's approval stands on the comment.
    approved BIGINT NOT NULL,
    signature BYTEA NOT NULL,
    cluster_id UUID NOT NULL
);
CREATE INDEX fingerprints_by_exact ON fingerprints (site_id, exact, comment_id);
CREATE INDEX fingerprints_by_cluster ON fingerprints (cluster_id, comment_id);
CREATE INDEX fingerprints_approved ON fingerprints (cluster_id) WHERE approved = 1;

-- Where to look for near copies: a row for each band of a signature. The site is mixed into the band.
CREATE TABLE fingerprint_bands (
    band BIGINT NOT NULL,
    comment_id UUID NOT NULL REFERENCES fingerprints (comment_id),
    PRIMARY KEY (band, comment_id)
);

-- One row for each item that waits for a moderator.
CREATE TABLE queue (
    comment_id UUID NOT NULL PRIMARY KEY REFERENCES comments (id),
    site_id UUID NOT NULL REFERENCES sites (id),
    thread_id UUID NOT NULL REFERENCES threads (id),
    author_id TEXT NOT NULL,
    queue TEXT NOT NULL,
    -- Priority in ten-thousandths of a point, then its parts as JSON.
    priority BIGINT NOT NULL,
    priority_parts TEXT NOT NULL,
    -- The set of reason codes, a bit each.
    reason_bits BIGINT NOT NULL,
    max_score DOUBLE PRECISION NOT NULL,
    cluster_id UUID,
    -- The body without case and accents, for search.
    folded TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX queue_by_priority ON queue (site_id, queue, priority DESC, comment_id);
CREATE INDEX queue_by_time ON queue (site_id, queue, created_at, comment_id);
CREATE INDEX queue_by_cluster ON queue (cluster_id, comment_id);

-- The audit log. Rows are added, never changed.
CREATE TABLE decisions (
    id UUID NOT NULL PRIMARY KEY,
    comment_id UUID NOT NULL REFERENCES comments (id),
    site_id UUID NOT NULL REFERENCES sites (id),
    thread_id UUID NOT NULL REFERENCES threads (id),
    action TEXT NOT NULL,
    reason TEXT,
    note TEXT,
    labels TEXT NOT NULL,
    moderator TEXT NOT NULL,
    at BIGINT NOT NULL,
    from_status TEXT NOT NULL,
    to_status TEXT NOT NULL,
    from_queue TEXT,
    to_queue TEXT,
    version BIGINT NOT NULL,
    replaces UUID REFERENCES decisions (id),
    undoes UUID REFERENCES decisions (id),
    group_id UUID
);
CREATE INDEX decisions_by_comment ON decisions (comment_id, at, id);
CREATE INDEX decisions_by_site ON decisions (site_id, at, id);
ALTER TABLE comments ADD FOREIGN KEY (decision_id) REFERENCES decisions (id);
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only';
END
$$;
CREATE TRIGGER decisions_are_not_changed BEFORE UPDATE OR DELETE ON decisions
FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What happened, in one order: by transaction, then seq. Numbers are given before a transaction commits and become
-- visible out of order, so a reader takes only rows whose tx is below pg_snapshot_xmin(pg_current_snapshot()): those
-- are all there, and none is added before them later.
CREATE TABLE events (
    tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
    seq BIGINT GENERATED ALWAYS AS IDENTITY,
    site_id UUID NOT NULL REFERENCES sites (id),
    kind TEXT NOT NULL,
    comment_id UUID NOT NULL REFERENCES comments (id),
    at BIGINT NOT NULL,
    PRIMARY KEY (tx, seq)
);

CREATE TABLE models (
    version TEXT NOT NULL PRIMARY KEY,
    checksum TEXT NOT NULL,
    -- 'shipped' with a release, or 'trained' here.
    origin TEXT NOT NULL,
    artefact BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

-- Each time a model went live; the last row is the live one.
CREATE TABLE model_activations (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version TEXT NOT NULL REFERENCES models (version),
    at BIGINT NOT NULL
);

CREATE TABLE signing_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    -- The one algorithm this key signs and verifies with.
    algorithm TEXT NOT NULL,
    secret BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);
