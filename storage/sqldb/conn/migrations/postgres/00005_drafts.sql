-- A message that is not sent is a draft, of which only its author may know.
-- Whatever is there has been sent when it came.

-- +goose Up
ALTER TABLE messages ADD COLUMN sent_at BIGINT; -- NULL: a draft
UPDATE messages SET sent_at = created_at;
CREATE INDEX messages_drafts ON messages (author_id, id) WHERE sent_at IS NULL;

-- +goose Down
-- A version that knows no drafts would show them to everybody.
DELETE FROM messages WHERE sent_at IS NULL;
DROP INDEX messages_drafts;
ALTER TABLE messages DROP COLUMN sent_at;
