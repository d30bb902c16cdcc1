-- Quotas that owners set, whether the audit log records who plays what, and what each
-- person and workspace stores: triggers keep it, whichever version writes.

-- +goose Up
ALTER TABLE workspaces ADD COLUMN audit_listening BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE workspaces ADD COLUMN quota_stored BIGINT NOT NULL DEFAULT 0; -- 0: none
ALTER TABLE workspaces ADD COLUMN quota_day BIGINT NOT NULL DEFAULT 0;
ALTER TABLE workspaces ADD COLUMN quota_waiting BIGINT NOT NULL DEFAULT 0;
ALTER TABLE workspaces ADD COLUMN sound_ms BIGINT NOT NULL DEFAULT 0;
CREATE TABLE stored (
  user_id  TEXT   PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  bytes    BIGINT NOT NULL,
  sound_ms BIGINT NOT NULL
) WITHOUT ROWID;
INSERT INTO stored (user_id, bytes, sound_ms)
  SELECT m.author_id, SUM(m.original_bytes + m.rendition_bytes), SUM(m.duration_ms) FROM messages m GROUP BY m.author_id;
UPDATE workspaces SET sound_ms = (SELECT COALESCE(SUM(m.duration_ms), 0) FROM messages m WHERE m.workspace_no = workspaces.no);

-- +goose StatementBegin
CREATE TRIGGER messages_kept_insert AFTER INSERT ON messages BEGIN
  UPDATE workspaces SET sound_ms = sound_ms + NEW.duration_ms WHERE no = NEW.workspace_no AND NEW.duration_ms <> 0;
  INSERT INTO stored (user_id, bytes, sound_ms) VALUES (NEW.author_id, NEW.original_bytes + NEW.rendition_bytes, NEW.duration_ms)
    ON CONFLICT (user_id) DO UPDATE SET bytes = stored.bytes + excluded.bytes, sound_ms = stored.sound_ms + excluded.sound_ms;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER messages_kept_update AFTER UPDATE OF original_bytes, rendition_bytes, duration_ms ON messages
  WHEN NEW.original_bytes + NEW.rendition_bytes <> OLD.original_bytes + OLD.rendition_bytes OR NEW.duration_ms <> OLD.duration_ms
BEGIN
  UPDATE workspaces SET sound_ms = sound_ms + NEW.duration_ms - OLD.duration_ms WHERE no = NEW.workspace_no AND NEW.duration_ms <> OLD.duration_ms;
  UPDATE stored SET bytes = bytes + NEW.original_bytes + NEW.rendition_bytes - OLD.original_bytes - OLD.rendition_bytes,
    sound_ms = sound_ms + NEW.duration_ms - OLD.duration_ms WHERE user_id = NEW.author_id;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER messages_kept_delete AFTER DELETE ON messages BEGIN
  UPDATE workspaces SET sound_ms = sound_ms - OLD.duration_ms WHERE no = OLD.workspace_no AND OLD.duration_ms <> 0;
  UPDATE stored SET bytes = bytes - OLD.original_bytes - OLD.rendition_bytes, sound_ms = sound_ms - OLD.duration_ms WHERE user_id = OLD.author_id;
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER messages_kept_delete;
DROP TRIGGER messages_kept_update;
DROP TRIGGER messages_kept_insert;
DROP TABLE stored;
ALTER TABLE workspaces DROP COLUMN sound_ms;
ALTER TABLE workspaces DROP COLUMN quota_waiting;
ALTER TABLE workspaces DROP COLUMN quota_day;
ALTER TABLE workspaces DROP COLUMN quota_stored;
ALTER TABLE workspaces DROP COLUMN audit_listening;
