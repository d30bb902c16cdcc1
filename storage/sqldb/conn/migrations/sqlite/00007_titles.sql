-- A message is found by its title too: indexed_title is the one that the search
-- index has. Messages of one author are listed without passing over all others.

-- +goose Up
ALTER TABLE messages ADD COLUMN indexed_title TEXT NOT NULL DEFAULT '';
CREATE INDEX messages_by_author ON messages (author_id, doc);
CREATE INDEX messages_to_index ON messages (doc) WHERE title <> indexed_title;

-- +goose Down
DROP INDEX messages_to_index;
DROP INDEX messages_by_author;
ALTER TABLE messages DROP COLUMN indexed_title;
