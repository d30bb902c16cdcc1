package sqldb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"hark/storage"
	"hark/storage/sqldb/conn"
)

// auditColumns are those of an entry behind its number.
const auditColumns = `at, action, actor_kind, actor_id, actor_name, credential_id, address, agent, target_kind, target_id, conversation_id, details, hash`

type auditRow struct {
	Seq            int64
	At             int64
	Action         storage.AuditAction
	ActorKind      storage.ActorKind `db:"actor_kind"`
	ActorID        string            `db:"actor_id"`
	ActorName      string            `db:"actor_name"`
	CredentialID   string            `db:"credential_id"`
	Address        string
	Agent          string
	TargetKind     string `db:"target_kind"`
	TargetID       string `db:"target_id"`
	ConversationID string `db:"conversation_id"`
	Details        string
	Hash           string
}

// entry is the row as a record. Details that are no JSON were not written by Hark.
func (r auditRow) entry() (storage.AuditEntry, error) {
	e := storage.AuditEntry{
		Seq: r.Seq, At: time.UnixMilli(r.At).UTC(), Action: r.Action, Actor: storage.Actor{Kind: r.ActorKind, ID: r.ActorID, Name: r.ActorName},
		CredentialID: r.CredentialID, Address: r.Address, Agent: r.Agent,
		Target: storage.Target{Kind: r.TargetKind, ID: r.TargetID, ConversationID: r.ConversationID}, Hash: r.Hash,
	}
	if err := json.Unmarshal([]byte(r.Details), &e.Details); err != nil {
		return e, fmt.Errorf("read details of entry %d: %w", r.Seq, err)
	}
	return e, nil
}

