-- Where a credential was used last and by what program; of a session, by which way
-- its user came in, the SHA-256 of what marks the browser, and when they last proved
-- who they are. Of a one-time code, method is that of the session it makes.

-- +goose Up
ALTER TABLE tokens ADD COLUMN method TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN agent TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN device TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN proved_at BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE tokens DROP COLUMN proved_at;
ALTER TABLE tokens DROP COLUMN device;
ALTER TABLE tokens DROP COLUMN agent;
ALTER TABLE tokens DROP COLUMN address;
ALTER TABLE tokens DROP COLUMN method;
