-- Models that score beside the live one and change nothing: one at a time. Older servers go on: they read none of it.
CREATE TABLE shadows (
    id BLOB NOT NULL PRIMARY KEY,
    version TEXT NOT NULL REFERENCES models (version),
    set_by TEXT NOT NULL,
    set_at INTEGER NOT NULL,
    ended_at INTEGER,
    -- The last event whose comment has its scores.
    tx INTEGER NOT NULL,
    seq INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX shadows_standing ON shadows ((ended_at IS NULL)) WHERE ended_at IS NULL;

-- What a shadow says of comments. No reference to these, which are never removed: it would lock each of them.
CREATE TABLE shadow_scores (
    shadow_id BLOB NOT NULL REFERENCES shadows (id),
    comment_id BLOB NOT NULL,
    -- When the text that was scored had last changed.
    edited_at INTEGER,
    toxicity REAL NOT NULL,
    insult REAL NOT NULL,
    threat REAL NOT NULL,
    identity_attack REAL NOT NULL,
    profanity REAL NOT NULL,
    spam REAL NOT NULL,
    PRIMARY KEY (shadow_id, comment_id)
) STRICT, WITHOUT ROWID;
