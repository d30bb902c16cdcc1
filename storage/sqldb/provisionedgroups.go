package sqldb

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"hark/storage"
	"hark/storage/provision"
	"hark/storage/sqldb/conn"
)

type groupRow struct {
	ID         string
	No         int64
	Name       string
	ExternalID string `db:"external_id"`
	Role       storage.Role
	Size       int
	CreatedAt  int64 `db:"created_at"`
	ChangedAt  int64 `db:"changed_at"`
}

const (
	groupColumns = `g.id, g.no, g.name, g.external_id, g.role, (SELECT COUNT(*) FROM provisioned_members m WHERE m.group_id = g.id) AS size, g.created_at, g.changed_at`
	fromGroups   = ` FROM provisioned_groups g WHERE g.workspace_no = ?`
)

func (r groupRow) group() provision.Group {
	return provision.Group{
		ID: r.ID, GroupKnown: provision.GroupKnown{Name: r.Name, ExternalID: r.ExternalID}, Role: r.Role, Size: r.Size,
		CreatedAt: fromMS(r.CreatedAt), ChangedAt: fromMS(r.ChangedAt),
	}
}

// Groups returns a page of the groups that a query means, and how many these are in all.
// With their members the page is shorter where these are very many. Who may not manage
// members gets storage.ErrForbidden.
func (db *DB) Groups(ctx context.Context, principal storage.Principal, q provision.Query) (list []provision.Group, total int, err error) {
	no, err := db.provisioning(ctx, principal)
	if err != nil {
		return nil, 0, err
	}
	err = db.read(ctx, "list groups", func(ctx context.Context, s session) error {
		list = nil
		var rows []groupRow
		from := statement{fromGroups, []any{no}}.with(s.condition(groupFields, q.Filter))
		if total, err = listPage(ctx, s, &rows, q, groupColumns, from, groupFields, `g.no`); err != nil {
			return err
		}
		listed := 0
		for _, r := range rows {
			one := r.group()
			if listed += one.Size; !q.Bare && len(list) > 0 && listed > provision.MaxListed {
				break
			}
			if !q.Bare {
				if one.Members, err = s.groupMembers(ctx, one.ID); err != nil {
					return err
				}
			}
			list = append(list, one)
		}
		return nil
	})
	return list, total, err
}

// Group returns one, with its members unless bare is set.
func (db *DB) Group(ctx context.Context, principal storage.Principal, id string, bare bool) (g provision.Group, err error) {
	list, _, err := db.Groups(ctx, principal, provision.Query{Count: 1, Bare: bare, Filter: provision.Filter{Op: provision.Equal, Field: provision.ID, Text: id}})
	if err == nil && len(list) == 0 {
		err = storage.ErrNotFound
	}
	if err != nil {
		return g, err
	}
	return list[0], nil
}

// GroupPage returns a page of the groups without their members, by name: 50 unless asked
// otherwise, 200 at the most. Who may not manage members gets storage.ErrForbidden.
func (db *DB) GroupPage(ctx context.Context, principal storage.Principal, page storage.Page) (list []provision.Group, next string, err error) {
	if !storage.MayManageMembers(principal) {
		return nil, "", errForLeaders
	}
	_, seal, err := db.pages(ctx, principal)
	if err != nil {
		return nil, "", err
	}
	name, skip := "groups "+principal.WorkspaceID, 0
	if page.Cursor != "" {
		if err := seal.Open(name, page.Cursor, &skip); err != nil {
			return nil, "", fmt.Errorf("list groups: %w", err)
		}
	}
	limit := pageLimit(page, 50, provision.MaxPage)
	list, total, err := db.Groups(ctx, principal, provision.Query{Sort: provision.Name, Skip: skip, Count: limit, Bare: true})
	if err == nil && skip+len(list) < total {
		next, err = seal.Close(name, skip+len(list))
	}
	return list, next, err
}

func (s session) groupMembers(ctx context.Context, id string) (members []provision.Ref, err error) {
	err = s.List(ctx, &members, `SELECT u.id, u.name FROM provisioned_members m JOIN users u ON u.id = m.user_id WHERE m.group_id = ? ORDER BY u.no`, id)
	if members == nil {
		members = []provision.Ref{} // which were asked for
	}
	return members, err
}

