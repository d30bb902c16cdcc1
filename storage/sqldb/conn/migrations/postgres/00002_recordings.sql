-- A recording is a message that is being spoken. Its node renews the lease; when
-- it does not, another node finishes the recording. The row goes when it is finished.

-- +goose Up
CREATE TABLE recordings (
  message_id   TEXT COLLATE "C" PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
  workspace_no BIGINT NOT NULL REFERENCES workspaces (no),
  node         TEXT COLLATE "C" NOT NULL,
  lease_until  BIGINT NOT NULL,
  begun_at     BIGINT NOT NULL,
  captions     TEXT   NOT NULL
);

ALTER TABLE messages ADD COLUMN end_reason TEXT NOT NULL DEFAULT '';

-- The transcript was made while the message was spoken: the job makes the rest.
ALTER TABLE jobs ADD COLUMN have_transcript BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE jobs DROP COLUMN have_transcript;
ALTER TABLE messages DROP COLUMN end_reason;
DROP TABLE recordings;
