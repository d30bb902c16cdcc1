package sqldb

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"

	"hark/storage"
	"hark/storage/provision"
	"hark/storage/sqldb/conn"
)

// provisionedRow is a user with what identity providers say of them.
type provisionedRow struct {
	userRow
	Provisioned  bool   // whether a provider has said anything of them
	UserName     string `db:"user_name"`
	ExternalID   string `db:"external_id"`
	GivenName    string `db:"given_name"`
	FamilyName   string `db:"family_name"`
	GivenTo      string `db:"given_to"` // the name that a provider gave last
	ProvidedMail string `db:"provided_mail"`
	Made         bool   // by a provider
	GaveAccount  bool   `db:"gave_account"`
	RemovedAt    int64  `db:"removed_at"`
	ChangedAt    int64  `db:"changed_at"`
}

const (
	personColumns = userColumns + `, p.user_id IS NOT NULL AS provisioned, COALESCE(p.user_name, a.email, '') AS user_name, COALESCE(p.external_id, '') AS external_id,
	COALESCE(p.given_name, '') AS given_name, COALESCE(p.family_name, '') AS family_name, COALESCE(p.name, '') AS given_to, COALESCE(p.email, a.email, '') AS provided_mail,
	COALESCE(p.made, FALSE) AS made, COALESCE(p.gave_account, FALSE) AS gave_account, COALESCE(p.removed_at, 0) AS removed_at, COALESCE(p.changed_at, u.created_at) AS changed_at`

	// fromPersons reads, behind columns, the users of a workspace with what is said of them.
	fromPersons = ` FROM users u LEFT JOIN accounts a ON a.id = u.account_id LEFT JOIN provisioned p ON p.user_id = u.id WHERE u.kind = 'person' AND u.workspace_no = ?`

	// there is the condition under which providers know of one of these: they have said
	// something of them, and not taken them away since, or the user has an address.
	there = ` AND (p.removed_at = 0 OR p.user_id IS NULL AND a.id IS NOT NULL)`
)

func (r provisionedRow) known() provision.Known {
	return provision.Known{
		UserName: r.UserName, ExternalID: r.ExternalID, Name: r.Name, GivenName: r.GivenName, FamilyName: r.FamilyName, Email: r.ProvidedMail, Active: !r.Disabled,
	}
}

func (r provisionedRow) person(workspaceID string) provision.Person {
	return provision.Person{User: r.user(workspaceID), Known: r.known(), ChangedAt: fromMS(r.ChangedAt)}
}

// Persons returns a page of the persons that a query means, and how many these are in all.
// Who may not manage members gets storage.ErrForbidden.
func (db *DB) Persons(ctx context.Context, principal storage.Principal, q provision.Query) (list []provision.Person, total int, err error) {
	no, err := db.provisioning(ctx, principal)
	if err != nil {
		return nil, 0, err
	}
	err = db.read(ctx, "list persons", func(ctx context.Context, s session) error {
		var rows []provisionedRow
		from := statement{fromPersons + there, []any{no}}.with(s.condition(personFields(no), q.Filter))
		if total, err = listPage(ctx, s, &rows, q, personColumns, from, personFields(no), `u.no`); err != nil {
			return err
		}
		list = make([]provision.Person, len(rows))
		for i, r := range rows {
			list[i] = r.person(principal.WorkspaceID)
		}
		return s.addGroups(ctx, no, list)
	})
	return list, total, err
}

// Person returns one.
func (db *DB) Person(ctx context.Context, principal storage.Principal, id string) (p provision.Person, err error) {
	list, _, err := db.Persons(ctx, principal, provision.Query{Count: 1, Filter: provision.Filter{Op: provision.Equal, Field: provision.ID, Text: id}})
	if err == nil && len(list) == 0 {
		err = storage.ErrNotFound
	}
	if err != nil {
		return p, err
	}
	return list[0], nil
}

