-- Since when the speaker of a recording pauses; 0 while they speak.

-- +goose Up
ALTER TABLE recordings ADD COLUMN paused_at BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE recordings DROP COLUMN paused_at;
