package sqldb

import (
	"context"
	"fmt"
	"time"

	"hark/storage"
	"hark/storage/sqldb/conn"
)

// quotaColumns are those that a workspace's owners set.
const quotaColumns = `w.quota_stored, w.quota_day, w.quota_waiting`

type quotaRow struct {
	Stored  int64 `db:"quota_stored"`
	Day     int64 `db:"quota_day"`
	Waiting int   `db:"quota_waiting"`
}

func (r quotaRow) quotas() storage.Quotas {
	return storage.Quotas{BytesPerDay: r.Day, Waiting: r.Waiting, Stored: r.Stored}
}

// Usage returns what the principal and their workspace take, and what its owners
// bound that by.
func (db *DB) Usage(ctx context.Context, principal storage.Principal) (storage.Usage, error) {
	var row struct {
		quotaRow
		Bytes   int64
		Today   int64
		Waiting int
	}
	err := db.read(ctx, "read usage", func(ctx context.Context, s session) error {
		now, err := s.Clock(ctx)
		if err != nil {
			return err
		}
		return s.Get(ctx, &row, `SELECT w.stored_bytes AS bytes, `+quotaColumns+`,
			COALESCE((SELECT bytes FROM usage WHERE user_id = ? AND day = ?), 0) AS today,
			(SELECT COUNT(*) FROM messages WHERE author_id = ? AND state = 'received') AS waiting
			FROM workspaces w WHERE w.id = ?`, principal.UserID, dayOf(now), principal.UserID, principal.WorkspaceID)
	})
	return storage.Usage{Today: row.Today, Stored: row.Bytes, Waiting: row.Waiting, Quotas: row.quotas()}, err
}

// addUsage counts what a person sent.
func (t *tx) addUsage(ctx context.Context, userID string, bytes int64) error {
	_, err := t.Exec(ctx, `INSERT INTO usage (user_id, day, bytes) VALUES (?, ?, ?) ON CONFLICT (user_id) DO UPDATE SET
		day = excluded.day, bytes = excluded.bytes + CASE WHEN usage.day = excluded.day THEN usage.bytes ELSE 0 END`,
		userID, dayOf(t.now), bytes)
	return err
}

// dayOf is the number of the day in UTC, from 1970.
func dayOf(at time.Time) int64 { return at.Unix() / (24 * 60 * 60) }

// WorkspaceUsage returns what the workspace takes. Who may not manage members gets
// storage.ErrForbidden ([storage.MayManageMembers]).
func (db *DB) WorkspaceUsage(ctx context.Context, principal storage.Principal) (u storage.WorkspaceUsage, err error) {
	if !storage.MayManageMembers(principal) {
		return u, fmt.Errorf("read usage of workspace: %w", errForLeaders)
	}
	err = db.read(ctx, "read usage of workspace", func(ctx context.Context, s session) error {
		u, err = s.workspaceUsage(ctx, principal.WorkspaceID)
		return err
	})
	return u, err
}

func (s session) workspaceUsage(ctx context.Context, workspaceID string) (storage.WorkspaceUsage, error) {
	var row struct {
		quotaRow
		Bytes   int64
		SoundMS int64 `db:"sound_ms"`
		Members int
		Guests  int
	}
	err := s.Get(ctx, &row, `SELECT w.stored_bytes AS bytes, w.sound_ms, `+quotaColumns+`,
		(SELECT COUNT(*) FROM users u WHERE u.workspace_no = w.no AND u.disabled_at = 0 AND u.kind = ?) AS members,
		(SELECT COUNT(*) FROM users u WHERE u.workspace_no = w.no AND u.disabled_at = 0 AND u.kind = ? AND u.role = ?) AS guests
		FROM workspaces w WHERE w.id = ?`, storage.KindPerson, storage.KindPerson, storage.Guest, workspaceID)
	return storage.WorkspaceUsage{Stored: row.Bytes, SoundMS: row.SoundMS, Members: row.Members, Guests: row.Guests, Quotas: row.quotas()}, err
}

