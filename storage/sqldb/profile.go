package sqldb

import (
	"context"
	"encoding/json"
	"fmt"

	"hark/storage"
	"hark/storage/quiet"
)

// personalColumns are those of how a user wants to be spoken to.
const personalColumns = `u.language, u.time_zone, u.quiet_hours`

type personalRow struct {
	Language   string
	TimeZone   string `db:"time_zone"`
	QuietHours string `db:"quiet_hours"`
}

func (r personalRow) personal() (storage.Personal, error) {
	p := storage.Personal{Language: r.Language, TimeZone: r.TimeZone}
	if r.QuietHours == "" {
		return p, nil
	}
	p.QuietHours = new(quiet.Hours)
	err := json.Unmarshal([]byte(r.QuietHours), p.QuietHours)
	return p, err
}

func (r *personalRow) change(patch storage.ProfilePatch) error {
	if patch.Language != nil {
		r.Language = *patch.Language
	}
	if patch.TimeZone != nil {
		r.TimeZone = *patch.TimeZone
	}
	if patch.QuietHours == nil {
		return nil
	}
	r.QuietHours = ""
	if *patch.QuietHours == nil {
		return nil
	}
	hours, err := json.Marshal(*patch.QuietHours)
	r.QuietHours = string(hours)
	return err
}

// ChangeProfile changes what the principal is called, which everybody hears of who knows
// them, and how they are spoken to.
func (db *DB) ChangeProfile(ctx context.Context, principal storage.Principal, patch storage.ProfilePatch) (p storage.Profile, err error) {
	if err = patch.Check(); err == nil && patch.Name != nil {
		patch.Name = new(*patch.Name)
		*patch.Name, err = storage.CleanName(*patch.Name)
	}
	if err != nil {
		return p, fmt.Errorf("change profile: %w", err)
	}
	err = db.changeBy(ctx, "change profile", principal, func(ctx context.Context, t *tx) error {
		if !storage.MayRename(principal, principal.UserID) {
			return storage.ErrForbidden
		}
		if p, err = t.profile(ctx, principal); err != nil {
			return err
		}
		if patch.Name != nil && (p.Name != *patch.Name || !p.Named) {
			if p.User, err = t.rename(ctx, principal, p.User, *patch.Name); err != nil {
				return err
			}
		}
		p.Personal, err = t.setPersonal(ctx, p.ID, patch)
		return err
	})
	return p, err
}

// rename gives a user another name.
func (t *tx) rename(ctx context.Context, by storage.Principal, u storage.User, name string) (storage.User, error) {
	t.audit(ctx, by, storage.AuditUserRenamed, onUser(u.ID), map[string]string{"from": u.Name, "to": name})
	u.Name, u.Named = name, true
	if _, err := t.Exec(ctx, `UPDATE users SET name = ?, named = ?, sought = ?, sought_of = ? WHERE id = ?`, name, true, sought(name), name, u.ID); err != nil {
		return u, err
	}
	if err := t.reviseNewestOf(ctx, u); err != nil {
		return u, err
	}
	return u, t.personEvent(ctx, storage.UserUpdated, u)
}

func (t *tx) setPersonal(ctx context.Context, userID string, patch storage.ProfilePatch) (storage.Personal, error) {
	var row personalRow
	if err := t.Get(ctx, &row, `SELECT `+personalColumns+` FROM users u WHERE u.id = ?`, userID); err != nil {
		return storage.Personal{}, err
	}
	before := row
	if err := row.change(patch); err != nil {
		return storage.Personal{}, err
	}
	if row != before {
		_, err := t.Exec(ctx, `UPDATE users SET language = ?, time_zone = ?, quiet_hours = ? WHERE id = ?`, row.Language, row.TimeZone, row.QuietHours, userID)
		if err != nil {
			return storage.Personal{}, err
		}
	}
	return row.personal()
}

// userObject is of an object that a user has one of.
type userObject struct {
	column string
	action storage.AuditAction
	of     func(*storage.User) *string
}

var userObjects = map[storage.ObjectKind]userObject{
	storage.PictureObject:       {"picture", storage.AuditPictureChanged, func(u *storage.User) *string { return &u.PictureKey }},
	storage.PronunciationObject: {"pronunciation", storage.AuditPronunciation, func(u *storage.User) *string { return &u.PronunciationKey }},
}

