-- Published comments that were drawn for a moderator to look at. Older servers go on: they draw none.
CREATE TABLE samples (
    comment_id UUID NOT NULL PRIMARY KEY REFERENCES comments (id),
    site_id UUID NOT NULL REFERENCES sites (id),
    -- random, or uncertain: close to where it would have waited.
    kind TEXT NOT NULL,
    -- How likely such a comment was to be drawn, 0 to 1.
    probability DOUBLE PRECISION NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX samples_by_site ON samples (site_id, at);
