-- Quotas that owners set, whether the audit log records who plays what, and what each
-- person and workspace stores: triggers keep it, whichever version writes.

-- +goose Up
ALTER TABLE workspaces ADD COLUMN audit_listening BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE workspaces ADD COLUMN quota_stored BIGINT NOT NULL DEFAULT 0; -- 0: none
ALTER TABLE workspaces ADD COLUMN quota_day BIGINT NOT NULL DEFAULT 0;
ALTER TABLE workspaces ADD COLUMN quota_waiting BIGINT NOT NULL DEFAULT 0;
ALTER TABLE workspaces ADD COLUMN sound_ms BIGINT NOT NULL DEFAULT 0;
CREATE TABLE stored (
  user_id  TEXT   COLLATE "C" PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  bytes    BIGINT NOT NULL,
  sound_ms BIGINT NOT NULL
);
INSERT INTO stored (user_id, bytes, sound_ms)
  SELECT m.author_id, SUM(m.original_bytes + m.rendition_bytes), SUM(m.duration_ms) FROM messages m GROUP BY m.author_id;
UPDATE workspaces SET sound_ms = (SELECT COALESCE(SUM(m.duration_ms), 0) FROM messages m WHERE m.workspace_no = workspaces.no);

-- A statement that changes many messages writes each person once, in one order. The
-- triggers of what is stored come first, by name, and hold the workspace.
-- +goose StatementBegin
CREATE FUNCTION messages_z_kept_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE workspaces w SET sound_ms = w.sound_ms + c.ms
    FROM (SELECT workspace_no, SUM(duration_ms) AS ms FROM added GROUP BY workspace_no) c
    WHERE w.no = c.workspace_no AND c.ms <> 0;
  INSERT INTO stored (user_id, bytes, sound_ms)
    SELECT author_id, SUM(original_bytes + rendition_bytes), SUM(duration_ms) FROM added GROUP BY author_id ORDER BY author_id
    ON CONFLICT (user_id) DO UPDATE SET bytes = stored.bytes + excluded.bytes, sound_ms = stored.sound_ms + excluded.sound_ms;
  RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION messages_z_kept_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE workspaces w SET sound_ms = w.sound_ms - c.ms
    FROM (SELECT workspace_no, SUM(duration_ms) AS ms FROM gone GROUP BY workspace_no) c
    WHERE w.no = c.workspace_no AND c.ms <> 0;
  UPDATE stored s SET bytes = s.bytes - c.bytes, sound_ms = s.sound_ms - c.ms
    FROM (SELECT author_id, SUM(original_bytes + rendition_bytes) AS bytes, SUM(duration_ms) AS ms FROM gone GROUP BY author_id) c
    WHERE s.user_id = c.author_id;
  RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION messages_z_kept_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE workspaces SET sound_ms = sound_ms + NEW.duration_ms - OLD.duration_ms WHERE no = NEW.workspace_no AND NEW.duration_ms <> OLD.duration_ms;
  UPDATE stored SET bytes = bytes + NEW.original_bytes + NEW.rendition_bytes - OLD.original_bytes - OLD.rendition_bytes,
    sound_ms = sound_ms + NEW.duration_ms - OLD.duration_ms WHERE user_id = NEW.author_id;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER messages_z_kept_insert AFTER INSERT ON messages REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION messages_z_kept_insert();
CREATE TRIGGER messages_z_kept_delete AFTER DELETE ON messages REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION messages_z_kept_delete();
CREATE TRIGGER messages_z_kept_update AFTER UPDATE OF original_bytes, rendition_bytes, duration_ms ON messages FOR EACH ROW
  WHEN (NEW.original_bytes + NEW.rendition_bytes <> OLD.original_bytes + OLD.rendition_bytes OR NEW.duration_ms <> OLD.duration_ms)
  EXECUTE FUNCTION messages_z_kept_update();

-- +goose Down
DROP TRIGGER messages_z_kept_update ON messages;
DROP TRIGGER messages_z_kept_delete ON messages;
DROP TRIGGER messages_z_kept_insert ON messages;
DROP FUNCTION messages_z_kept_update();
DROP FUNCTION messages_z_kept_delete();
DROP FUNCTION messages_z_kept_insert();
DROP TABLE stored;
ALTER TABLE workspaces DROP COLUMN sound_ms;
ALTER TABLE workspaces DROP COLUMN quota_waiting;
ALTER TABLE workspaces DROP COLUMN quota_day;
ALTER TABLE workspaces DROP COLUMN quota_stored;
ALTER TABLE workspaces DROP COLUMN audit_listening;
