-- Provisioning (SCIM): how identity providers know users, and the groups that they keep
-- here. A user without a row is known by the address of their account alone.

-- +goose Up
CREATE TABLE provisioned (
  user_id       TEXT COLLATE "C" PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  workspace_no  BIGINT NOT NULL REFERENCES workspaces (no),
  user_name     TEXT   NOT NULL,
  user_name_key TEXT COLLATE "C" NOT NULL,
  external_id   TEXT COLLATE "C" NOT NULL DEFAULT '',
  name          TEXT   NOT NULL DEFAULT '', -- that a provider gave last
  given_name    TEXT   NOT NULL DEFAULT '',
  family_name   TEXT   NOT NULL DEFAULT '',
  email         TEXT   NOT NULL DEFAULT '', -- that a provider gave last
  email_key     TEXT COLLATE "C" NOT NULL DEFAULT '',
  made          BOOLEAN NOT NULL DEFAULT FALSE, -- whether a provider made the user
  gave_account  BOOLEAN NOT NULL DEFAULT FALSE, -- whether the account was made with it
  removed_at    BIGINT NOT NULL DEFAULT 0,  -- 0: there
  changed_at    BIGINT NOT NULL,
  UNIQUE (workspace_no, user_name_key)
);
CREATE INDEX provisioned_by_external_id ON provisioned (workspace_no, external_id);

CREATE TABLE provisioned_groups (
  id           TEXT COLLATE "C" PRIMARY KEY,
  workspace_no BIGINT NOT NULL REFERENCES workspaces (no),
  no           BIGINT NOT NULL,             -- by the order in which they came
  name         TEXT   NOT NULL,
  name_key     TEXT COLLATE "C" NOT NULL,
  external_id  TEXT COLLATE "C" NOT NULL DEFAULT '',
  role         TEXT   NOT NULL DEFAULT '',  -- that its members get; empty for none
  created_at   BIGINT NOT NULL,
  changed_at   BIGINT NOT NULL,
  UNIQUE (workspace_no, no),
  UNIQUE (workspace_no, name_key)
);
CREATE TABLE provisioned_members (
  group_id TEXT COLLATE "C" NOT NULL REFERENCES provisioned_groups (id) ON DELETE CASCADE,
  user_id  TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  PRIMARY KEY (group_id, user_id)
);
CREATE INDEX provisioned_members_by_user ON provisioned_members (user_id);

-- +goose Down
DROP TABLE provisioned_members;
DROP TABLE provisioned_groups;
DROP TABLE provisioned;
