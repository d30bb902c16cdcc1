-- What may stand in columns that have few values, checked by the database as
-- well. A row that was let in with another value gets the one that it was
-- treated as, or that gives the least; a credential of no kind never let
-- anybody in, and is ended. Triggers check: SQLite adds no constraint to a table
-- that is there, and to build tables anew that others refer to risks their rows.

-- +goose Up
UPDATE users SET role = 'guest' WHERE role NOT IN ('owner', 'admin', 'member', 'guest');
UPDATE tokens SET kind = CASE WHEN kind IN ('api', 'session', 'sign_in') THEN kind ELSE 'session' END,
    ended_at = CASE WHEN ended_at = 0 THEN created_at ELSE ended_at END, expires_at = MAX(expires_at, 0)
  WHERE kind NOT IN ('api', 'session', 'sign_in') OR expires_at < 0;
UPDATE conversations SET kind = 'channel', title = CASE WHEN title = '' THEN 'Untitled' ELSE title END
  WHERE kind NOT IN ('channel', 'direct');
UPDATE recordings SET captions = 'private' WHERE captions NOT IN ('off', 'private', 'conversation');

-- +goose StatementBegin
CREATE TRIGGER users_role_insert BEFORE INSERT ON users WHEN NEW.role NOT IN ('owner', 'admin', 'member', 'guest')
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: users_role'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER users_role_update BEFORE UPDATE OF role ON users WHEN NEW.role NOT IN ('owner', 'admin', 'member', 'guest')
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: users_role'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER tokens_kind_insert BEFORE INSERT ON tokens WHEN NEW.kind NOT IN ('api', 'session', 'sign_in')
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: tokens_kind'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER tokens_kind_update BEFORE UPDATE OF kind ON tokens WHEN NEW.kind NOT IN ('api', 'session', 'sign_in')
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: tokens_kind'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER tokens_expires_at_insert BEFORE INSERT ON tokens WHEN NEW.expires_at < 0
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: tokens_expires_at'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER tokens_expires_at_update BEFORE UPDATE OF expires_at ON tokens WHEN NEW.expires_at < 0
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: tokens_expires_at'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER conversations_kind_insert BEFORE INSERT ON conversations WHEN NEW.kind NOT IN ('channel', 'direct')
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: conversations_kind'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER conversations_kind_update BEFORE UPDATE OF kind ON conversations WHEN NEW.kind NOT IN ('channel', 'direct')
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: conversations_kind'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER recordings_captions_insert BEFORE INSERT ON recordings WHEN NEW.captions NOT IN ('off', 'private', 'conversation')
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: recordings_captions'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER recordings_captions_update BEFORE UPDATE OF captions ON recordings WHEN NEW.captions NOT IN ('off', 'private', 'conversation')
BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: recordings_captions'); END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER recordings_captions_update;
DROP TRIGGER recordings_captions_insert;
DROP TRIGGER conversations_kind_update;
DROP TRIGGER conversations_kind_insert;
DROP TRIGGER tokens_expires_at_update;
DROP TRIGGER tokens_expires_at_insert;
DROP TRIGGER tokens_kind_update;
DROP TRIGGER tokens_kind_insert;
DROP TRIGGER users_role_update;
DROP TRIGGER users_role_insert;
