-- Jobs are of a kind, and about a subject: of both together there is one job. Those
-- that are there are of the kind transcribe, about their message, and only these
-- have a message_id.

-- +goose Up
CREATE TABLE jobs_by_kind (
  id              TEXT    PRIMARY KEY,
  workspace_no    BIGINT  NOT NULL REFERENCES workspaces (no),
  message_id      TEXT    UNIQUE REFERENCES messages (id) ON DELETE CASCADE,
  kind            TEXT    NOT NULL,
  subject         TEXT    NOT NULL,
  args            TEXT    NOT NULL DEFAULT '', -- JSON; empty for none, and when the job has ended
  priority        BIGINT  NOT NULL,
  author_id       TEXT    NOT NULL DEFAULT '',
  turn            BIGINT  NOT NULL DEFAULT 0,
  state           TEXT    NOT NULL,
  reason          TEXT    NOT NULL DEFAULT '', -- of the last failure
  have_transcript BOOLEAN NOT NULL DEFAULT FALSE,
  attempt         BIGINT  NOT NULL DEFAULT 0,
  tries           BIGINT  NOT NULL DEFAULT 0,
  lost            BIGINT  NOT NULL DEFAULT 0,
  worker          TEXT    NOT NULL DEFAULT '',
  lease_until     BIGINT  NOT NULL DEFAULT 0,
  run_at          BIGINT  NOT NULL,
  waiting_since   BIGINT  NOT NULL,
  published_at    BIGINT  NOT NULL DEFAULT 0,
  created_at      BIGINT  NOT NULL,
  ended_at        BIGINT  NOT NULL DEFAULT 0, -- 0: it is open, or ended before this column was there
  UNIQUE (kind, subject)
);
INSERT INTO jobs_by_kind (id, workspace_no, message_id, kind, subject, priority, author_id, turn, state, have_transcript,
    attempt, tries, lost, worker, lease_until, run_at, waiting_since, published_at, created_at)
  SELECT id, workspace_no, message_id, 'transcribe', message_id, priority, author_id, turn, state, have_transcript,
    attempt, tries, lost, worker, lease_until, run_at, waiting_since, published_at, created_at FROM jobs;
DROP TABLE jobs;
ALTER TABLE jobs_by_kind RENAME TO jobs;
CREATE INDEX jobs_open ON jobs (run_at) WHERE state IN ('waiting', 'running');
CREATE INDEX jobs_by_turn ON jobs (kind, priority, turn, id) WHERE state IN ('waiting', 'running');
CREATE INDEX jobs_by_author ON jobs (author_id, kind, priority, turn) WHERE state IN ('waiting', 'running');
CREATE INDEX jobs_ended ON jobs (ended_at) WHERE state IN ('done', 'failed') AND message_id IS NULL;

-- +goose Down
CREATE TABLE jobs_of_messages (
  id              TEXT    PRIMARY KEY,
  workspace_no    BIGINT  NOT NULL REFERENCES workspaces (no),
  message_id      TEXT    NOT NULL UNIQUE REFERENCES messages (id) ON DELETE CASCADE,
  priority        BIGINT  NOT NULL,
  state           TEXT    NOT NULL,
  attempt         BIGINT  NOT NULL DEFAULT 0,
  tries           BIGINT  NOT NULL DEFAULT 0,
  lost            BIGINT  NOT NULL DEFAULT 0,
  worker          TEXT    NOT NULL DEFAULT '',
  lease_until     BIGINT  NOT NULL DEFAULT 0,
  run_at          BIGINT  NOT NULL,
  waiting_since   BIGINT  NOT NULL,
  published_at    BIGINT  NOT NULL DEFAULT 0,
  created_at      BIGINT  NOT NULL,
  have_transcript BOOLEAN NOT NULL DEFAULT FALSE,
  author_id       TEXT    NOT NULL DEFAULT '',
  turn            BIGINT  NOT NULL DEFAULT 0
);
INSERT INTO jobs_of_messages (id, workspace_no, message_id, priority, author_id, turn, state, have_transcript,
    attempt, tries, lost, worker, lease_until, run_at, waiting_since, published_at, created_at)
  SELECT id, workspace_no, message_id, priority, author_id, turn, state, have_transcript,
    attempt, tries, lost, worker, lease_until, run_at, waiting_since, published_at, created_at FROM jobs WHERE message_id IS NOT NULL;
DROP TABLE jobs;
ALTER TABLE jobs_of_messages RENAME TO jobs;
CREATE INDEX jobs_open ON jobs (run_at) WHERE state IN ('waiting', 'running');
CREATE INDEX jobs_by_turn ON jobs (priority, turn, id) WHERE state IN ('waiting', 'running');
CREATE INDEX jobs_by_author ON jobs (author_id, priority, turn) WHERE state IN ('waiting', 'running');
