package sqldb

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	"hark/storage"
	"hark/storage/sqldb/conn"
)

// auditEnd is where a workspace's audit log ends.
type auditEnd struct {
	Count int64  `db:"audit_count"`
	Head  string `db:"audit_head"`
	At    int64  `db:"audit_at"`
}

func (s session) auditEnd(ctx context.Context, workspaceNo int64) (end auditEnd, err error) {
	err = s.Get(ctx, &end, `SELECT audit_count, audit_head, audit_at FROM workspaces WHERE no = ?`, workspaceNo)
	return end, err
}

// audit notes what a change did, for the audit log; it is numbered, chained and
// written when the change ends. actor is who asked, as far as they are known;
// commands on the server are their operator's, whoever they act for.
func (t *tx) audit(ctx context.Context, actor storage.Principal, action storage.AuditAction, target storage.Target, details map[string]string) {
	from := storage.OriginOf(ctx)
	entry := storage.AuditEntry{
		At: t.now, Action: action, Actor: storage.Actor{Kind: storage.ActorSystem},
		Address: from.Address, Agent: from.Agent, Target: target, Details: details,
	}
	switch {
	case from.Operator != "":
		entry.Actor = storage.Actor{Kind: storage.ActorOperator, Name: from.Operator}
	case actor.UserID != "":
		entry.Actor = storage.Actor{Kind: storage.ActorUser, ID: actor.UserID, Name: actor.UserName}
		if actor.Kind == storage.KindIntegration {
			entry.Actor.Kind = storage.ActorIntegration
		}
		entry.CredentialID = actor.CredentialID
	case from.Address != "":
		entry.Actor.Kind = storage.ActorNobody
	}
	t.audits = append(t.audits, entry)
}

// The targets of what is recorded.
func onUser(id string) storage.Target  { return storage.Target{Kind: "user", ID: id} }
func onToken(id string) storage.Target { return storage.Target{Kind: "token", ID: id} }
func onConversation(id string) storage.Target {
	return storage.Target{Kind: "conversation", ID: id, ConversationID: id}
}

func onMember(userID, conversationID string) storage.Target {
	return storage.Target{Kind: "user", ID: userID, ConversationID: conversationID}
}

func onMessage(id, conversationID string) storage.Target {
	return storage.Target{Kind: "message", ID: id, ConversationID: conversationID}
}

func (t *tx) onWorkspace() storage.Target {
	return storage.Target{Kind: "workspace", ID: t.workspaceID}
}

// writeAudit chains and writes what was noted. The workspace is held, or made by
// this transaction.
func (t *tx) writeAudit(ctx context.Context) error {
	if len(t.audits) == 0 {
		return nil
	}
	end, err := t.auditEnd(ctx, t.workspaceNo)
	if err != nil {
		return err
	}
	for i := range t.audits {
		entry := &t.audits[i]
		entry.Tidy()
		end.At = max(end.At, toMS(entry.At))
		end.Count++
		entry.Seq, entry.At = end.Count, fromMS(end.At)
		end.Head = entry.HashAfter(end.Head)
		entry.Hash = end.Head
	}
	if err := t.insertAudit(ctx, t.audits); err != nil {
		return err
	}
	_, err = t.Exec(ctx, `UPDATE workspaces SET audit_count = ?, audit_head = ?, audit_at = ? WHERE no = ?`, end.Count, end.Head, end.At, t.workspaceNo)
	return err
}

func (t *tx) insertAudit(ctx context.Context, entries []storage.AuditEntry) error {
	return conn.InChunks(len(entries), 500, func(from, to int) error {
		var args []any
		for _, e := range entries[from:to] {
			details, err := json.Marshal(e.Details)
			if err != nil {
				return err
			}
			args = append(args, t.workspaceNo, e.Seq, toMS(e.At), e.Action, e.Actor.Kind, e.Actor.ID, e.Actor.Name, e.CredentialID, e.Address, e.Agent,
				e.Target.Kind, e.Target.ID, e.Target.ConversationID, string(details), e.Hash)
		}
		_, err := t.Exec(ctx, `INSERT INTO audit (workspace_no, seq, `+auditColumns+`) VALUES `+conn.Tuples(to-from, 15), args...)
		return err
	})
}

