-- Accounts: a person across workspaces, who signs in by e-mail. email_key is the
-- address with its case folded; password is a PHC string, empty for none. Who was
-- there before has no account.

-- +goose Up
CREATE TABLE accounts (
  id          TEXT COLLATE "C" PRIMARY KEY,
  email       TEXT   NOT NULL,
  email_key   TEXT COLLATE "C" NOT NULL UNIQUE,
  password    TEXT   NOT NULL DEFAULT '',
  created_at  BIGINT NOT NULL
);
ALTER TABLE users ADD COLUMN account_id TEXT COLLATE "C";
CREATE UNIQUE INDEX users_by_account ON users (account_id, workspace_no) WHERE account_id IS NOT NULL;

-- +goose Down
DROP INDEX users_by_account;
ALTER TABLE users DROP COLUMN account_id;
DROP TABLE accounts;
