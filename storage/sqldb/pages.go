package sqldb

import (
	"context"

	"hark/storage"
	"hark/storage/sqldb/cursor"
)

// cursors returns the seal of this instance, reading its key the first time.
func (db *DB) cursors(ctx context.Context) (*cursor.Seal, error) {
	db.sealMu.Lock()
	defer db.sealMu.Unlock()
	if db.seal != nil {
		return db.seal, nil
	}
	key, err := db.secret(ctx, cursorKey)
	if err != nil {
		return nil, err
	}
	db.seal, err = cursor.New(key)
	return db.seal, err
}

// pages is what a list needs whose pages a principal asks for: the number of the
// workspace, and the seal of its cursors.
func (db *DB) pages(ctx context.Context, principal storage.Principal) (workspaceNo int64, seal *cursor.Seal, err error) {
	if workspaceNo, err = db.workspaceNo(ctx, principal.WorkspaceID); err != nil {
		return 0, nil, err
	}
	seal, err = db.cursors(ctx)
	return workspaceNo, seal, err
}

// pageLimit is how many items a page has at the most.
func pageLimit(p storage.Page, standard, most int) int {
	if p.Limit <= 0 {
		return standard
	}
	return min(p.Limit, most)
}