func (t *tx) group(ctx context.Context, id string) (g provision.Group, err error) {
	var row groupRow
	if err := t.Get(ctx, &row, `SELECT `+groupColumns+fromGroups+` AND g.id = ?`, t.workspaceNo, id); err != nil {
		return g, err
	}
	g = row.group()
	g.Members, err = t.groupMembers(ctx, id)
	return g, err
}

// AddGroup makes a group. A name that another has is a [provision.TakenError].
func (db *DB) AddGroup(ctx context.Context, principal storage.Principal, known provision.GroupKnown) (g provision.Group, err error) {
	known, err = known.Clean()
	if err != nil {
		return g, err
	}
	id := storage.NewID()
	err = db.provisionBy(ctx, "add group", principal, func(ctx context.Context, t *tx, who storage.Principal) error {
		if err := t.freeName(ctx, id, known.Name); err != nil {
			return err
		}
		var last struct{ No, Count int64 }
		if err := t.Get(ctx, &last, `SELECT COALESCE(MAX(no), 0) AS no, COUNT(*) AS count FROM provisioned_groups WHERE workspace_no = ?`, t.workspaceNo); err != nil {
			return err
		}
		if last.Count >= provision.MaxGroups {
			return provision.FullError{}
		}
		_, err := t.Exec(ctx, `INSERT INTO provisioned_groups (id, workspace_no, no, name, name_key, external_id, created_at, changed_at) VALUES `+conn.Tuples(1, 8),
			id, t.workspaceNo, last.No+1, known.Name, clean(storage.EmailKey(known.Name)), known.ExternalID, toMS(t.now), toMS(t.now))
		if err != nil {
			return err
		}
		added, _, err := t.setGroupMembers(ctx, id, nil, known.Members)
		if err != nil {
			return err
		}
		t.audit(ctx, who, storage.AuditGroupCreated, onGroup(id), map[string]string{"name": known.Name, "added": strconv.Itoa(len(added))})
		return nil
	})
	if err != nil {
		return g, err
	}
	return db.Group(ctx, principal, id, false)
}

func onGroup(id string) storage.Target { return storage.Target{Kind: "group", ID: id} }

// freeName fails where another group has a name.
func (t *tx) freeName(ctx context.Context, id, name string) error {
	var taken int
	err := t.Get(ctx, &taken, `SELECT COUNT(*) FROM provisioned_groups WHERE workspace_no = ? AND name_key = ? AND id <> ?`, t.workspaceNo, clean(storage.EmailKey(name)), id)
	if err == nil && taken > 0 {
		err = &provision.TakenError{Field: "displayName"}
	}
	return err
}

// ChangeGroup makes of what a provider says of a group what change makes of it, which may
// be run again. Where the group grants a role, its members get it, and who is in it no
// more loses it.
func (db *DB) ChangeGroup(ctx context.Context, principal storage.Principal, id string, change func(provision.GroupKnown) (provision.GroupKnown, error)) error {
	return db.provisionBy(ctx, "change group", principal, func(ctx context.Context, t *tx, who storage.Principal) error {
		before, err := t.group(ctx, id)
		if err != nil {
			return err
		}
		asked := before.GroupKnown
		asked.Members = slices.Clone(asked.Members)
		known, err := change(asked)
		if err != nil {
			return err
		}
		if known, err = known.Clean(); err != nil {
			return err
		}
		if err := t.freeName(ctx, id, known.Name); err != nil {
			return err
		}
		added, removed, err := t.setGroupMembers(ctx, id, before.Members, known.Members)
		if err != nil {
			return err
		}
		if len(added)+len(removed) == 0 && known.Name == before.Name && known.ExternalID == before.ExternalID {
			return nil
		}
		_, err = t.Exec(ctx, `UPDATE provisioned_groups SET name = ?, name_key = ?, external_id = ?, changed_at = ? WHERE id = ?`,
			known.Name, clean(storage.EmailKey(known.Name)), known.ExternalID, toMS(t.now), id)
		if err != nil {
			return err
		}
		details := map[string]string{"name": known.Name, "added": strconv.Itoa(len(added)), "removed": strconv.Itoa(len(removed))}
		if known.Name != before.Name {
			details["from"] = before.Name
		}
		t.audit(ctx, who, storage.AuditGroupChanged, onGroup(id), details)
		if before.Role == "" {
			return nil
		}
		return t.followProvider(ctx, who, slices.Concat(added, removed))
	})
}

