-- What a person sent today, and what a workspace stores. Triggers keep the
-- second, whichever version writes, and whether a row or a conversation goes.

-- +goose Up
CREATE TABLE usage (
  user_id TEXT   PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  day     BIGINT NOT NULL, -- from 1970, in UTC
  bytes   BIGINT NOT NULL
);
CREATE INDEX messages_waiting ON messages (author_id) WHERE state = 'received';

ALTER TABLE workspaces ADD COLUMN stored_bytes BIGINT NOT NULL DEFAULT 0;
UPDATE workspaces SET stored_bytes = (SELECT COALESCE(SUM(m.original_bytes + m.rendition_bytes), 0) FROM messages m WHERE m.workspace_no = workspaces.no);

-- A statement that changes many messages writes each workspace once.
-- +goose StatementBegin
CREATE FUNCTION messages_stored_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE workspaces w SET stored_bytes = w.stored_bytes + c.bytes
    FROM (SELECT workspace_no, SUM(original_bytes + rendition_bytes) AS bytes FROM added GROUP BY workspace_no) c
    WHERE w.no = c.workspace_no AND c.bytes <> 0;
  RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION messages_stored_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE workspaces w SET stored_bytes = w.stored_bytes - c.bytes
    FROM (SELECT workspace_no, SUM(original_bytes + rendition_bytes) AS bytes FROM gone GROUP BY workspace_no) c
    WHERE w.no = c.workspace_no AND c.bytes <> 0;
  RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION messages_stored_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE workspaces SET stored_bytes = stored_bytes + NEW.original_bytes + NEW.rendition_bytes - OLD.original_bytes - OLD.rendition_bytes
    WHERE no = NEW.workspace_no;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER messages_stored_insert AFTER INSERT ON messages REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION messages_stored_insert();
CREATE TRIGGER messages_stored_delete AFTER DELETE ON messages REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION messages_stored_delete();
CREATE TRIGGER messages_stored_update AFTER UPDATE OF original_bytes, rendition_bytes ON messages FOR EACH ROW
  WHEN (NEW.original_bytes + NEW.rendition_bytes <> OLD.original_bytes + OLD.rendition_bytes)
  EXECUTE FUNCTION messages_stored_update();

-- +goose Down
DROP TRIGGER messages_stored_update ON messages;
DROP TRIGGER messages_stored_delete ON messages;
DROP TRIGGER messages_stored_insert ON messages;
DROP FUNCTION messages_stored_update();
DROP FUNCTION messages_stored_delete();
DROP FUNCTION messages_stored_insert();
ALTER TABLE workspaces DROP COLUMN stored_bytes;
DROP INDEX messages_waiting;
DROP TABLE usage;
