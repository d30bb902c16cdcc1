-- Profiles: where the objects of a user's picture and of the pronunciation of their name
-- lie (empty for none), their language (BCP 47), time zone (IANA) and quiet hours (JSON),
-- each empty where nothing was chosen. E-mail addresses that wait until they are confirmed,
-- one a user: code is the SHA-256 of the secret that was mailed; password is a PHC string
-- for who has no account yet. A node of the version before leaves both alone.

-- +goose Up
ALTER TABLE users ADD COLUMN picture TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN pronunciation TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN language TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN time_zone TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN quiet_hours TEXT NOT NULL DEFAULT '';

CREATE TABLE email_changes (
  user_id    TEXT COLLATE "C" PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  email      TEXT   NOT NULL,
  password   TEXT   NOT NULL DEFAULT '',
  code       TEXT COLLATE "C" NOT NULL UNIQUE,
  expires_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE email_changes;
ALTER TABLE users DROP COLUMN quiet_hours;
ALTER TABLE users DROP COLUMN time_zone;
ALTER TABLE users DROP COLUMN language;
ALTER TABLE users DROP COLUMN pronunciation;
ALTER TABLE users DROP COLUMN picture;
