-- Jobs are of a kind, and about a subject: of both together there is one job. Those
-- that are there are of the kind transcribe, about their message, and only these
-- have a message_id. An older version reads these alone, and a trigger has what
-- it still adds be one of them.

-- +goose Up
ALTER TABLE jobs ALTER COLUMN message_id DROP NOT NULL;
ALTER TABLE jobs ADD COLUMN kind TEXT COLLATE "C" NOT NULL DEFAULT 'transcribe';
ALTER TABLE jobs ADD COLUMN subject TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN args TEXT NOT NULL DEFAULT ''; -- JSON; empty for none, and when the job has ended
ALTER TABLE jobs ADD COLUMN reason TEXT NOT NULL DEFAULT ''; -- of the last failure
ALTER TABLE jobs ADD COLUMN ended_at BIGINT NOT NULL DEFAULT 0; -- 0: it is open, or ended before this column was there
UPDATE jobs SET subject = message_id;
ALTER TABLE jobs ADD CONSTRAINT jobs_kind_subject_key UNIQUE (kind, subject);

-- +goose StatementBegin
CREATE FUNCTION jobs_subject() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.subject := NEW.message_id;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER jobs_subject BEFORE INSERT ON jobs FOR EACH ROW WHEN (NEW.subject = '') EXECUTE FUNCTION jobs_subject();

DROP INDEX jobs_by_author;
DROP INDEX jobs_by_turn;
CREATE INDEX jobs_by_turn ON jobs (kind, priority, turn, id) WHERE state IN ('waiting', 'running');
CREATE INDEX jobs_by_author ON jobs (author_id, kind, priority, turn) WHERE state IN ('waiting', 'running');
CREATE INDEX jobs_ended ON jobs (ended_at) WHERE state IN ('done', 'failed') AND message_id IS NULL;

-- +goose Down
DELETE FROM jobs WHERE message_id IS NULL;
DROP INDEX jobs_ended;
DROP INDEX jobs_by_author;
DROP INDEX jobs_by_turn;
DROP TRIGGER jobs_subject ON jobs;
DROP FUNCTION jobs_subject();
ALTER TABLE jobs DROP COLUMN ended_at;
ALTER TABLE jobs DROP COLUMN reason;
ALTER TABLE jobs DROP COLUMN args;
ALTER TABLE jobs DROP COLUMN subject;
ALTER TABLE jobs DROP COLUMN kind;
ALTER TABLE jobs ALTER COLUMN message_id SET NOT NULL;
CREATE INDEX jobs_by_turn ON jobs (priority, turn, id) WHERE state IN ('waiting', 'running');
CREATE INDEX jobs_by_author ON jobs (author_id, priority, turn) WHERE state IN ('waiting', 'running');
