-- Identities: people as OpenID providers know them, by issuer and subject, each linked
-- to one user of a workspace. Of a session that began by one, the provider and its ID
-- token, by which the session there is ended when somebody signs out.

-- +goose Up
CREATE TABLE identities (
  id           TEXT PRIMARY KEY,
  workspace_no BIGINT NOT NULL REFERENCES workspaces (no),
  user_id      TEXT NOT NULL REFERENCES users (id),
  issuer       TEXT NOT NULL,
  subject      TEXT NOT NULL,
  email        TEXT   NOT NULL DEFAULT '',
  linked_at    BIGINT NOT NULL,
  last_used_at BIGINT NOT NULL DEFAULT 0,
  UNIQUE (workspace_no, issuer, subject)
);
CREATE INDEX identities_by_user ON identities (user_id);

CREATE TABLE provider_sessions (
  token_id    TEXT PRIMARY KEY REFERENCES tokens (id) ON DELETE CASCADE,
  identity_id TEXT NOT NULL,
  provider    TEXT   NOT NULL,
  id_token    TEXT   NOT NULL
);
CREATE INDEX provider_sessions_by_identity ON provider_sessions (identity_id);

-- +goose Down
DROP TABLE provider_sessions;
DROP TABLE identities;
