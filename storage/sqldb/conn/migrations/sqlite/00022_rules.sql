-- What a workspace lets its members do: members stands for everybody but guests, admins
-- for owners and admins. What a conversation shows of its past to who is added to it, and
-- from when on each of its members sees it: 0 means all of it. Events about a message
-- have when that was sent, so that they are told to those alone who see it; 0 where it is
-- not known.

-- +goose Up
ALTER TABLE workspaces ADD COLUMN invite_members TEXT NOT NULL DEFAULT 'admins' CHECK (invite_members IN ('members', 'admins'));
ALTER TABLE workspaces ADD COLUMN invite_guests TEXT NOT NULL DEFAULT 'admins' CHECK (invite_guests IN ('members', 'admins'));
ALTER TABLE workspaces ADD COLUMN create_channels TEXT NOT NULL DEFAULT 'members' CHECK (create_channels IN ('members', 'admins'));
ALTER TABLE workspaces ADD COLUMN see_directory TEXT NOT NULL DEFAULT 'members' CHECK (see_directory IN ('members', 'admins'));
ALTER TABLE conversations ADD COLUMN history TEXT NOT NULL DEFAULT 'all' CHECK (history IN ('all', 'from_joining'));
ALTER TABLE conversation_members ADD COLUMN shown_since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN sent_at BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE events DROP COLUMN sent_at;
ALTER TABLE conversation_members DROP COLUMN shown_since;
ALTER TABLE conversations DROP COLUMN history;
ALTER TABLE workspaces DROP COLUMN see_directory;
ALTER TABLE workspaces DROP COLUMN create_channels;
ALTER TABLE workspaces DROP COLUMN invite_guests;
ALTER TABLE workspaces DROP COLUMN invite_members;
