-- The parts of a user's name, folded, by which it is looked for, each behind a space; and
-- the name that they were made of: where that is another, they say nothing.

-- +goose Up
ALTER TABLE users ADD COLUMN sought TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN sought_of TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE users DROP COLUMN sought_of;
ALTER TABLE users DROP COLUMN sought;
