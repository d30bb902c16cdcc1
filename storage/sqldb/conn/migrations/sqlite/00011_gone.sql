-- A deleted conversation is gone at once for everybody: it has no members, and
-- deleted_at says since when. What was said in it is purged in steps. And leases:
-- what one node does for all.

-- +goose Up
ALTER TABLE conversations ADD COLUMN deleted_at BIGINT NOT NULL DEFAULT 0; -- 0: it is there
CREATE INDEX conversations_deleted ON conversations (deleted_at, id) WHERE deleted_at > 0;

CREATE TABLE leases (
  name   TEXT   PRIMARY KEY,
  holder TEXT   NOT NULL,
  until  BIGINT NOT NULL
) WITHOUT ROWID;

-- +goose Down
DROP TABLE leases;

-- An older version would never purge what is left of deleted conversations.
DELETE FROM search_index WHERE rowid IN (SELECT m.doc FROM messages m JOIN conversations c ON c.id = m.conversation_id WHERE c.deleted_at > 0);
DELETE FROM search_docs WHERE doc IN (SELECT m.doc FROM messages m JOIN conversations c ON c.id = m.conversation_id WHERE c.deleted_at > 0);
DELETE FROM lexicon WHERE EXISTS
  (SELECT 1 FROM conversations c WHERE c.workspace_no = lexicon.workspace_no AND c.no = lexicon.conversation_no AND c.deleted_at > 0);
DELETE FROM conversations WHERE deleted_at > 0;
DROP INDEX conversations_deleted;
ALTER TABLE conversations DROP COLUMN deleted_at;
