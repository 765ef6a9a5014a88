-- What is known of a model beside its file, and who switched to it. Older servers go on: they read none of it.
-- The model it was adapted from, if any; it need not be in this table.
ALTER TABLE models ADD COLUMN parent TEXT;
ALTER TABLE models ADD COLUMN made_by TEXT;
-- How much it learned from, and what was measured when it was made: JSON.
ALTER TABLE models ADD COLUMN counts TEXT;
ALTER TABLE models ADD COLUMN figures TEXT;

ALTER TABLE model_activations ADD COLUMN made_by TEXT;
-- The activation that a step back went back to.
ALTER TABLE model_activations ADD COLUMN back_to INTEGER;
