-- Integrations: programs that take part in a workspace as users of a kind of their own,
-- with what they are for and who made them; empty where whoever runs the server did. A
-- node of the version before takes one for a person of its role, who has no way in: what it
-- might give one, which is for people alone, the database refuses.

-- +goose Up
ALTER TABLE users ADD COLUMN kind TEXT NOT NULL DEFAULT 'person'
  CHECK (kind = 'person' OR kind = 'integration' AND role IN ('member', 'guest') AND account_id IS NULL);
ALTER TABLE users ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN made_by TEXT NOT NULL DEFAULT '';
CREATE INDEX users_integrations ON users (workspace_no, no) WHERE kind = 'integration';

-- +goose Down
DROP INDEX users_integrations;
ALTER TABLE users DROP COLUMN made_by;
ALTER TABLE users DROP COLUMN description;
ALTER TABLE users DROP COLUMN kind;