// MemberUsages returns a page of what each in the workspace takes, as [DB.Members]
// lists them.
func (db *DB) MemberUsages(ctx context.Context, principal storage.Principal, words string, page storage.Page) (usages []storage.MemberUsage, next string, err error) {
	members, next, err := db.Members(ctx, principal, words, page)
	if err != nil || len(members) == 0 {
		return nil, next, err
	}
	ids := make([]any, len(members))
	for i, m := range members {
		ids[i] = m.ID
	}
	var rows []struct {
		ID      string
		Today   int64
		Waiting int
		Bytes   int64
		SoundMS int64 `db:"sound_ms"`
	}
	err = db.read(ctx, "read usage of members", func(ctx context.Context, s session) error {
		now, err := s.Clock(ctx)
		if err != nil {
			return err
		}
		return s.List(ctx, &rows, `SELECT u.id, COALESCE(d.bytes, 0) AS today, COALESCE(k.bytes, 0) AS bytes, COALESCE(k.sound_ms, 0) AS sound_ms,
			(SELECT COUNT(*) FROM messages m WHERE m.author_id = u.id AND m.state = 'received') AS waiting
			FROM users u LEFT JOIN usage d ON d.user_id = u.id AND d.day = ? LEFT JOIN stored k ON k.user_id = u.id WHERE u.id IN `+conn.Tuples(1, len(ids)),
			append([]any{dayOf(now)}, ids...)...)
	})
	byID := map[string]storage.MemberUsage{}
	for _, r := range rows {
		byID[r.ID] = storage.MemberUsage{Today: r.Today, Waiting: r.Waiting, Stored: r.Bytes, SoundMS: r.SoundMS}
	}
	for _, m := range members {
		u := byID[m.ID]
		u.User = m.User
		usages = append(usages, u)
	}
	return usages, next, err
}

// SetQuotas changes what the workspace's owners bound its usage by, as
// [storage.MaySetQuotas] says; bound is what holds for all workspaces, above which
// there is nothing to allow.
func (db *DB) SetQuotas(ctx context.Context, principal storage.Principal, patch storage.QuotasPatch, bound storage.Quotas) (u storage.WorkspaceUsage, err error) {
	err = db.changeBy(ctx, "set quotas", principal, func(ctx context.Context, t *tx) error {
		who, err := t.asNow(ctx, principal)
		if err != nil {
			return err
		}
		if !storage.MaySetQuotas(who) {
			return &storage.ForbiddenError{Reason: "Only owners change quotas."}
		}
		if u, err = t.workspaceUsage(ctx, principal.WorkspaceID); err != nil {
			return err
		}
		q := &u.Quotas
		waiting, newWaiting := int64(q.Waiting), (*int64)(nil)
		if patch.Waiting != nil {
			newWaiting = new(int64(*patch.Waiting))
		}
		for _, one := range []struct {
			name string
			has  *int64
			want *int64
			most int64
		}{
			{storage.QuotaStored, &q.Stored, patch.Stored, bound.Stored},
			{storage.QuotaBytesPerDay, &q.BytesPerDay, patch.BytesPerDay, bound.BytesPerDay},
			{storage.QuotaWaiting, &waiting, newWaiting, int64(bound.Waiting)},
		} {
			if one.want == nil || *one.want == *one.has {
				continue
			}
			switch {
			case *one.want < 0:
				return &storage.InvalidError{Field: one.name, Problem: "must be 0 for none, or more"}
			case one.most > 0 && *one.want > one.most:
				return &storage.InvalidError{Field: one.name, Problem: fmt.Sprintf("must be 0 for none, or at most the %d that this server allows", one.most)}
			}
			t.audit(ctx, who, storage.AuditQuotaChanged, t.onWorkspace(), map[string]string{"quota": one.name, "from": number(*one.has), "to": number(*one.want)})
			*one.has = *one.want
		}
		q.Waiting = int(waiting)
		_, err = t.Exec(ctx, `UPDATE workspaces SET quota_stored = ?, quota_day = ?, quota_waiting = ? WHERE no = ?`, q.Stored, q.BytesPerDay, q.Waiting, t.workspaceNo)
		return err
	})
	return u, err
}