// SetUserObject gives a user of the workspace the object with a key, which is in the
// store, as their picture or pronunciation, as [storage.MaySetPicture] says; an empty key takes
// away what they have, as [storage.MayRemovePicture] says. What they had before is purged.
// A user of whom the principal does not know is storage.ErrNotFound.
func (db *DB) SetUserObject(ctx context.Context, principal storage.Principal, userID string, kind storage.ObjectKind, key string) (u storage.User, err error) {
	object, ok := userObjects[kind]
	if parsed, ours := storage.ParseKey(key); !ok || key != "" && (!ours || parsed.Kind != kind || parsed.User != userID || parsed.Workspace != principal.WorkspaceID) {
		return u, fmt.Errorf("set object of user: %q is no key of user %s", key, userID)
	}
	err = db.changeBy(ctx, "set object of user", principal, func(ctx context.Context, t *tx) error {
		who, err := t.asNow(ctx, principal)
		if err != nil {
			return err
		}
		var row userRow
		err = t.getOne(ctx, &row, statement{`SELECT ` + userColumns + ` FROM users u WHERE u.id = ? AND u.workspace_no = ?`, []any{userID, t.workspaceNo}}.with(known(who)))
		if err != nil {
			return err
		}
		u = row.user(t.workspaceID)
		if may := storage.MaySetPicture(who, u) || key == "" && storage.MayRemovePicture(who, u); !may {
			return errNotTheirs
		}
		had := object.of(&u)
		if *had == key {
			return nil
		}
		if *had != "" {
			if err := t.purgeObject(ctx, *had); err != nil {
				return err
			}
		}
		t.audit(ctx, principal, object.action, onUser(userID), map[string]string{"change": kindOfChange(*had, key)})
		*had = key
		if _, err := t.Exec(ctx, `UPDATE users SET `+object.column+` = ? WHERE id = ?`, key, userID); err != nil {
			return err
		}
		return t.personEvent(ctx, storage.UserUpdated, u)
	})
	return u, err
}

// errNotTheirs is the error of who would change another's picture or pronunciation.
var errNotTheirs = &storage.ForbiddenError{Reason: "Everybody sets their own picture and pronunciation, and owners and admins those of integrations. Owners and admins can only remove those of others whose role is not above theirs."}

// purgeObject queues the deletion of an object that nobody has any more.
func (t *tx) purgeObject(ctx context.Context, key string) error {
	_, err := t.Exec(ctx, `INSERT INTO doomed_objects (key, due_at, again_at) VALUES (?, ?, 0) ON CONFLICT (key) DO NOTHING`, key, toMS(t.now))
	return err
}

// KnownUser returns a user of whom the principal knows.
func (db *DB) KnownUser(ctx context.Context, principal storage.Principal, userID string) (storage.User, error) {
	no, err := db.workspaceNo(ctx, principal.WorkspaceID)
	if err != nil {
		return storage.User{}, err
	}
	var row userRow
	err = db.read(ctx, "read user", func(ctx context.Context, s session) error {
		return s.getOne(ctx, &row, statement{`SELECT ` + userColumns + ` FROM users u WHERE u.id = ? AND u.workspace_no = ?`, []any{userID, no}}.with(known(principal)))
	})
	return row.user(principal.WorkspaceID), err
}

// RestoreUserObject gives an object in the store back to the user whom its key names, if
// they are there and have none of its kind. It says whether they have it now.
func (db *DB) RestoreUserObject(ctx context.Context, key string) (has bool, err error) {
	k, ours := storage.ParseKey(key)
	object, ok := userObjects[k.Kind]
	if !ours || !ok {
		return false, nil
	}
	err = db.write(ctx, "restore object of user", func(ctx context.Context, t *tx) error {
		n, err := t.Exec(ctx, `UPDATE users SET `+object.column+` = ? WHERE id = ? AND `+object.column+` IN ('', ?)
			AND EXISTS (SELECT 1 FROM workspaces w WHERE w.no = users.workspace_no AND w.id = ?)
			AND NOT EXISTS (SELECT 1 FROM doomed_objects d WHERE d.key = ?)`, key, k.User, key, k.Workspace, key)
		has = n > 0
		return err
	})
	return has, err
}
