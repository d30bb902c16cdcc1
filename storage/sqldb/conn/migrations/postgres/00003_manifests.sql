-- A message's manifest lies beside its objects. It is written again when what it
-- tells has changed: revision counts the changes, and manifest_revision is the
-- one that was written last.

-- +goose Up
ALTER TABLE messages ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE messages ADD COLUMN manifest_revision BIGINT NOT NULL DEFAULT 0;
CREATE INDEX messages_without_manifest ON messages (id) WHERE manifest_revision <> revision;

-- +goose Down
DROP INDEX messages_without_manifest;
ALTER TABLE messages DROP COLUMN manifest_revision;
ALTER TABLE messages DROP COLUMN revision;
