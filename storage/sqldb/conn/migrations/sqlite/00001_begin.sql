-- Times are UTC milliseconds; 0 means never. Ids are UUIDv7 text. A message's
-- doc is workspace_no<<40 | its number in the workspace, so that a workspace is
-- one range of the search index; numbers never leave the database.

-- +goose Up
CREATE TABLE instance (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO instance (name, value) VALUES ('cursor_key', lower(hex(randomblob(32))));

CREATE TABLE workspaces (
  no                INTEGER PRIMARY KEY,
  id                TEXT   NOT NULL UNIQUE,
  name              TEXT   NOT NULL,
  created_at        BIGINT NOT NULL,
  last_event        BIGINT NOT NULL DEFAULT 0,
  swept_event       BIGINT NOT NULL DEFAULT 0,
  last_message      BIGINT NOT NULL DEFAULT 0,
  last_conversation BIGINT NOT NULL DEFAULT 0,
  last_user         BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE users (
  id           TEXT   PRIMARY KEY,
  workspace_no BIGINT NOT NULL REFERENCES workspaces (no),
  no           BIGINT NOT NULL,
  name         TEXT   NOT NULL,
  role         TEXT   NOT NULL,
  created_at   BIGINT NOT NULL,
  UNIQUE (workspace_no, no)
);

CREATE TABLE tokens (
  id           TEXT   PRIMARY KEY,
  user_id      TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  kind         TEXT   NOT NULL,
  name         TEXT   NOT NULL,
  hash         TEXT   NOT NULL UNIQUE,
  created_at   BIGINT NOT NULL,
  last_used_at BIGINT NOT NULL DEFAULT 0,
  expires_at   BIGINT NOT NULL DEFAULT 0,
  ended_at     BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX tokens_by_user ON tokens (user_id, id);

CREATE TABLE conversations (
  id              TEXT   PRIMARY KEY,
  workspace_no    BIGINT NOT NULL REFERENCES workspaces (no),
  no              BIGINT NOT NULL,
  kind            TEXT   NOT NULL,
  title           TEXT   NOT NULL,
  created_by      TEXT   NOT NULL REFERENCES users (id),
  created_at      BIGINT NOT NULL,
  active_at       BIGINT NOT NULL,
  last_message_at BIGINT NOT NULL DEFAULT 0,
  UNIQUE (workspace_no, no)
);
CREATE INDEX conversations_by_activity ON conversations (workspace_no, active_at, id);

CREATE TABLE conversation_members (
  conversation_id TEXT   NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  user_id         TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  joined_at       BIGINT NOT NULL,
  PRIMARY KEY (conversation_id, user_id)
) WITHOUT ROWID;
CREATE INDEX conversation_members_by_user ON conversation_members (user_id, conversation_id);

CREATE TABLE messages (
  id                 TEXT   PRIMARY KEY,
  doc                BIGINT NOT NULL UNIQUE,
  workspace_no       BIGINT NOT NULL REFERENCES workspaces (no),
  conversation_id    TEXT   NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  author_id          TEXT   NOT NULL REFERENCES users (id),
  title              TEXT   NOT NULL,
  reply_to           TEXT   NOT NULL,
  reply_at_ms        BIGINT NOT NULL,
  recorded_at        BIGINT NOT NULL,
  created_at         BIGINT NOT NULL,
  updated_at         BIGINT NOT NULL,
  state              TEXT   NOT NULL,
  failure_reason     TEXT   NOT NULL DEFAULT '',
  progress           REAL   NOT NULL DEFAULT 0,
  duration_ms        BIGINT NOT NULL,
  original_key       TEXT   NOT NULL,
  original_format    TEXT   NOT NULL,
  original_bytes     BIGINT NOT NULL,
  original_sha256    TEXT   NOT NULL,
  original_filename  TEXT   NOT NULL,
  rendition_key      TEXT   NOT NULL,
  rendition_type     TEXT   NOT NULL DEFAULT '',
  rendition_bytes    BIGINT NOT NULL DEFAULT 0,
  loudness           REAL,
  waveform           BLOB,
  transcript_version BIGINT NOT NULL DEFAULT 0,
  language           TEXT   NOT NULL DEFAULT ''
);
CREATE INDEX messages_by_conversation ON messages (conversation_id, doc);
CREATE INDEX messages_by_original ON messages (original_key);
CREATE INDEX messages_by_rendition ON messages (rendition_key);

CREATE TABLE idempotency_keys (
  user_id      TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  key          TEXT   NOT NULL,
  request_hash TEXT   NOT NULL,
  message_id   TEXT   NOT NULL,
  created_at   BIGINT NOT NULL,
  PRIMARY KEY (user_id, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE jobs (
  id            TEXT   PRIMARY KEY,
  workspace_no  BIGINT NOT NULL REFERENCES workspaces (no),
  message_id    TEXT   NOT NULL UNIQUE REFERENCES messages (id) ON DELETE CASCADE,
  priority      BIGINT NOT NULL,
  state         TEXT   NOT NULL,
  attempt       BIGINT NOT NULL DEFAULT 0,
  tries         BIGINT NOT NULL DEFAULT 0,
  lost          BIGINT NOT NULL DEFAULT 0,
  worker        TEXT   NOT NULL DEFAULT '',
  lease_until   BIGINT NOT NULL DEFAULT 0,
  run_at        BIGINT NOT NULL,
  waiting_since BIGINT NOT NULL,
  published_at  BIGINT NOT NULL DEFAULT 0,
  created_at    BIGINT NOT NULL
);
CREATE INDEX jobs_open ON jobs (run_at) WHERE state IN ('waiting', 'running');

CREATE TABLE transcripts (
  message_id TEXT   NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  version    BIGINT NOT NULL,
  language   TEXT   NOT NULL,
  engine     TEXT   NOT NULL,
  model      TEXT   NOT NULL,
  created_at BIGINT NOT NULL,
  body       BLOB   NOT NULL,
  PRIMARY KEY (message_id, version)
);

CREATE TABLE events (
  workspace_no    BIGINT NOT NULL REFERENCES workspaces (no),
  seq             BIGINT NOT NULL,
  type            TEXT   NOT NULL,
  conversation_id TEXT   NOT NULL,
  message_id      TEXT   NOT NULL,
  audience        TEXT   NOT NULL,
  data            TEXT   NOT NULL,
  at              BIGINT NOT NULL,
  PRIMARY KEY (workspace_no, seq)
) WITHOUT ROWID;

CREATE TABLE doomed_objects (
  key      TEXT   PRIMARY KEY,
  due_at   BIGINT NOT NULL,
  again_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX doomed_objects_by_time ON doomed_objects (due_at);

-- What a search reads of every hit that it ranks: kept narrow.
CREATE TABLE search_docs (
  doc             INTEGER PRIMARY KEY,
  workspace_no    BIGINT NOT NULL,
  conversation_no BIGINT NOT NULL,
  author_no       BIGINT NOT NULL,
  recorded_at     BIGINT NOT NULL,
  tokens          BIGINT NOT NULL,
  repeats         TEXT   NOT NULL
);

-- Tokens come folded from Go; ascii splits them at spaces and changes nothing.
CREATE VIRTUAL TABLE search_index USING fts5 (
  body, place,
  content = '', contentless_delete = 1, tokenize = 'ascii', prefix = '2 3 4'
);

CREATE TABLE lexicon (
  workspace_no    BIGINT NOT NULL,
  word            TEXT   NOT NULL,
  conversation_no BIGINT NOT NULL,
  messages        BIGINT NOT NULL,
  PRIMARY KEY (workspace_no, word, conversation_no)
) WITHOUT ROWID;
CREATE INDEX lexicon_by_conversation ON lexicon (workspace_no, conversation_no);

CREATE TABLE lexicon_trigrams (
  workspace_no BIGINT NOT NULL,
  trigram      TEXT   NOT NULL,
  word         TEXT   NOT NULL,
  PRIMARY KEY (workspace_no, trigram, word)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE lexicon_trigrams;
DROP TABLE lexicon;
DROP TABLE search_index;
DROP TABLE search_docs;
DROP TABLE doomed_objects;
DROP TABLE events;
DROP TABLE transcripts;
DROP TABLE jobs;
DROP TABLE idempotency_keys;
DROP TABLE messages;
DROP TABLE conversation_members;
DROP TABLE conversations;
DROP TABLE tokens;
DROP TABLE users;
DROP TABLE workspaces;
DROP TABLE instance;
