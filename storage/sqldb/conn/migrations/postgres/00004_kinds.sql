-- What may stand in columns that have few values, checked by the database as
-- well. A row that was let in with another value gets the one that it was
-- treated as, or that gives the least; a credential of no kind never let
-- anybody in, and is ended.

-- +goose Up
ALTER TABLE users ADD CONSTRAINT users_role CHECK (role IN ('owner', 'admin', 'member', 'guest')) NOT VALID;
ALTER TABLE tokens ADD CONSTRAINT tokens_kind CHECK (kind IN ('api', 'session', 'sign_in')) NOT VALID;
ALTER TABLE tokens ADD CONSTRAINT tokens_expires_at CHECK (expires_at >= 0) NOT VALID;
ALTER TABLE conversations ADD CONSTRAINT conversations_kind CHECK (kind IN ('channel', 'direct')) NOT VALID;
ALTER TABLE recordings ADD CONSTRAINT recordings_captions CHECK (captions IN ('off', 'private', 'conversation')) NOT VALID;

UPDATE users SET role = 'guest' WHERE role NOT IN ('owner', 'admin', 'member', 'guest');
UPDATE tokens SET kind = CASE WHEN kind IN ('api', 'session', 'sign_in') THEN kind ELSE 'session' END,
    ended_at = CASE WHEN ended_at = 0 THEN created_at ELSE ended_at END, expires_at = GREATEST(expires_at, 0)
  WHERE kind NOT IN ('api', 'session', 'sign_in') OR expires_at < 0;
UPDATE conversations SET kind = 'channel', title = CASE WHEN title = '' THEN 'Untitled' ELSE title END
  WHERE kind NOT IN ('channel', 'direct');
UPDATE recordings SET captions = 'private' WHERE captions NOT IN ('off', 'private', 'conversation');

ALTER TABLE users VALIDATE CONSTRAINT users_role;
ALTER TABLE tokens VALIDATE CONSTRAINT tokens_kind;
ALTER TABLE tokens VALIDATE CONSTRAINT tokens_expires_at;
ALTER TABLE conversations VALIDATE CONSTRAINT conversations_kind;
ALTER TABLE recordings VALIDATE CONSTRAINT recordings_captions;

-- +goose Down
ALTER TABLE recordings DROP CONSTRAINT recordings_captions;
ALTER TABLE conversations DROP CONSTRAINT conversations_kind;
ALTER TABLE tokens DROP CONSTRAINT tokens_expires_at;
ALTER TABLE tokens DROP CONSTRAINT tokens_kind;
ALTER TABLE users DROP CONSTRAINT users_role;
