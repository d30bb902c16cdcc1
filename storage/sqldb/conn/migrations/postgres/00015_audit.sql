-- The audit log: a chain of rows a workspace, whose end the workspace's row keeps.

-- +goose Up
ALTER TABLE workspaces ADD COLUMN audit_count BIGINT NOT NULL DEFAULT 0;
ALTER TABLE workspaces ADD COLUMN audit_head TEXT NOT NULL DEFAULT '0000000000000000000000000000000000000000000000000000000000000000';
ALTER TABLE workspaces ADD COLUMN audit_at BIGINT NOT NULL DEFAULT 0; -- of the last row: times never go back

CREATE TABLE audit (
  workspace_no    BIGINT NOT NULL REFERENCES workspaces (no),
  seq             BIGINT NOT NULL,
  at              BIGINT NOT NULL,
  action          TEXT COLLATE "C" NOT NULL,
  actor_kind      TEXT COLLATE "C" NOT NULL,
  actor_id        TEXT COLLATE "C" NOT NULL,
  actor_name      TEXT COLLATE "C" NOT NULL,
  credential_id   TEXT COLLATE "C" NOT NULL,
  address         TEXT COLLATE "C" NOT NULL,
  agent           TEXT COLLATE "C" NOT NULL,
  target_kind     TEXT COLLATE "C" NOT NULL,
  target_id       TEXT COLLATE "C" NOT NULL,
  conversation_id TEXT COLLATE "C" NOT NULL,
  details         TEXT COLLATE "C" NOT NULL, -- JSON: text by name
  hash            TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (workspace_no, seq)
);
CREATE INDEX audit_by_time ON audit (workspace_no, at, seq);
CREATE INDEX audit_by_action ON audit (workspace_no, action, seq);
CREATE INDEX audit_by_actor ON audit (workspace_no, actor_id, seq);
CREATE INDEX audit_by_actor_action ON audit (workspace_no, actor_id, action, seq);
CREATE INDEX audit_by_target ON audit (workspace_no, target_id, seq);
CREATE INDEX audit_by_conversation ON audit (workspace_no, conversation_id, seq);

-- +goose Down
DROP TABLE audit;
ALTER TABLE workspaces DROP COLUMN audit_at;
ALTER TABLE workspaces DROP COLUMN audit_head;
ALTER TABLE workspaces DROP COLUMN audit_count;
