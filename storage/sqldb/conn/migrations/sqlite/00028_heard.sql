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
  message_id TEXT    NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  user_id    TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  spans      BLOB    NOT NULL DEFAULT x'', -- see package spans
  resume_ms  BIGINT  NOT NULL, -- where they were last
  done       BOOLEAN NOT NULL,
  heard_at   BIGINT  NOT NULL,
  PRIMARY KEY (message_id, user_id)
) WITHOUT ROWID;
CREATE INDEX heard_by_user ON heard (user_id);
UPDATE conversations SET sent_count = (SELECT COUNT(*) FROM messages m WHERE m.conversation_id = conversations.id AND m.sent_at IS NOT NULL AND m.state <> 'recording');
UPDATE conversation_members SET
  heard_doc = (SELECT COALESCE(MAX(m.doc), 0) FROM messages m WHERE m.conversation_id = conversation_members.conversation_id),
  heard_count = (SELECT c.sent_count FROM conversations c WHERE c.id = conversation_members.conversation_id);

-- +goose StatementBegin
CREATE TRIGGER messages_count_insert AFTER INSERT ON messages WHEN NEW.sent_at IS NOT NULL AND NEW.state <> 'recording' BEGIN
  UPDATE conversations SET sent_count = sent_count + 1 WHERE id = NEW.conversation_id;
  UPDATE conversation_members SET heard_count = heard_count + 1
    WHERE conversation_id = NEW.conversation_id AND (user_id = NEW.author_id OR heard_doc >= NEW.doc);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER messages_count_begin AFTER UPDATE OF sent_at, state ON messages
  WHEN NEW.sent_at IS NOT NULL AND NEW.state <> 'recording' AND (OLD.sent_at IS NULL OR OLD.state = 'recording')
BEGIN
  UPDATE conversations SET sent_count = sent_count + 1 WHERE id = NEW.conversation_id;
  UPDATE conversation_members SET heard_count = heard_count + 1
    WHERE conversation_id = NEW.conversation_id AND (user_id = NEW.author_id OR heard_doc >= NEW.doc);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER messages_count_end AFTER UPDATE OF sent_at, state ON messages
  WHEN OLD.sent_at IS NOT NULL AND OLD.state <> 'recording' AND (NEW.sent_at IS NULL OR NEW.state = 'recording')
BEGIN
  UPDATE conversations SET sent_count = sent_count - 1 WHERE id = OLD.conversation_id AND deleted_at = 0;
  UPDATE conversation_members SET heard_count = heard_count - 1
    WHERE conversation_id = OLD.conversation_id AND (user_id = OLD.author_id OR heard_doc >= OLD.doc
      OR EXISTS (SELECT 1 FROM heard h WHERE h.message_id = OLD.id AND h.user_id = conversation_members.user_id AND h.done));
  DELETE FROM heard WHERE message_id = OLD.id;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER messages_count_delete BEFORE DELETE ON messages WHEN OLD.sent_at IS NOT NULL AND OLD.state <> 'recording' BEGIN
  UPDATE conversations SET sent_count = sent_count - 1 WHERE id = OLD.conversation_id AND deleted_at = 0;
  UPDATE conversation_members SET heard_count = heard_count - 1
    WHERE conversation_id = OLD.conversation_id AND (user_id = OLD.author_id OR heard_doc >= OLD.doc
      OR EXISTS (SELECT 1 FROM heard h WHERE h.message_id = OLD.id AND h.user_id = conversation_members.user_id AND h.done));
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER members_count_insert AFTER INSERT ON conversation_members BEGIN
  UPDATE conversation_members SET
    heard_doc = (SELECT COALESCE(MAX(m.doc), 0) FROM messages m WHERE m.conversation_id = NEW.conversation_id),
    heard_count = (SELECT c.sent_count FROM conversations c WHERE c.id = NEW.conversation_id)
  WHERE conversation_id = NEW.conversation_id AND user_id = NEW.user_id;
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER members_count_insert;
DROP TRIGGER messages_count_delete;
DROP TRIGGER messages_count_end;
DROP TRIGGER messages_count_begin;
DROP TRIGGER messages_count_insert;
DROP TABLE heard;
ALTER TABLE conversation_members DROP COLUMN heard_count;
ALTER TABLE conversation_members DROP COLUMN heard_doc;
ALTER TABLE conversations DROP COLUMN sent_count;
