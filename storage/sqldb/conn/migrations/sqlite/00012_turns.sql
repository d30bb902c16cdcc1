-- Work is fair: turn orders the open jobs of a priority, and those of one author
-- (author_id) have turns one after the other. What waits already keeps the order
-- that it has among its author's.

-- +goose Up
ALTER TABLE jobs ADD COLUMN author_id TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN turn BIGINT NOT NULL DEFAULT 0;
UPDATE jobs SET author_id = (SELECT m.author_id FROM messages m WHERE m.id = jobs.message_id);
UPDATE jobs SET turn = numbered.n FROM
  (SELECT id, ROW_NUMBER() OVER (PARTITION BY priority, author_id ORDER BY run_at, id) - 1 AS n FROM jobs WHERE state IN ('waiting', 'running')) AS numbered
  WHERE numbered.id = jobs.id;
CREATE INDEX jobs_by_turn ON jobs (priority, turn, id) WHERE state IN ('waiting', 'running');
CREATE INDEX jobs_by_author ON jobs (author_id, priority, turn) WHERE state IN ('waiting', 'running');

-- +goose Down
DROP INDEX jobs_by_author;
DROP INDEX jobs_by_turn;
ALTER TABLE jobs DROP COLUMN turn;
ALTER TABLE jobs DROP COLUMN author_id;