// AuditFailedSignIn records that somebody was not signed in: in the workspace that a
// provider leads to, of whom the code was made for or the address or the passkey is of or, where no such code was ever made, in the only
// workspace there is. Of several it cannot be told which was meant, and none gets
// to know of it.
func (db *DB) AuditFailedSignIn(ctx context.Context, failed storage.FailedSignIn) error {
	var meant struct {
		UserID      string `db:"user_id"`
		WorkspaceID string `db:"workspace_id"`
	}
	err := db.read(ctx, "find whom a sign-in was for", func(ctx context.Context, s session) error {
		if failed.WorkspaceID != "" {
			meant.UserID, meant.WorkspaceID = failed.UserID, failed.WorkspaceID
			return nil
		}
		found := statement{`SELECT u.id AS user_id, w.id AS workspace_id FROM tokens t JOIN users u ON u.id = t.user_id JOIN workspaces w ON w.no = u.workspace_no
			WHERE t.hash = ? AND t.kind = ?`, []any{hashSecret(failed.Code), storage.SignInToken}}
		if failed.Email != "" {
			found = statement{`SELECT u.id AS user_id, w.id AS workspace_id FROM accounts a JOIN users u ON u.account_id = a.id JOIN workspaces w ON w.no = u.workspace_no
				WHERE a.email_key = ? ORDER BY u.disabled_at > 0, CASE WHEN u.id = a.last_user_id THEN 0 ELSE 1 END, u.created_at, u.id LIMIT 1`, []any{clean(storage.EmailKey(failed.Email))}}
		}
		if failed.UserID != "" {
			found = statement{`SELECT u.id AS user_id, w.id AS workspace_id FROM users u JOIN workspaces w ON w.no = u.workspace_no WHERE u.id = ?`, []any{failed.UserID}}
		}
		err := s.getOne(ctx, &meant, found)
		if !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		return s.Get(ctx, &meant, `SELECT '' AS user_id, MIN(id) AS workspace_id FROM workspaces HAVING COUNT(*) = 1`)
	})
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return db.change(ctx, "record failed sign-in", meant.WorkspaceID, func(ctx context.Context, t *tx) error {
		target := storage.Target{}
		if meant.UserID != "" {
			target = onUser(meant.UserID)
		}
		t.audit(ctx, storage.Principal{}, storage.AuditSignInFailed, target, map[string]string{
			"method": failed.Method, "provider": failed.Provider, "reason": failed.Reason, "left_out": number(failed.LeftOut),
		})
		return nil
	})
}

// AuditListening records that the principal plays or downloads a message, in one of
// its forms, where the workspace wants that: at most once in [storage.ListeningPause].
// It is asked before anything is sent, and where it fails nothing is.
func (db *DB) AuditListening(ctx context.Context, principal storage.Principal, m storage.Message, action storage.AuditAction, form string) error {
	no, err := db.workspaceNo(ctx, principal.WorkspaceID)
	if err != nil {
		return err
	}
	var due bool
	err = db.read(ctx, "look whether to record listening", func(ctx context.Context, s session) error {
		due, err = s.listeningDue(ctx, no, principal, m.ID, action)
		return err
	})
	if err != nil || !due {
		return err
	}
	return db.changeBy(ctx, "record listening", principal, func(ctx context.Context, t *tx) error {
		due, err := t.listeningDue(ctx, no, principal, m.ID, action) // another request may have been quicker
		if err == nil && due {
			t.audit(ctx, principal, action, onMessage(m.ID, m.ConversationID), map[string]string{"author_id": m.AuthorID, "form": form})
		}
		return err
	})
}

// listeningDue says whether the workspace records who listens, and has not recorded
// this just now.
func (s session) listeningDue(ctx context.Context, workspaceNo int64, principal storage.Principal, messageID string, action storage.AuditAction) (bool, error) {
	recorded, err := s.listeningRecorded(ctx, workspaceNo)
	if err != nil || !recorded {
		return false, err
	}
	now, err := s.Clock(ctx)
	if err != nil {
		return false, err
	}
	just, err := s.selectAudit(ctx, workspaceNo, storage.AuditFilter{TargetID: messageID, ActorID: principal.UserID, Action: action, From: now.Add(-storage.ListeningPause)})
	if err != nil {
		return false, err
	}
	var found []auditRow
	err = s.listAll(ctx, &found, just.and(` LIMIT 1`))
	return len(found) == 0, err
}

func (s session) listeningRecorded(ctx context.Context, workspaceNo int64) (recorded bool, err error) {
	err = s.Get(ctx, &recorded, `SELECT audit_listening FROM workspaces WHERE no = ?`, workspaceNo)
	return recorded, err
}

// ListeningRecorded says whether the audit log records who plays and downloads what,
// which whoever is in the workspace may know.
func (db *DB) ListeningRecorded(ctx context.Context, principal storage.Principal) (recorded bool, err error) {
	no, err := db.workspaceNo(ctx, principal.WorkspaceID)
	if err != nil {
		return false, err
	}
	err = db.read(ctx, "read what is recorded", func(ctx context.Context, s session) error {
		recorded, err = s.listeningRecorded(ctx, no)
		return err
	})
	return recorded, err
}

// RecordListening has the audit log record who plays and downloads what, or not any
// more, as [storage.MayChangeAudit] says.
func (db *DB) RecordListening(ctx context.Context, principal storage.Principal, recorded bool) error {
	return db.changeBy(ctx, "change what is recorded", principal, func(ctx context.Context, t *tx) error {
		who, err := t.asNow(ctx, principal)
		if err != nil {
			return err
		}
		if !storage.MayChangeAudit(who) {
			return storage.ErrForbidden
		}
		n, err := t.Exec(ctx, `UPDATE workspaces SET audit_listening = ? WHERE no = ? AND audit_listening <> ?`, recorded, t.workspaceNo, recorded)
		if err == nil && n > 0 {
			t.audit(ctx, who, storage.AuditListeningChanged, t.onWorkspace(), map[string]string{"recorded": strconv.FormatBool(recorded)})
		}
		return err
	})
}
