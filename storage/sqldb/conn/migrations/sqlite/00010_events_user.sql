-- Whose event it is, where it is one person's; empty where it is not. The audience
-- still names them too, for older versions that read beside this one.

-- +goose Up
ALTER TABLE events ADD COLUMN user_id TEXT NOT NULL DEFAULT '';
UPDATE events SET user_id = SUBSTR(audience, 2, LENGTH(audience) - 2)
  WHERE audience LIKE ',%,' AND LENGTH(audience) - LENGTH(REPLACE(audience, ',', '')) = 2;

-- +goose Down
ALTER TABLE events DROP COLUMN user_id;
