-- What each person heard of each message, and how many messages of each conversation
-- they have heard, which is told at once however long its history is. A message counts
-- once it was sent and is not being spoken any more (conversations.sent_count). Of it a
-- member has heard what is their own, what came up to heard_doc, and what they heard
-- enough of (heard.done); heard_count is how many messages that are. Triggers keep
-- both, whichever version writes. What was there before counts as heard.

-- +goose Up
ALTER TABLE conversations ADD COLUMN sent_count BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversation_members ADD COLUMN heard_doc BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversation_members ADD COLUMN heard_count BIGINT NOT NULL DEFAULT 0;
CREATE TABLE heard (
  message_id TEXT COLLATE "C" NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  user_id    TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  spans      BYTEA   NOT NULL DEFAULT '', -- see package spans
  resume_ms  BIGINT  NOT NULL, -- where they were last
  done       BOOLEAN NOT NULL,
  heard_at   BIGINT  NOT NULL,
  PRIMARY KEY (message_id, user_id)
);
CREATE INDEX heard_by_user ON heard (user_id);
UPDATE conversations c SET sent_count = n.n
  FROM (SELECT conversation_id, COUNT(*) AS n FROM messages WHERE sent_at IS NOT NULL AND state <> 'recording' GROUP BY conversation_id) n
  WHERE c.id = n.conversation_id;
UPDATE conversation_members me SET heard_count = c.sent_count,
  heard_doc = (SELECT COALESCE(MAX(m.doc), 0) FROM messages m WHERE m.conversation_id = me.conversation_id)
  FROM conversations c WHERE c.id = me.conversation_id;

-- The triggers are for each row, since few messages are sent or deleted at once: what is
-- purged in masses has no members any more. Those of what is stored come later, by name;
-- all change a workspace that is held.
-- +goose StatementBegin
CREATE FUNCTION messages_count_begin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE conversations SET sent_count = sent_count + 1 WHERE id = NEW.conversation_id;
  UPDATE conversation_members SET heard_count = heard_count + 1
    WHERE conversation_id = NEW.conversation_id AND (user_id = NEW.author_id OR heard_doc >= NEW.doc);
  RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION messages_count_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE conversations SET sent_count = sent_count - 1 WHERE id = OLD.conversation_id AND deleted_at = 0;
  UPDATE conversation_members me SET heard_count = heard_count - 1
    WHERE conversation_id = OLD.conversation_id AND (user_id = OLD.author_id OR heard_doc >= OLD.doc
      OR EXISTS (SELECT 1 FROM heard h WHERE h.message_id = OLD.id AND h.user_id = me.user_id AND h.done));
  DELETE FROM heard WHERE message_id = OLD.id;
  RETURN OLD;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION members_count_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.heard_doc := (SELECT COALESCE(MAX(m.doc), 0) FROM messages m WHERE m.conversation_id = NEW.conversation_id);
  NEW.heard_count := (SELECT c.sent_count FROM conversations c WHERE c.id = NEW.conversation_id);
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER messages_count_insert AFTER INSERT ON messages FOR EACH ROW
  WHEN (NEW.sent_at IS NOT NULL AND NEW.state <> 'recording') EXECUTE FUNCTION messages_count_begin();
CREATE TRIGGER messages_count_begin AFTER UPDATE OF sent_at, state ON messages FOR EACH ROW
  WHEN (NEW.sent_at IS NOT NULL AND NEW.state <> 'recording' AND (OLD.sent_at IS NULL OR OLD.state = 'recording')) EXECUTE FUNCTION messages_count_begin();
CREATE TRIGGER messages_count_end AFTER UPDATE OF sent_at, state ON messages FOR EACH ROW
  WHEN (OLD.sent_at IS NOT NULL AND OLD.state <> 'recording' AND (NEW.sent_at IS NULL OR NEW.state = 'recording')) EXECUTE FUNCTION messages_count_end();
CREATE TRIGGER messages_count_delete BEFORE DELETE ON messages FOR EACH ROW
  WHEN (OLD.sent_at IS NOT NULL AND OLD.state <> 'recording') EXECUTE FUNCTION messages_count_end();
CREATE TRIGGER members_count_insert BEFORE INSERT ON conversation_members FOR EACH ROW EXECUTE FUNCTION members_count_insert();

-- +goose Down
DROP TRIGGER members_count_insert ON conversation_members;
DROP TRIGGER messages_count_delete ON messages;
DROP TRIGGER messages_count_end ON messages;
DROP TRIGGER messages_count_begin ON messages;
DROP TRIGGER messages_count_insert ON messages;
DROP FUNCTION members_count_insert();
DROP FUNCTION messages_count_end();
DROP FUNCTION messages_count_begin();
DROP TABLE heard;
ALTER TABLE conversation_members DROP COLUMN heard_count;
ALTER TABLE conversation_members DROP COLUMN heard_doc;
ALTER TABLE conversations DROP COLUMN sent_count;
