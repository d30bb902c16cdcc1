-- The user as whom an account was signed in last: signing in leads to their workspace. When
-- whoever has a session last proved who they are by a way of their own, and not by one that
-- is a workspace's, such as a provider; 0 means not, or that it is not known.

-- +goose Up
ALTER TABLE accounts ADD COLUMN last_user_id TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN own_proved_at BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE tokens DROP COLUMN own_proved_at;
ALTER TABLE accounts DROP COLUMN last_user_id;
