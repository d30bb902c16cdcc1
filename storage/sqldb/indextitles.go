package sqldb

import (
	"context"

	"hark/storage"
	"hark/storage/sqldb/search"
)

// titleBatch is how many messages are indexed by their titles in one transaction.
const titleBatch = 100

// IndexTitles has messages found by their titles whose index does not have
// them: those of a database from before titles were indexed. Any node may do
// so, and doing it twice changes nothing.
func (db *DB) IndexTitles(ctx context.Context) error {
	workspaces, err := db.Workspaces(ctx)
	if err != nil {
		return err
	}
	for _, w := range workspaces {
		for more := true; more; {
			if more, err = db.indexTitles(ctx, w.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// indexTitles does a batch, the newest messages first, and says whether there
// may be more. What is being spoken is indexed when it has ended, and a draft when it
// is sent.
func (db *DB) indexTitles(ctx context.Context, workspaceID string) (more bool, err error) {
	no, err := db.workspaceNo(ctx, workspaceID)
	if err != nil {
		return false, err
	}
	first, end := search.Docs(no)
	var ids []string
	list := func(ctx context.Context, s session) error {
		return s.List(ctx, &ids, `SELECT id FROM messages m WHERE title <> indexed_title AND doc >= ? AND doc < ? AND state <> ? AND sent_at IS NOT NULL AND `+notDeleted+`
			ORDER BY doc DESC LIMIT ?`, first, end, storage.Recording, titleBatch)
	}
	if err := db.read(ctx, "list titles to index", list); err != nil || len(ids) == 0 {
		return false, err // and nobody waits for a lock
	}
	err = db.change(ctx, "index titles", workspaceID, func(ctx context.Context, t *tx) error {
		if err := list(ctx, t.session); err != nil {
			return err
		}
		for _, id := range ids {
			if err := t.reindexTitle(ctx, id); err != nil {
				return err
			}
		}
		return nil
	})
	return err == nil && len(ids) == titleBatch, err
}
