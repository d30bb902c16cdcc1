-- What a person sent today, and what a workspace stores. Triggers keep the
-- second, whichever version writes, and whether a row or a conversation goes.

-- +goose Up
CREATE TABLE usage (
  user_id TEXT   PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  day     BIGINT NOT NULL, -- from 1970, in UTC
  bytes   BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX messages_waiting ON messages (author_id) WHERE state = 'received';

ALTER TABLE workspaces ADD COLUMN stored_bytes BIGINT NOT NULL DEFAULT 0;
UPDATE workspaces SET stored_bytes = (SELECT COALESCE(SUM(m.original_bytes + m.rendition_bytes), 0) FROM messages m WHERE m.workspace_no = workspaces.no);

-- +goose StatementBegin
CREATE TRIGGER messages_stored_insert AFTER INSERT ON messages WHEN NEW.original_bytes + NEW.rendition_bytes <> 0
BEGIN UPDATE workspaces SET stored_bytes = stored_bytes + NEW.original_bytes + NEW.rendition_bytes WHERE no = NEW.workspace_no; END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER messages_stored_update AFTER UPDATE OF original_bytes, rendition_bytes ON messages
  WHEN NEW.original_bytes + NEW.rendition_bytes <> OLD.original_bytes + OLD.rendition_bytes
BEGIN UPDATE workspaces SET stored_bytes = stored_bytes + NEW.original_bytes + NEW.rendition_bytes - OLD.original_bytes - OLD.rendition_bytes WHERE no = NEW.workspace_no; END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER messages_stored_delete AFTER DELETE ON messages WHEN OLD.original_bytes + OLD.rendition_bytes <> 0
BEGIN UPDATE workspaces SET stored_bytes = stored_bytes - OLD.original_bytes - OLD.rendition_bytes WHERE no = OLD.workspace_no; END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER messages_stored_delete;
DROP TRIGGER messages_stored_update;
DROP TRIGGER messages_stored_insert;
ALTER TABLE workspaces DROP COLUMN stored_bytes;
DROP INDEX messages_waiting;
DROP TABLE usage;
