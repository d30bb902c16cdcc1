-- What a credential is good for, and which it was made with: empty means all that
-- its user may do, and none. Since when a user is disabled; 0 means that they are not.

-- +goose Up
ALTER TABLE tokens ADD COLUMN scopes TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN parent_id TEXT NOT NULL DEFAULT '';
CREATE INDEX tokens_by_parent ON tokens (parent_id) WHERE parent_id <> '';
ALTER TABLE users ADD COLUMN disabled_at BIGINT NOT NULL DEFAULT 0;

-- +goose Down
UPDATE tokens SET ended_at = created_at WHERE scopes <> '' AND ended_at = 0; -- which would be good for all
ALTER TABLE users DROP COLUMN disabled_at;
DROP INDEX tokens_by_parent;
ALTER TABLE tokens DROP COLUMN parent_id;
ALTER TABLE tokens DROP COLUMN scopes;
