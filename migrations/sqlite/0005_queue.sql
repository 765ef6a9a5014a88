-- The queue grows up: search by an index, items by the harm they do, how long they have waited; answers to appeals, the weight of
-- reports, copies of what a moderator hid, and who looks at what.
PRAGMA defer_foreign_keys = ON;

-- The same table with a key that stays: the rows of one without may be numbered anew by VACUUM, and the index of words
-- goes by number.
CREATE TABLE queue_entries (
    entry INTEGER PRIMARY KEY,
    comment_id BLOB NOT NULL UNIQUE REFERENCES comments (id),
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
    -- When the comment was posted.
    created_at INTEGER NOT NULL,
    claimed_by TEXT,
    claimed_until INTEGER,
    -- When it entered the queue it is in; none means with the comment.
    entered_at INTEGER,
    -- The harm to be expected of it, in ten-thousandths of a point.
    harm INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO queue_entries (comment_id, site_id, thread_id, author_id, queue, priority, priority_parts, reason_bits, max_score,
    cluster_id, folded, created_at, claimed_by, claimed_until, harm)
SELECT comment_id, site_id, thread_id, author_id, queue, priority, priority_parts, reason_bits, max_score,
    cluster_id, folded, created_at, claimed_by, claimed_until,
    COALESCE((
        SELECT CAST(ROUND(15000 * threat + 12000 * identity_attack + 10000 * toxicity + 4000 * insult + 3000 * spam
            + 1000 * profanity) AS INTEGER)
        FROM scores WHERE scores.comment_id = queue.comment_id
    ), 0)
FROM queue ORDER BY comment_id;
DROP TABLE queue;
ALTER TABLE queue_entries RENAME TO queue;
CREATE INDEX queue_by_priority ON queue (site_id, queue, priority DESC, comment_id);
CREATE INDEX queue_by_harm ON queue (site_id, queue, harm DESC, comment_id);
CREATE INDEX queue_by_time ON queue (site_id, queue, created_at, comment_id);
CREATE INDEX queue_by_cluster ON queue (cluster_id, comment_id);
CREATE INDEX queue_by_claim ON queue (claimed_by) WHERE claimed_by IS NOT NULL;

-- Which words occur in which item. The text itself stays in the queue; triggers keep the two in step.
CREATE VIRTUAL TABLE queue_words USING fts5 (
    folded, content = 'queue', content_rowid = 'entry', tokenize = 'unicode61 remove_diacritics 0'
);
INSERT INTO queue_words (queue_words) VALUES ('rebuild');
CREATE TRIGGER queue_words_come AFTER INSERT ON queue
BEGIN
    INSERT INTO queue_words (rowid, folded) VALUES (new.entry, new.folded);
END;
CREATE TRIGGER queue_words_go AFTER DELETE ON queue
BEGIN
    INSERT INTO queue_words (queue_words, rowid, folded) VALUES ('delete', old.entry, old.folded);
END;
CREATE TRIGGER queue_words_change AFTER UPDATE OF folded ON queue WHEN old.folded <> new.folded
BEGIN
    INSERT INTO queue_words (queue_words, rowid, folded) VALUES ('delete', old.entry, old.folded);
    INSERT INTO queue_words (rowid, folded) VALUES (new.entry, new.folded);
END;

-- The decision that answered an appeal, and a comment's latest appeal.
ALTER TABLE appeals ADD COLUMN answer_id BLOB REFERENCES decisions (id);
UPDATE appeals SET answer_id = (
    SELECT d.id FROM decisions d
    WHERE d.comment_id = appeals.comment_id AND d.at >= appeals.at AND d.action IN ('approve', 'hide')
        AND NOT EXISTS (SELECT 1 FROM decisions u WHERE u.comment_id = d.comment_id AND u.undoes = d.id)
    ORDER BY d.at, d.id LIMIT 1
);
CREATE INDEX appeals_by_answer ON appeals (answer_id) WHERE answer_id IS NOT NULL;
ALTER TABLE comments ADD COLUMN appeal_id BLOB REFERENCES appeals (id);
UPDATE comments SET appeal_id = (
    SELECT a.id FROM appeals a WHERE a.comment_id = comments.id ORDER BY a.version DESC LIMIT 1
) WHERE id IN (SELECT comment_id FROM appeals);

-- How much a report counts, by how often its reporter was right before; half where nothing was known.
ALTER TABLE reports ADD COLUMN weight REAL NOT NULL DEFAULT 0.5;
CREATE INDEX reports_by_reporter ON reports (reporter_id, at);

-- A moderator hid the comment, and that stands.
ALTER TABLE fingerprints ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0;
UPDATE fingerprints SET hidden = 1 WHERE comment_id IN (
    SELECT c.id FROM decisions d JOIN comments c ON c.decision_id = d.id WHERE d.action = 'hide'
);
CREATE INDEX fingerprints_hidden ON fingerprints (cluster_id) WHERE hidden = 1;

-- What each moderator looks at, and until when that is believed.
CREATE TABLE presence (
    moderator TEXT NOT NULL PRIMARY KEY,
    comment_id BLOB NOT NULL REFERENCES comments (id),
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX presence_by_comment ON presence (comment_id);
-- Whom an event is about, where its comment does not say it.
ALTER TABLE events ADD COLUMN who TEXT;

-- At what pace a moderator decides.
CREATE INDEX decisions_by_moderator ON decisions (moderator, at);
