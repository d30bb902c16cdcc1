-- Invitations, by whose links people join: of the code in a link only the SHA-256 is
-- kept. By which one a user came; empty means that they came otherwise.

-- +goose Up
CREATE TABLE invitations (
  id           TEXT   PRIMARY KEY,
  workspace_no BIGINT NOT NULL REFERENCES workspaces (no),
  hash         TEXT   NOT NULL UNIQUE,
  role         TEXT   NOT NULL CHECK (role IN ('member', 'guest')),
  uses         BIGINT NOT NULL CHECK (uses > 0),
  used         BIGINT NOT NULL DEFAULT 0 CHECK (used BETWEEN 0 AND uses),
  created_by   TEXT   NOT NULL REFERENCES users (id),
  created_at   BIGINT NOT NULL,
  expires_at   BIGINT NOT NULL,
  revoked_at   BIGINT NOT NULL DEFAULT 0,
  email        TEXT   NOT NULL DEFAULT ''
);
CREATE INDEX invitations_by_workspace ON invitations (workspace_no, id);
CREATE INDEX invitations_by_maker ON invitations (created_by);

CREATE TABLE invitation_conversations (
  invitation_id   TEXT   NOT NULL REFERENCES invitations (id) ON DELETE CASCADE,
  conversation_id TEXT   NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  place           BIGINT NOT NULL, -- who joins opens the first
  PRIMARY KEY (invitation_id, conversation_id)
);
CREATE INDEX invitation_conversations_by_conversation ON invitation_conversations (conversation_id);

ALTER TABLE users ADD COLUMN invitation_id TEXT NOT NULL DEFAULT '';
CREATE INDEX users_by_invitation ON users (invitation_id, no) WHERE invitation_id <> '';
CREATE INDEX conversations_by_maker ON conversations (created_by); -- who is deactivated hands them over

-- +goose Down
DROP INDEX conversations_by_maker;
DROP INDEX users_by_invitation;
ALTER TABLE users DROP COLUMN invitation_id;
DROP TABLE invitation_conversations;
DROP TABLE invitations;