// provisioning is the number of the workspace for who may see its persons and groups.
func (db *DB) provisioning(ctx context.Context, principal storage.Principal) (int64, error) {
	if !storage.MayManageMembers(principal) {
		return 0, errForLeaders
	}
	return db.workspaceNo(ctx, principal.WorkspaceID)
}

// addGroups adds the groups that persons are in.
func (s session) addGroups(ctx context.Context, workspaceNo int64, list []provision.Person) error {
	at := map[string]int{}
	var ids []any
	for i, one := range list {
		at[one.ID] = i
		ids = append(ids, one.ID)
	}
	return conn.InChunks(len(ids), 500, func(from, to int) error {
		var rows []struct {
			UserID string `db:"user_id"`
			ID     string
			Name   string
		}
		err := s.List(ctx, &rows, `SELECT m.user_id, g.id, g.name FROM provisioned_members m JOIN provisioned_groups g ON g.id = m.group_id
			WHERE g.workspace_no = ? AND m.user_id IN `+conn.Tuples(1, to-from)+` ORDER BY g.no`, append([]any{workspaceNo}, ids[from:to]...)...)
		for _, r := range rows {
			one := &list[at[r.UserID]]
			one.Groups = append(one.Groups, provision.Ref{ID: r.ID, Name: r.Name})
		}
		return err
	})
}

// provisionBy is changeBy for an identity provider, who asks as they may now.
func (db *DB) provisionBy(ctx context.Context, op string, principal storage.Principal, fn func(context.Context, *tx, storage.Principal) error) error {
	return db.changeBy(ctx, op, principal, func(ctx context.Context, t *tx) error {
		who, err := t.asNow(ctx, principal)
		if err != nil {
			return err
		}
		if !storage.MayProvision(who) {
			return errForLeaders
		}
		return fn(ctx, t, who)
	})
}

// AddPerson makes a user of whom a provider has. One of the same user name that it took
// away before is taken up again. A user name that somebody has, and the address of somebody
// else in the workspace, are a [provision.TakenError]. An address by which somebody signs
// in to other workspaces alone stays theirs: the person has none here.
func (db *DB) AddPerson(ctx context.Context, principal storage.Principal, known provision.Known) (p provision.Person, err error) {
	known, err = known.Clean()
	if err != nil {
		return p, err
	}
	var id string
	err = db.provisionBy(ctx, "add person", principal, func(ctx context.Context, t *tx, who storage.Principal) error {
		row, err := t.personNamed(ctx, known.UserName)
		switch {
		case err == nil && row.RemovedAt == 0:
			return &provision.TakenError{Field: "userName"}
		case err == nil:
			id = row.ID
			return t.setKnown(ctx, who, row, known, "added")
		case !errors.Is(err, storage.ErrNotFound):
			return err
		}
		user, err := t.createUser(ctx, known.Name, storage.JoinsFirst)
		if err != nil {
			return err
		}
		id = user.ID
		t.audit(ctx, who, storage.AuditUserCreated, onUser(user.ID), map[string]string{"name": user.Name, "role": string(user.Role), "provider": "SCIM"})
		if err := t.joinGeneral(ctx, who, user); err != nil {
			return err
		}
		if err := t.personEvent(ctx, storage.UserCreated, user); err != nil {
			return err
		}
		row.userRow = userRow{ID: user.ID, No: user.No, Name: user.Name, Named: true, Role: user.Role, CreatedAt: toMS(user.CreatedAt)}
		row.Made = true
		return t.setKnown(ctx, who, row, known, "added")
	})
	if err != nil {
		return p, err
	}
	return db.Person(ctx, principal, id)
}

// personNamed finds who has a user name, or had it when they were taken away.
func (t *tx) personNamed(ctx context.Context, userName string) (row provisionedRow, err error) {
	key := clean(storage.EmailKey(userName))
	err = t.Get(ctx, &row, `SELECT `+personColumns+fromPersons+` AND (p.user_name_key = ? OR p.user_id IS NULL AND a.email_key = ?) ORDER BY p.user_id IS NULL LIMIT 1`,
		t.workspaceNo, key, key)
	return row, err
}