// setGroupMembers has a group have these members, of whom all must be persons, and
// returns the ids of who was added and who removed.
func (t *tx) setGroupMembers(ctx context.Context, id string, before, after []provision.Ref) (added, removed []string, err error) {
	had, has := map[string]bool{}, map[string]bool{}
	for _, one := range before {
		had[one.ID] = true
	}
	for _, one := range after {
		has[one.ID] = true
		if !had[one.ID] {
			added = append(added, one.ID)
		}
	}
	for _, one := range before {
		if !has[one.ID] {
			removed = append(removed, one.ID)
		}
	}
	err = conn.InChunks(len(added), 500, func(from, to int) error {
		n, err := t.Exec(ctx, `INSERT INTO provisioned_members (group_id, user_id) SELECT CAST(? AS TEXT), u.id`+fromPersons+there+` AND u.id IN `+conn.Tuples(1, to-from),
			append([]any{id, t.workspaceNo}, anys(added[from:to])...)...)
		if err == nil && n < int64(to-from) {
			err = &storage.InvalidError{Field: "members", Problem: "must be ids of users that are here"}
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	err = conn.InChunks(len(removed), 500, func(from, to int) error {
		_, err := t.Exec(ctx, `DELETE FROM provisioned_members WHERE group_id = ? AND user_id IN `+conn.Tuples(1, to-from), append([]any{id}, anys(removed[from:to])...)...)
		return err
	})
	return added, removed, err
}

// RemoveGroup removes a group; who has a role by it alone loses that.
func (db *DB) RemoveGroup(ctx context.Context, principal storage.Principal, id string) error {
	return db.provisionBy(ctx, "remove group", principal, func(ctx context.Context, t *tx, who storage.Principal) error {
		before, err := t.group(ctx, id)
		if err != nil {
			return err
		}
		if _, err := t.Exec(ctx, `DELETE FROM provisioned_groups WHERE id = ?`, id); err != nil {
			return err
		}
		t.audit(ctx, who, storage.AuditGroupDeleted, onGroup(id), map[string]string{"name": before.Name, "removed": strconv.Itoa(before.Size)})
		if before.Role == "" {
			return nil
		}
		return t.followProvider(ctx, who, idsOf(before.Members), before.Role)
	})
}

func idsOf(refs []provision.Ref) (ids []string) {
	for _, one := range refs {
		ids = append(ids, one.ID)
	}
	return ids
}

// SetGroupRole has the members of a group get a role, or none by it, as
// [storage.MayGrantByGroup] says. Who asks has just proved who they are, in a browser:
// storage.ErrStepUp.
func (db *DB) SetGroupRole(ctx context.Context, principal storage.Principal, id string, role storage.Role) (g provision.Group, err error) {
	if role != "" {
		if err := storage.CheckRole(role); err != nil {
			return g, err
		}
	}
	err = db.changeBy(ctx, "set role of group", principal, func(ctx context.Context, t *tx) error {
		who, err := t.asNow(ctx, principal)
		if err != nil {
			return err
		}
		if !storage.MayManageMembers(who) { // nor may they learn which groups there are
			return storage.ErrNotFound
		}
		before, err := t.group(ctx, id)
		if err != nil {
			return err
		}
		if !storage.MayGrantByGroup(who, before.Role, role) {
			return errAbove
		}
		account, err := t.holdAccount(ctx, principal.UserID)
		if err != nil {
			return err
		}
		if err := t.mustProve(ctx, principal, account); err != nil || role == before.Role {
			return err
		}
		if _, err := t.Exec(ctx, `UPDATE provisioned_groups SET role = ? WHERE id = ?`, role, id); err != nil {
			return err
		}
		t.audit(ctx, who, storage.AuditGroupRoleChanged, onGroup(id), map[string]string{"name": before.Name, "from": string(cmp.Or(before.Role, "none")), "to": string(cmp.Or(role, "none"))})
		var also []storage.Role
		if before.Role != "" {
			also = append(also, before.Role)
		}
		return t.followProvider(ctx, who, idsOf(before.Members), also...)
	})
	if err != nil {
		return g, err
	}
	return db.Group(ctx, principal, id, true)
}

// ProvisioningTokens returns the credentials by which providers come to the workspace,
// the newest first, with whose they are.
func (db *DB) ProvisioningTokens(ctx context.Context, principal storage.Principal) (tokens []storage.Token, whose map[string]storage.User, err error) {
	no, err := db.provisioning(ctx, principal)
	if err != nil {
		return nil, nil, err
	}
	err = db.read(ctx, "list tokens of providers", func(ctx context.Context, s session) error {
		tokens, whose = nil, map[string]storage.User{}
		var rows []tokenRow
		err := s.List(ctx, &rows, `SELECT `+tokenColumns+` FROM tokens t JOIN users u ON u.id = t.user_id WHERE u.workspace_no = ? AND t.scopes = ? AND t.ended_at = 0
			AND (t.expires_at = 0 OR t.expires_at > (SELECT `+s.NowSQL()+`)) ORDER BY t.id DESC LIMIT 100`, no, storage.ScopeProvision)
		for _, r := range rows {
			var user userRow
			if err := s.Get(ctx, &user, `SELECT `+userColumns+` FROM users u WHERE u.id = ?`, r.UserID); err != nil {
				return err
			}
			tokens, whose[r.UserID] = append(tokens, r.token()), user.user(principal.WorkspaceID)
		}
		return err
	})
	return tokens, whose, err
}

// Conditions. Whatever a provider sends stands in arguments, never in the statement.

// field is how a field is compared.
type field struct {
	expr string                 // of a row
	fold func(string) string    // of what it is compared with; nil for what is compared as it is
	find func(string) statement // narrows what is looked through where it is to be equal; may be nil
	is   kindOfField
}

type kindOfField int

const (
	textField kindOfField = iota
	boolField
	timeField
	memberField // expr is a condition with one argument
)

func personFields(workspaceNo int64) map[provision.Field]field {
	key := func(text string) string { return clean(storage.EmailKey(text)) }
	by := func(column string) func(string) statement {
		return func(text string) statement {
			return statement{` AND u.id IN (SELECT f.user_id FROM provisioned f WHERE f.workspace_no = ? AND f.` + column + ` = ?
				UNION ALL SELECT o.id FROM accounts n JOIN users o ON o.account_id = n.id WHERE n.email_key = ?)`, []any{workspaceNo, text, text}}
		}
	}
	return map[provision.Field]field{
		provision.ID: {expr: `u.id`},
		provision.ExternalID: {expr: `COALESCE(p.external_id, '')`, find: func(text string) statement {
			return statement{` AND u.id IN (SELECT f.user_id FROM provisioned f WHERE f.workspace_no = ? AND f.external_id = ?)`, []any{workspaceNo, text}}
		}},
		provision.UserName:   {expr: `COALESCE(p.user_name_key, a.email_key, '')`, fold: key, find: by("user_name_key")},
		provision.Email:      {expr: `COALESCE(p.email_key, a.email_key, '')`, fold: key},
		provision.Name:       {expr: `LOWER(u.name)`, fold: strings.ToLower},
		provision.GivenName:  {expr: `LOWER(COALESCE(p.given_name, ''))`, fold: strings.ToLower},
		provision.FamilyName: {expr: `LOWER(COALESCE(p.family_name, ''))`, fold: strings.ToLower},
		provision.Active:     {expr: `u.disabled_at = 0`, is: boolField},
		provision.Members:    {expr: `EXISTS (SELECT 1 FROM provisioned_members m WHERE m.user_id = u.id AND m.group_id = ?)`, is: memberField},
		provision.CreatedAt:  {expr: `u.created_at`, is: timeField},
		provision.ChangedAt:  {expr: `COALESCE(p.changed_at, u.created_at)`, is: timeField},
	}
}

var groupFields = map[provision.Field]field{
	provision.ID:         {expr: `g.id`},
	provision.ExternalID: {expr: `g.external_id`},
	provision.Name:       {expr: `g.name_key`, fold: func(text string) string { return clean(storage.EmailKey(text)) }},
	provision.Members:    {expr: `EXISTS (SELECT 1 FROM provisioned_members m WHERE m.group_id = g.id AND m.user_id = ?)`, is: memberField},
	provision.CreatedAt:  {expr: `g.created_at`, is: timeField},
	provision.ChangedAt:  {expr: `g.changed_at`, is: timeField},
}

// condition is what a filter asks for, to stand behind a WHERE.
func (s session) condition(fields map[provision.Field]field, f provision.Filter) statement {
	where := statement{text: ` AND `}.with(s.part(fields, f))
	if one := fields[f.Field]; f.Op == provision.Equal && !f.Not && one.find != nil {
		where = where.with(one.find(s.folded(one, f.Text)))
	}
	return where
}

func (s session) part(fields map[provision.Field]field, f provision.Filter) statement {
	part := statement{text: `(`}
	if f.Not {
		part.text = `(NOT `
	}
	switch f.Op {
	case provision.Everything:
		return part.and(`(1 = 1))`)
	case provision.And, provision.Or:
		part = part.and(`(`)
		for i, one := range f.Parts {
			if i > 0 {
				part = part.and(` ` + strings.ToUpper(string(f.Op)) + ` `)
			}
			part = part.with(s.part(fields, one))
		}
		return part.and(`))`)
	}
	return part.with(s.comparison(fields[f.Field], f)).and(`)`)
}

var timeOps = map[provision.Op]string{provision.Equal: `=`, provision.After: `>`, provision.NotBefore: `>=`, provision.Before: `<`, provision.NotAfter: `<=`}

// comparison is one of a field that there is; of others nothing is found.
func (s session) comparison(one field, f provision.Filter) statement {
	text, length := s.folded(one, f.Text), strconv.Itoa(utf8.RuneCountInString(s.folded(one, f.Text)))
	switch {
	case one.expr == "":
		return statement{text: `1 = 0`}
	case f.Op == provision.Present && one.is != textField:
		return statement{text: `1 = 1`}
	case f.Op == provision.Present:
		return statement{text: one.expr + ` <> ''`}
	case one.is == boolField:
		return statement{`(` + one.expr + `) = ?`, []any{f.Bool}}
	case one.is == memberField:
		return statement{one.expr, []any{text}}
	case one.is == timeField:
		return statement{one.expr + ` ` + timeOps[f.Op] + ` ?`, []any{toMS(f.At)}}
	case f.Op == provision.Equal:
		return statement{one.expr + ` = ?`, []any{text}}
	case f.Text == "":
		return statement{text: `1 = 1`}
	case f.Op == provision.Contains:
		return statement{`REPLACE(` + one.expr + `, ?, '') <> ` + one.expr, []any{text}}
	case f.Op == provision.Begins:
		return statement{`SUBSTR(` + one.expr + `, 1, ` + length + `) = ?`, []any{text}}
	default:
		return statement{`LENGTH(` + one.expr + `) >= ` + length + ` AND SUBSTR(` + one.expr + `, LENGTH(` + one.expr + `) - ` + length + ` + 1) = ?`, []any{text}}
	}
}

// folded is what a field is compared with. SQLite knows the case of a to z alone.
func (s session) folded(one field, text string) string {
	text = clean(text)
	if one.fold == nil {
		return text
	}
	if strings.HasPrefix(one.expr, "LOWER") && s.Name() == conn.SQLite {
		return strings.Map(func(r rune) rune {
			if r >= 'A' && r <= 'Z' {
				return r + 'a' - 'A'
			}
			return r
		}, text)
	}
	return one.fold(text)
}

// listPage reads a page of what is meant, and counts all of it.
func listPage[R any](ctx context.Context, s session, rows *[]R, q provision.Query, columns string, from statement, fields map[provision.Field]field, no string) (total int, err error) {
	if count := min(q.Count, provision.MaxPage); count > 0 {
		order := no
		if sort := fields[q.Sort].expr; sort != "" && fields[q.Sort].is != memberField {
			order = sort
		}
		if q.Down {
			order += ` DESC`
		}
		page := statement{text: `SELECT ` + columns}.with(from).and(` ORDER BY `+order+`, `+no+` LIMIT ? OFFSET ?`, count, q.Skip)
		if err := s.listAll(ctx, rows, page); err != nil {
			return 0, err
		}
		if n := len(*rows); n < count && (n > 0 || q.Skip == 0) { // it is the last
			return q.Skip + n, nil
		}
	}
	err = s.getOne(ctx, &total, statement{text: `SELECT COUNT(*)`}.with(from))
	return total, err
}
