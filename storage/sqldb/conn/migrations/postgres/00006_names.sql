-- Whether somebody chose the names of a workspace and its people; the
-- conversation that everybody joins who is added; and one direct conversation
-- for the same people: direct_key is a hash of who they are, which a conversation
-- from before gets when it is asked for again.

-- +goose Up
ALTER TABLE workspaces ADD COLUMN named BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE workspaces ADD COLUMN general_id TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN named BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE conversations ADD COLUMN direct_key TEXT;
CREATE UNIQUE INDEX conversations_by_people ON conversations (workspace_no, direct_key);

-- The names that the first start gave.
UPDATE workspaces SET named = FALSE WHERE name = 'Hark';
UPDATE users SET named = FALSE WHERE name = 'Owner' AND role = 'owner';

-- A conversation of that name is the one for everybody only where everybody is in
-- it already: nobody is to find others where they were alone.
UPDATE workspaces SET general_id = COALESCE((SELECT MIN(c.id) FROM conversations c
  WHERE c.workspace_no = workspaces.no AND c.kind = 'channel' AND c.title = 'General'
  AND NOT EXISTS (SELECT 1 FROM users u WHERE u.workspace_no = workspaces.no AND u.role <> 'guest'
    AND NOT EXISTS (SELECT 1 FROM conversation_members m WHERE m.conversation_id = c.id AND m.user_id = u.id))
  AND (c.last_message_at = 0 OR (SELECT COUNT(*) FROM conversation_members m WHERE m.conversation_id = c.id) > 1)), '');

-- +goose Down
DROP INDEX conversations_by_people;
ALTER TABLE conversations DROP COLUMN direct_key;
ALTER TABLE users DROP COLUMN named;
ALTER TABLE workspaces DROP COLUMN general_id;
ALTER TABLE workspaces DROP COLUMN named;