// person finds one by their id.
func (t *tx) person(ctx context.Context, id string) (row provisionedRow, err error) {
	err = t.Get(ctx, &row, `SELECT `+personColumns+fromPersons+there+` AND u.id = ?`, t.workspaceNo, id)
	return row, err
}

// ChangePerson makes of what a provider says of a person what change makes of it, which
// may be run again. Who is not active is deactivated, and let in again when they are. An
// owner, who asks, and an address that somebody chose themselves are not a provider's to
// change: a [provision.FixedError]; who is not to be active is deactivated all the same, and
// their address left as it is.
func (db *DB) ChangePerson(ctx context.Context, principal storage.Principal, id string, change func(provision.Known) (provision.Known, error)) (p provision.Person, err error) {
	err = db.provisionBy(ctx, "change person", principal, func(ctx context.Context, t *tx, who storage.Principal) error {
		row, err := t.person(ctx, id)
		if err != nil {
			return err
		}
		known, err := change(row.known())
		if err != nil {
			return err
		}
		if known, err = known.Clean(); err != nil || known == row.known() {
			return err
		}
		if named, err := t.personNamed(ctx, known.UserName); err == nil && named.ID != id {
			return &provision.TakenError{Field: "userName"}
		} else if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		return t.setKnown(ctx, who, row, known, "changed")
	})
	if err != nil {
		return p, err
	}
	return db.Person(ctx, principal, id)
}

// RemovePerson has a person be gone for providers, and deactivates the user; what they
// said stays. An owner and who asks stay: a [provision.FixedError].
func (db *DB) RemovePerson(ctx context.Context, principal storage.Principal, id string) error {
	return db.provisionBy(ctx, "remove person", principal, func(ctx context.Context, t *tx, who storage.Principal) error {
		row, err := t.person(ctx, id)
		if err != nil {
			return err
		}
		known := row.known()
		known.Active = false
		if err := t.setKnown(ctx, who, row, known, "removed"); err != nil {
			return err
		}
		if err := t.leaveGroups(ctx, who, id); err != nil {
			return err
		}
		_, err = t.Exec(ctx, `UPDATE provisioned SET removed_at = ? WHERE user_id = ?`, toMS(t.now), id)
		return err
	})
}

// leaveGroups takes a person out of all groups, and what these gave them above
// [storage.JoinsFirst]: when they are taken up again, the groups may not grant it any more.
func (t *tx) leaveGroups(ctx context.Context, by storage.Principal, id string) error {
	user, err := t.user(ctx, id)
	if err != nil {
		return err
	}
	var granted []storage.Role
	err = t.List(ctx, &granted, `SELECT g.role FROM provisioned_members m JOIN provisioned_groups g ON g.id = m.group_id WHERE m.user_id = ? AND g.role <> ''`, id)
	if err != nil {
		return err
	}
	if _, err := t.Exec(ctx, `DELETE FROM provisioned_members WHERE user_id = ?`, id); err != nil {
		return err
	}
	role := storage.RoleWithout(user.Role, granted)
	if role == user.Role || !storage.MayChangeRole(by, user, role) {
		return nil
	}
	_, err = t.setRole(ctx, by, user, role, "groups of the identity provider")
	return err
}

var (
	errOwnerFixed = &provision.FixedError{Reason: "Owners, and the person whose token this is, are not changed by SCIM. Change them in the workspace's settings."}
	errEmailFixed = &provision.FixedError{Reason: "This person chose the e-mail address that they sign in by, or uses it in another workspace. They can change it in their own settings."}
)

