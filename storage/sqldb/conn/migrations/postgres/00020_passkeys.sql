-- Passkeys (WebAuthn credentials, in base64url), and of recovery codes the SHA-256:
-- one that was used is gone. A challenge that was answered is kept by its SHA-256
-- until it would have run out, so that nobody answers it twice, on any node.

-- +goose Up
CREATE TABLE passkeys (
  id              TEXT COLLATE "C" PRIMARY KEY,
  user_id         TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name            TEXT    NOT NULL,
  credential_id   TEXT COLLATE "C" NOT NULL UNIQUE, -- chosen by the authenticator
  public_key      TEXT    NOT NULL,
  sign_count      BIGINT  NOT NULL,
  backup_eligible BOOLEAN NOT NULL,
  backed_up       BOOLEAN NOT NULL,
  transports      TEXT    NOT NULL, -- with spaces between them
  created_at      BIGINT  NOT NULL,
  last_used_at    BIGINT  NOT NULL DEFAULT 0
);
CREATE INDEX passkeys_by_user ON passkeys (user_id, id);

CREATE TABLE recovery_codes (
  hash       TEXT COLLATE "C" PRIMARY KEY,
  user_id    TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX recovery_codes_by_user ON recovery_codes (user_id);

CREATE TABLE used_challenges (
  hash       TEXT COLLATE "C" PRIMARY KEY,
  expires_at BIGINT NOT NULL
);
CREATE INDEX used_challenges_by_expiry ON used_challenges (expires_at);

-- +goose Down
DROP TABLE used_challenges;
DROP TABLE recovery_codes;
DROP TABLE passkeys;
