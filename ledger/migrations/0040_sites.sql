-- +goose Up

-- Which addresses belong to a site, and how often it was written: who saves
-- says which version they looked at.
ALTER TABLE sites ADD COLUMN ranges  TEXT    NOT NULL DEFAULT '[]';
ALTER TABLE sites ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

-- Who put a machine where it stands: 'hand', 'layout', or '' when nobody did.
ALTER TABLE machines ADD COLUMN placed TEXT NOT NULL DEFAULT '';
UPDATE machines SET placed = 'hand' WHERE building <> '' OR container <> '' OR rack <> '' OR slot <> '';