func auditEntries(rows []auditRow) ([]storage.AuditEntry, error) {
	entries := make([]storage.AuditEntry, len(rows))
	var err error
	for i, r := range rows {
		if entries[i], err = r.entry(); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// selectAudit reads the entries of a workspace that a filter leaves. The index to
// use is that of what leaves least: a column in an expression is in no index.
func (s session) selectAudit(ctx context.Context, workspaceNo int64, filter storage.AuditFilter) (statement, error) {
	index := ``
	where := statement{` WHERE a.workspace_no = ?`, []any{workspaceNo}}
	apart := `` // for columns whose index would be the wrong one
	for _, one := range []struct{ column, value, index string }{
		{"target_id", filter.TargetID, "audit_by_target"},
		{"conversation_id", filter.ConversationID, "audit_by_conversation"},
		{"actor_id", filter.ActorID, "audit_by_actor"},
		{"action", string(filter.Action), "audit_by_action"},
	} {
		if one.value == "" {
			continue
		}
		where = where.and(` AND a.`+one.column+apart+` = ?`, one.value)
		switch index {
		case "":
			index = one.index
		case "audit_by_actor":
			index = "audit_by_actor_action"
		}
		if one.column != "actor_id" { // which has an index with the action
			apart = ` || ''`
		}
	}
	found := statement{text: `SELECT a.seq, ` + auditColumns + ` FROM audit a`}
	if index != "" {
		found = found.and(s.ByIndex(index))
	}
	found = found.with(where)
	first, last, err := s.auditRange(ctx, workspaceNo, filter)
	if first > 0 {
		found = found.and(` AND a.seq >= ?`, first)
	}
	if last >= 0 {
		found = found.and(` AND a.seq <= ?`, last)
	}
	return found, err
}

// auditRange is the numbers of the entries that the times of a filter leave: from
// first, 0 for all, to last, -1 for all. None has 0 for a number.
func (s session) auditRange(ctx context.Context, workspaceNo int64, filter storage.AuditFilter) (first, last int64, err error) {
	last = -1
	if !filter.From.IsZero() {
		first, err = s.auditSeq(ctx, `SELECT seq FROM audit WHERE workspace_no = ? AND at >= ? ORDER BY at, seq LIMIT 1`, workspaceNo, filter.From)
		if errors.Is(err, storage.ErrNotFound) { // all were before
			return 0, 0, nil
		}
		if err != nil {
			return 0, 0, err
		}
	}
	if !filter.To.IsZero() {
		last, err = s.auditSeq(ctx, `SELECT seq FROM audit WHERE workspace_no = ? AND at < ? ORDER BY at DESC, seq DESC LIMIT 1`, workspaceNo, filter.To)
		if errors.Is(err, storage.ErrNotFound) { // all were later
			return 0, 0, nil
		}
	}
	return first, last, err
}

// auditSeq finds a number by a time; times go up with the numbers.
func (s session) auditSeq(ctx context.Context, query string, workspaceNo int64, at time.Time) (seq int64, err error) {
	err = s.Get(ctx, &seq, query, workspaceNo, at.UnixMilli())
	return seq, err
}

// Audit returns a page of the workspace's audit log, newest first: 50 entries unless
// asked otherwise, 200 at the most. Who may not read it gets storage.ErrForbidden
// ([storage.MayReadAudit]).
func (db *DB) Audit(ctx context.Context, principal storage.Principal, filter storage.AuditFilter, page storage.Page) (entries []storage.AuditEntry, next string, err error) {
	seal, err := db.cursors(ctx)
	if err != nil {
		return nil, "", err
	}
	name := fmt.Sprintf("audit %s %v", principal.WorkspaceID, filter.Details())
	var before int64
	if page.Cursor != "" {
		if err := seal.Open(name, page.Cursor, &before); err != nil {
			return nil, "", fmt.Errorf("read audit log: %w", err)
		}
	}
	limit := pageLimit(page, 50, 200)
	entries, err = db.AuditBefore(ctx, principal, filter, before, limit+1)
	if err == nil && len(entries) > limit {
		entries = entries[:limit]
		next, err = seal.Close(name, entries[limit-1].Seq)
	}
	return entries, next, err
}

// AuditBefore is Audit for who counts for themselves: it returns up to limit entries
// whose numbers are lower than before, newest first; 0 means all numbers.
func (db *DB) AuditBefore(ctx context.Context, principal storage.Principal, filter storage.AuditFilter, before int64, limit int) ([]storage.AuditEntry, error) {
	if !storage.MayReadAudit(principal) {
		return nil, fmt.Errorf("read audit log: %w", errForLeaders)
	}
	no, err := db.workspaceNo(ctx, principal.WorkspaceID)
	if err != nil {
		return nil, err
	}
	var rows []auditRow
	err = db.read(ctx, "read audit log", func(ctx context.Context, s session) error {
		found, err := s.selectAudit(ctx, no, filter)
		if err != nil {
			return err
		}
		if before > 0 {
			found = found.and(` AND a.seq < ?`, before)
		}
		return s.listAll(ctx, &rows, found.and(` ORDER BY a.seq DESC LIMIT ?`, limit))
	})
	if err != nil {
		return nil, err
	}
	return auditEntries(rows)
}

// CountAudit counts the entries that a filter leaves: of those that times alone leave
// all, since their numbers have no gaps, and of others up to [storage.MaxAuditCount].
func (db *DB) CountAudit(ctx context.Context, principal storage.Principal, filter storage.AuditFilter) (count storage.AuditCount, err error) {
	if !storage.MayReadAudit(principal) {
		return count, fmt.Errorf("count audit log: %w", errForLeaders)
	}
	no, err := db.workspaceNo(ctx, principal.WorkspaceID)
	if err != nil {
		return count, err
	}
	err = db.read(ctx, "count audit log", func(ctx context.Context, s session) error {
		if filter.TimesAlone() {
			first, last, err := s.auditRange(ctx, no, filter)
			if err == nil && last < 0 {
				var end auditEnd
				end, err = s.auditEnd(ctx, no)
				last = end.Count
			}
			count = storage.AuditCount{Entries: max(0, last-max(1, first)+1)}
			return err
		}
		found, err := s.selectAudit(ctx, no, filter)
		if err != nil {
			return err
		}
		counted := statement{text: `SELECT COUNT(*) FROM (`}.with(found).and(` ORDER BY a.seq DESC LIMIT ?) AS counted`, storage.MaxAuditCount)
		err = s.getOne(ctx, &count.Entries, counted)
		count.Capped = count.Entries == storage.MaxAuditCount
		return err
	})
	return count, err
}

// AuditNames returns what entries are about, as it is now: the people they name, and
// of conversations and messages those that the principal sees.
func (db *DB) AuditNames(ctx context.Context, principal storage.Principal, entries []storage.AuditEntry) (names storage.AuditNames, err error) {
	names = storage.AuditNames{Users: map[string]storage.User{}, Conversations: map[string]storage.Conversation{}, Messages: map[string]bool{}}
	if !storage.MayReadAudit(principal) {
		return names, fmt.Errorf("name what the audit log is about: %w", errForLeaders)
	}
	no, err := db.workspaceNo(ctx, principal.WorkspaceID)
	if err != nil {
		return names, err
	}
	users, conversations, messages := idsIn(entries)
	err = db.read(ctx, "name what the audit log is about", func(ctx context.Context, s session) error {
		if len(users) > 0 {
			var rows []userRow
			err := s.List(ctx, &rows, `SELECT `+userColumns+` FROM users u WHERE u.workspace_no = ? AND u.id IN `+conn.Tuples(1, len(users)), append([]any{no}, users...)...)
			if err != nil {
				return err
			}
			for _, r := range rows {
				names.Users[r.ID] = r.user(principal.WorkspaceID)
			}
		}
		if len(conversations) > 0 {
			var rows []storage.Conversation
			err := s.listAll(ctx, &rows, statement{text: `SELECT c.id, c.kind, c.title`}.with(visibleConversations(principal, no)).
				and(` AND c.deleted_at = 0 AND c.id IN `+conn.Tuples(1, len(conversations)), conversations...))
			if err != nil {
				return err
			}
			for _, c := range rows {
				names.Conversations[c.ID] = c
			}
		}
		if len(messages) == 0 {
			return nil
		}
		var ids []string
		err := s.listAll(ctx, &ids, statement{text: `SELECT m.id`}.with(visibleMessages(principal, no)).and(` AND m.id IN `+conn.Tuples(1, len(messages)), messages...))
		for _, id := range ids {
			names.Messages[id] = true
		}
		return err
	})
	return names, err
}

// idsIn are the ids of users, conversations and messages that entries name.
func idsIn(entries []storage.AuditEntry) (users, conversations, messages []any) {
	seen := map[string]bool{}
	add := func(to *[]any, id string) {
		if id != "" && !seen[id] {
			seen[id] = true
			*to = append(*to, id)
		}
	}
	for _, e := range entries {
		for _, id := range e.Users() {
			add(&users, id)
		}
		add(&conversations, e.Target.ConversationID)
		if e.Target.Kind == "message" {
			add(&messages, e.Target.ID)
		}
	}
	return users, conversations, messages
}

// auditStep is how many entries are read at a time of a log that is read through.
const auditStep = 1000

// ExportAudit gives take the entries that a filter leaves, some at a time, oldest
// first. That they are exported is recorded before, by an entry that is among
// them where the filter leaves it. It stops when take fails.
func (db *DB) ExportAudit(ctx context.Context, principal storage.Principal, filter storage.AuditFilter, take func([]storage.AuditEntry) error) error {
	no, err := db.workspaceNo(ctx, principal.WorkspaceID)
	if err != nil {
		return err
	}
	var last int64
	err = db.changeBy(ctx, "export audit log", principal, func(ctx context.Context, t *tx) error {
		if !storage.MayReadAudit(principal) {
			return storage.ErrForbidden
		}
		t.audit(ctx, principal, storage.AuditExported, t.onWorkspace(), filter.Details())
		end, err := t.auditEnd(ctx, no)
		last = end.Count + 1
		return err
	})
	if err != nil {
		return err
	}
	for after := int64(0); ; {
		var rows []auditRow
		err := db.read(ctx, "export audit log", func(ctx context.Context, s session) error {
			found, err := s.selectAudit(ctx, no, filter)
			if err != nil {
				return err
			}
			return s.listAll(ctx, &rows, found.and(` AND a.seq > ? AND a.seq <= ? ORDER BY a.seq LIMIT ?`, after, last, auditStep))
		})
		if err != nil {
			return err
		}
		entries, err := auditEntries(rows)
		if err != nil {
			return err
		}
		if err := take(entries); err != nil || len(rows) < auditStep {
			return err
		}
		after = rows[len(rows)-1].Seq
	}
}

// VerifyAudit reads the audit log of a workspace through, and says whether it is
// the chain that was written. With expected, one of the entries has to have that
// hash, which was noted as the head at some time.
func (db *DB) VerifyAudit(ctx context.Context, workspaceID, expected string) (check storage.AuditCheck, err error) {
	no, err := db.workspaceNo(ctx, workspaceID)
	if err != nil {
		return check, err
	}
	before, err := db.auditEnd(ctx, no) // of an older end it is told that it is cut off, and not of one that moves on
	if err != nil {
		return check, err
	}
	check = storage.AuditCheck{Head: storage.AuditRoot, Expected: expected == "" || expected == storage.AuditRoot}
	for more := true; more; {
		var rows []auditRow
		err := db.read(ctx, "verify audit log", func(ctx context.Context, s session) error {
			return s.List(ctx, &rows, `SELECT a.seq, `+auditColumns+` FROM audit a WHERE a.workspace_no = ? AND a.seq > ? ORDER BY a.seq LIMIT ?`, no, check.Entries, auditStep)
		})
		if err != nil {
			return check, err
		}
		more = len(rows) == auditStep
		for _, row := range rows {
			if check.Broken, check.Problem = fits(row, &check, before, expected); check.Broken > 0 {
				return check, nil
			}
		}
	}
	after, err := db.auditEnd(ctx, no)
	switch {
	case err != nil:
		return check, err
	case check.Entries < before.Count:
		check.Broken, check.Problem = check.Entries+1, fmt.Sprintf("is missing, with all up to %d", before.Count)
	case check.Entries > after.Count:
		check.Broken, check.Problem = after.Count+1, "was not written by Hark"
	}
	return check, nil
}

func (db *DB) auditEnd(ctx context.Context, workspaceNo int64) (end auditEnd, err error) {
	err = db.read(ctx, "read end of audit log", func(ctx context.Context, s session) error {
		end, err = s.auditEnd(ctx, workspaceNo)
		return err
	})
	return end, err
}

// fits puts a row behind those that fit, or says why it does not.
func fits(row auditRow, check *storage.AuditCheck, end auditEnd, expected string) (broken int64, problem string) {
	if row.Seq != check.Entries+1 {
		return check.Entries + 1, "is missing"
	}
	entry, err := row.entry()
	if err != nil || entry.HashAfter(check.Head) != row.Hash {
		return row.Seq, "was changed, or the one before it was"
	}
	if row.Seq == end.Count && row.Hash != end.Head {
		return row.Seq, "is not the last that the workspace's row knows"
	}
	check.Entries, check.Head = row.Seq, row.Hash
	check.Expected = check.Expected || row.Hash == expected
	return 0, ""
}

// number is n as it stands in details; empty for 0.
func number(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}
