package sqldb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	"hark/storage"
	"hark/storage/sqldb/conn"
)

// directKey names the people of a direct conversation, who never change. It is
// a hash, since Postgres indexes no text as long as 200 ids.
func directKey(members []string) string {
	sum := sha256.Sum256([]byte(strings.Join(members, ",")))
	return hex.EncodeToString(sum[:])
}

// directConversation finds the direct conversation of members, who are sorted,
// or makes it, of people to whom its maker may speak.
func (t *tx) directConversation(ctx context.Context, maker storage.Principal, title string, members []string) (id string, created bool, err error) {
	key := directKey(members)
	err = t.Get(ctx, &id, `SELECT id FROM conversations WHERE workspace_no = ? AND direct_key = ?`, t.workspaceNo, key)
	if err == nil || !errors.Is(err, storage.ErrNotFound) {
		return id, false, err
	}
	id, err = t.directWithoutKey(ctx, members)
	created = errors.Is(err, storage.ErrNotFound)
	if created {
		allowed := met(maker)
		if storage.MaySpeakToEveryone(maker) {
			allowed = statement{}
		}
		for _, m := range members {
			if _, err := t.addable(ctx, allowed, m); err != nil {
				return "", false, err
			}
		}
		id, err = t.createConversation(ctx, maker.UserID, storage.Direct, title, members)
	}
	if err != nil {
		return "", false, err
	}
	return id, created, t.setDirectKey(ctx, id, key)
}

func (t *tx) setDirectKey(ctx context.Context, id, key string) error {
	_, err := t.Exec(ctx, `UPDATE conversations SET direct_key = ? WHERE id = ?`, key, id)
	return err
}

// directWithoutKey finds a direct conversation of members from before there was
// one for the same people: of several, that in which something was said last.
func (t *tx) directWithoutKey(ctx context.Context, members []string) (id string, err error) {
	args := []any{t.workspaceNo, storage.Direct}
	for _, m := range members {
		args = append(args, m)
	}
	err = t.Get(ctx, &id, `SELECT c.id FROM conversations c JOIN conversation_members m ON m.conversation_id = c.id
		WHERE c.workspace_no = ? AND c.kind = ? AND c.direct_key IS NULL
		GROUP BY c.id, c.last_message_at
		HAVING SUM(CASE WHEN m.user_id IN `+conn.Tuples(1, len(members))+` THEN 1 ELSE -1 END) = ?
		ORDER BY c.last_message_at DESC, c.id LIMIT 1`, append(args, len(members))...)
	return id, err
}

// restoreDirectKey gives a direct conversation that is made again its key,
// unless another of the same people has it.
func (t *tx) restoreDirectKey(ctx context.Context, c storage.ManifestConversation) error {
	if c.Kind != storage.Direct {
		return nil
	}
	key := directKey(c.Members)
	_, err := t.Exec(ctx, `UPDATE conversations SET direct_key = ? WHERE id = ?
		AND NOT EXISTS (SELECT 1 FROM conversations o WHERE o.workspace_no = ? AND o.direct_key = ?)`, key, c.ID, t.workspaceNo, key)
	return err
}
