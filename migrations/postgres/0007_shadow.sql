-- Models that score beside the live one and change nothing: one at a time. Older servers go on: they read none of it.
CREATE TABLE shadows (
    id UUID NOT NULL PRIMARY KEY,
    version TEXT NOT NULL REFERENCES models (version),
    set_by TEXT NOT NULL,
    set_at BIGINT NOT NULL,
    ended_at BIGINT,
    -- The last event whose comment has its scores.
    tx BIGINT NOT NULL,
    seq BIGINT NOT NULL
);
CREATE UNIQUE INDEX shadows_standing ON shadows ((ended_at IS NULL)) WHERE ended_at IS NULL;

-- What a shadow says of comments. No reference to these, which are never removed: it would lock each of them.
CREATE TABLE shadow_scores (
    shadow_id UUID NOT NULL REFERENCES shadows (id),
    comment_id UUID NOT NULL,
    -- When the text that was scored had last changed.
    edited_at BIGINT,
    toxicity DOUBLE PRECISION NOT NULL,
    insult DOUBLE PRECISION NOT NULL,
    threat DOUBLE PRECISION NOT NULL,
    identity_attack DOUBLE PRECISION NOT NULL,
    profanity DOUBLE PRECISION NOT NULL,
    spam DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (shadow_id, comment_id)
);
