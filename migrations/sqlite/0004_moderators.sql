-- Who works the queue: leases of its items, accounts of moderators, their sessions, and groups of decisions.
ALTER TABLE queue ADD COLUMN claimed_by TEXT;
ALTER TABLE queue ADD COLUMN claimed_until INTEGER;
CREATE INDEX queue_by_claim ON queue (claimed_by) WHERE claimed_by IS NOT NULL;

CREATE INDEX decisions_by_group ON decisions (group_id) WHERE group_id IS NOT NULL;

CREATE TABLE moderators (
    name TEXT NOT NULL PRIMARY KEY,
    -- 'moderator' or 'admin'.
    role TEXT NOT NULL,
    -- Slugs of sites as a JSON array; ["*"] is all.
    sites TEXT NOT NULL,
    -- An argon2id hash; none until the first sign-in by a link.
    password TEXT,
    disabled INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One-time links, by the SHA-256 of what is in them.
CREATE TABLE sign_in_links (
    digest BLOB NOT NULL PRIMARY KEY,
    moderator TEXT NOT NULL REFERENCES moderators (name),
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Sessions, by the SHA-256 of the cookie.
CREATE TABLE sessions (
    id BLOB NOT NULL PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    moderator TEXT NOT NULL REFERENCES moderators (name),
    agent TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_moderator ON sessions (moderator);
