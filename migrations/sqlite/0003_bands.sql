-- Bands are now taken from longer pieces of the text, six of them instead of sixteen, and what they were made of is kept
-- beside the signature of the comment that holds them. Those of comments that are already there cannot be told from
-- their signatures: until their exact text is posted again, only that is found, and nothing similar.
ALTER TABLE fingerprints ADD COLUMN anchors BLOB;
DELETE FROM fingerprint_bands;