// setKnown writes what a provider says of a person, and does what follows from it.
func (t *tx) setKnown(ctx context.Context, by storage.Principal, row provisionedRow, known provision.Known, what string) error {
	user := row.user(t.workspaceID)
	if !storage.MayProvisionUser(by, user) {
		return errOwnerFixed
	}
	before := row.known()
	if user.Disabled == known.Active {
		if err := t.setDisabled(ctx, by, user, !known.Active); err != nil {
			return err
		}
		user.Disabled = !known.Active
	}
	given := row.GivenTo
	if known.Name != user.Name { // what they are called now may be their own choice
		if known.Name != given {
			if _, err := t.rename(ctx, by, user, known.Name); err != nil {
				return err
			}
		}
		given = known.Name
	}
	gave, err := t.giveAddress(ctx, by, row, known.Email)
	if fixed, taken := (*provision.FixedError)(nil), (*provision.TakenError)(nil); !known.Active && what != "added" && (errors.As(err, &fixed) || errors.As(err, &taken)) {
		// Nobody stays in for an address that is not for the provider to change.
		known.Email, gave, err = row.ProvidedMail, row.GaveAccount, nil
	}
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `INSERT INTO provisioned (user_id, workspace_no, user_name, user_name_key, external_id, name, given_name, family_name, email, email_key, made, gave_account, removed_at, changed_at)
		VALUES `+conn.Tuples(1, 14)+` ON CONFLICT (user_id) DO UPDATE SET user_name = excluded.user_name, user_name_key = excluded.user_name_key, external_id = excluded.external_id,
			name = excluded.name, given_name = excluded.given_name, family_name = excluded.family_name, email = excluded.email, email_key = excluded.email_key,
			gave_account = excluded.gave_account, removed_at = excluded.removed_at, changed_at = excluded.changed_at`,
		row.ID, t.workspaceNo, known.UserName, clean(storage.EmailKey(known.UserName)), known.ExternalID, cmp.Or(given, known.Name), known.GivenName, known.FamilyName,
		known.Email, clean(storage.EmailKey(known.Email)), row.Made, gave, 0, toMS(t.now))
	if err != nil {
		return err
	}
	t.audit(ctx, by, storage.AuditUserProvisioned, onUser(row.ID), map[string]string{"change": what, "fields": changedFields(before, known)})
	return t.followProvider(ctx, by, []string{row.ID})
}

// changedFields names what a provider says otherwise than before, as SCIM names it.
func changedFields(before, after provision.Known) string {
	var names []string
	for _, one := range []struct{ name, before, after string }{
		{"active", strconv.FormatBool(before.Active), strconv.FormatBool(after.Active)},
		{"userName", before.UserName, after.UserName},
		{"externalId", before.ExternalID, after.ExternalID},
		{"displayName", before.Name, after.Name},
		{"name.givenName", before.GivenName, after.GivenName},
		{"name.familyName", before.FamilyName, after.FamilyName},
		{"emails", before.Email, after.Email},
	} {
		if one.before != one.after {
			names = append(names, one.name)
		}
	}
	return strings.Join(names, " ")
}

