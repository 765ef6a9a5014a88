-- The queue grows up: search by an index, items by the harm they do, how long they have waited; answers to appeals, the weight of
-- reports, copies of what a moderator hid, and who looks at what.

-- All at once and first, in the order in which servers read them: waiting for one while holding another is a deadlock.
LOCK TABLE events, comments, fingerprints, appeals, reports, decisions, queue IN ACCESS EXCLUSIVE MODE;

-- When an item entered the queue it is in; none means with the comment.
ALTER TABLE queue ADD COLUMN entered_at BIGINT;
-- The harm to be expected of it, in ten-thousandths of a point.
ALTER TABLE queue ADD COLUMN harm BIGINT NOT NULL DEFAULT 0;
UPDATE queue SET harm = CAST(ROUND(15000 * threat + 12000 * identity_attack + 10000 * toxicity + 4000 * insult + 3000 * spam
    + 1000 * profanity) AS BIGINT)
FROM scores WHERE scores.comment_id = queue.comment_id;
CREATE INDEX queue_by_harm ON queue (site_id, queue, harm DESC, comment_id);

-- Which words occur in an item. Punctuation is taken out first: the parser would keep rapport_final.pdf in one piece. Stored, so
-- that a word nearly all have is no reason to parse them all.
ALTER TABLE queue ADD COLUMN words tsvector GENERATED ALWAYS AS (
    to_tsvector('simple', translate(folded, '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~«»‘’“”…–—', repeat(' ', 64)))
) STORED;
CREATE INDEX queue_by_words ON queue USING GIN (words);

-- The decision that answered an appeal, and a comment's latest appeal.
ALTER TABLE appeals ADD COLUMN answer_id UUID REFERENCES decisions (id);
UPDATE appeals SET answer_id = (
    SELECT d.id FROM decisions d
    WHERE d.comment_id = appeals.comment_id AND d.at >= appeals.at AND d.action IN ('approve', 'hide')
        AND NOT EXISTS (SELECT 1 FROM decisions u WHERE u.comment_id = d.comment_id AND u.undoes = d.id)
    ORDER BY d.at, d.id LIMIT 1
);
CREATE INDEX appeals_by_answer ON appeals (answer_id) WHERE answer_id IS NOT NULL;
ALTER TABLE comments ADD COLUMN appeal_id UUID REFERENCES appeals (id);
UPDATE comments SET appeal_id = (
    SELECT a.id FROM appeals a WHERE a.comment_id = comments.id ORDER BY a.version DESC LIMIT 1
) WHERE id IN (SELECT comment_id FROM appeals);

-- How much a report counts, by how often its reporter was right before; half where nothing was known.
ALTER TABLE reports ADD COLUMN weight DOUBLE PRECISION NOT NULL DEFAULT 0.5;
CREATE INDEX reports_by_reporter ON reports (reporter_id, at);

-- A moderator hid the comment, and that stands.
ALTER TABLE fingerprints ADD COLUMN hidden BIGINT NOT NULL DEFAULT 0;
UPDATE fingerprints SET hidden = 1 WHERE comment_id IN (
    SELECT c.id FROM decisions d JOIN comments c ON c.decision_id = d.id WHERE d.action = 'hide'
);
CREATE INDEX fingerprints_hidden ON fingerprints (cluster_id) WHERE hidden = 1;

-- What each moderator looks at, and until when that is believed.
CREATE TABLE presence (
    moderator TEXT NOT NULL PRIMARY KEY,
    comment_id UUID NOT NULL REFERENCES comments (id),
    until BIGINT NOT NULL
);
CREATE INDEX presence_by_comment ON presence (comment_id);
-- Whom an event is about, where its comment does not say it.
ALTER TABLE events ADD COLUMN who TEXT;

-- At what pace a moderator decides.
CREATE INDEX decisions_by_moderator ON decisions (moderator, at);