// giveAddress has a person sign in by the address that a provider has for them, and says
// whether their account comes from it. An account may be somebody's in several workspaces,
// and an address is proof of who signs in: so a provider makes accounts, and changes those
// that it made and that are used nowhere else, and never gives a person one that is there.
func (t *tx) giveAddress(ctx context.Context, by storage.Principal, row provisionedRow, email string) (gave bool, err error) {
	// Held, so that nobody begins to use it in another workspace meanwhile.
	if _, err := t.Exec(ctx, `UPDATE accounts SET email = email WHERE id = (SELECT account_id FROM users WHERE id = ?)`, row.ID); err != nil {
		return false, err
	}
	account, err := t.accountOf(ctx, row.ID)
	if err != nil {
		return false, err
	}
	key := clean(storage.EmailKey(email))
	has := clean(storage.EmailKey(account.Email))
	asBefore := row.Provisioned && key == clean(storage.EmailKey(row.ProvidedMail))
	if email == "" || has == key || account.ID != "" && asBefore {
		return row.GaveAccount, nil
	}
	if account.ID != "" { // and before others are looked for, so that nothing is learnt of them
		var users int
		if err := t.Get(ctx, &users, `SELECT COUNT(*) FROM users WHERE account_id = ?`, account.ID); err != nil {
			return false, err
		}
		if users > 1 || !row.GaveAccount || has != clean(storage.EmailKey(row.ProvidedMail)) {
			return false, errEmailFixed
		}
	}
	var holders []string // workspaces of who signs in by it
	err = t.List(ctx, &holders, `SELECT COALESCE(w.id, '') FROM accounts a LEFT JOIN users u ON u.account_id = a.id LEFT JOIN workspaces w ON w.no = u.workspace_no WHERE a.email_key = ?`, key)
	if err != nil {
		return false, err
	}
	for _, workspaceID := range holders {
		switch {
		case asBefore: // which is not what is asked: whoever has it by now, all else is done
			return false, nil
		case workspaceID == t.workspaceID || account.ID != "":
			return false, &provision.TakenError{Field: "emails"}
		}
	}
	if account.ID == "" {
		if len(holders) > 0 {
			return false, nil
		}
		if err := t.writeAccount(ctx, &accountRow{Email: email, UserID: row.ID}); err != nil {
			return false, err
		}
		t.audit(ctx, by, storage.AuditEmailChanged, onUser(row.ID), map[string]string{"change": "set"})
		return true, nil
	}
	_, err = t.setAccount(ctx, by, account, storage.AccountChange{Email: &email})
	return true, err
}

// followProvider gives users the roles that the groups they are in grant, as
// [storage.RoleAfter] has it. also are roles that a group granted until now. Whoever a
// provider made has a role of its giving. What is not for who asks to change stays.
func (t *tx) followProvider(ctx context.Context, by storage.Principal, ids []string, also ...storage.Role) error {
	var managed []storage.Role
	err := t.List(ctx, &managed, `SELECT DISTINCT role FROM provisioned_groups WHERE workspace_no = ? AND role <> ''`, t.workspaceNo)
	managed = append(managed, also...)
	if err != nil || len(managed) == 0 {
		return err
	}
	return conn.InChunks(len(ids), 500, func(from, to int) error {
		chunk := conn.Tuples(1, to-from)
		var rows []provisionedRow
		err := t.List(ctx, &rows, `SELECT `+personColumns+fromPersons+` AND u.id IN `+chunk+` ORDER BY u.no`, append([]any{t.workspaceNo}, anys(ids[from:to])...)...)
		if err != nil {
			return err
		}
		var grants []struct {
			UserID string `db:"user_id"`
			Role   storage.Role
		}
		err = t.List(ctx, &grants, `SELECT m.user_id, g.role FROM provisioned_members m JOIN provisioned_groups g ON g.id = m.group_id
			WHERE g.workspace_no = ? AND g.role <> '' AND m.user_id IN `+chunk, append([]any{t.workspaceNo}, anys(ids[from:to])...)...)
		if err != nil {
			return err
		}
		granted := map[string][]storage.Role{}
		for _, one := range grants {
			granted[one.UserID] = append(granted[one.UserID], one.Role)
		}
		for _, row := range rows {
			rule := storage.RoleRule{Granted: granted[row.ID], Managed: managed, Otherwise: storage.JoinsFirst}
			if row.Made {
				rule.Managed = append(managed[:len(managed):len(managed)], rule.Otherwise)
			}
			user := row.user(t.workspaceID)
			role := storage.RoleAfter(user.Role, rule)
			if role == user.Role || !storage.MayChangeRole(by, user, role) || !storage.MayDisable(by, user) {
				continue
			}
			if _, err := t.setRole(ctx, by, user, role, "groups of the identity provider"); err != nil {
				return err
			}
		}
		return nil
	})
}
