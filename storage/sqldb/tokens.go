package sqldb

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"time"

	"hark/storage"
	"hark/storage/sqldb/conn"
)

const (
	secretPrefix = "hark_"
	secretBytes  = 32
	lastUsedStep = time.Minute
	maxAgent     = 160 // bytes
)

// newSecret is hark_ and 43 characters of base62 made of 32 random bytes.
func newSecret() string {
	b := make([]byte, secretBytes)
	_, _ = rand.Read(b) // never fails
	return fmt.Sprintf("%s%043s", secretPrefix, new(big.Int).SetBytes(b).Text(62))
}

// hashSecret is how a secret is kept. Secrets of 256 random bits need no salt
// and no slow hash.
func hashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// CreateToken makes a credential for a user and returns its secret, which is
// not kept. What cannot be, or would exceed its parent, is storage.ErrInvalid; a
// user who is disabled gets none: storage.ErrForbidden. One for an identity provider is
// made by who manages members ([storage.MayMakeToken]), and asked for in a browser by
// who has just proved who they are: storage.ErrStepUp.
func (db *DB) CreateToken(ctx context.Context, userID string, n storage.NewToken) (storage.Token, string, error) {
	secret := newSecret()
	var token storage.Token
	err := db.changeOf(ctx, "create token", userID, func(ctx context.Context, t *tx) (err error) {
		if err := t.mayMakeToken(ctx, userID, n); err != nil {
			return err
		}
		if token, err = t.createToken(ctx, userID, secret, n); err != nil {
			return err
		}
		return t.auditToken(ctx, token, n.MadeWith, nil)
	})
	return token, secret, err
}

// mayMakeToken fails where a user may not have a token, or not without a proof.
func (t *tx) mayMakeToken(ctx context.Context, userID string, n storage.NewToken) error {
	if !n.Scopes.Provision() {
		return nil
	}
	user, err := t.user(ctx, userID)
	if err != nil {
		return err
	}
	if !storage.MayMakeToken(user, n.Scopes) {
		return errForLeaders
	}
	if n.MadeWith == "" { // by who runs the server
		return nil
	}
	account, err := t.holdAccount(ctx, userID)
	if err != nil {
		return err
	}
	return t.mustProve(ctx, storage.Principal{UserID: userID, CredentialID: n.MadeWith}, account)
}

// auditToken records that a credential was made: by its user, who came with
// another, or by nobody that is known.
func (t *tx) auditToken(ctx context.Context, token storage.Token, madeWith string, more map[string]string) error {
	var maker storage.Principal
	if madeWith != "" {
		user, err := t.user(ctx, token.UserID)
		if err != nil {
			return err
		}
		maker = storage.Principal{UserID: user.ID, UserName: user.Name, CredentialID: madeWith}
	}
	t.auditTokenBy(ctx, maker, token, more)
	return nil
}

func (t *tx) auditTokenBy(ctx context.Context, maker storage.Principal, token storage.Token, more map[string]string) {
	details := map[string]string{"kind": string(token.Kind), "name": token.Name, "scopes": string(token.Scopes), "user_id": token.UserID}
	maps.Copy(details, more)
	t.audit(ctx, maker, storage.AuditTokenCreated, onToken(token.ID), details)
}

// changeOf is change of the workspace that a user is in.
func (db *DB) changeOf(ctx context.Context, op, userID string, fn func(context.Context, *tx) error) error {
	var workspaceID string
	err := db.read(ctx, op, func(ctx context.Context, s session) error {
		return s.Get(ctx, &workspaceID, `SELECT w.id FROM users u JOIN workspaces w ON w.no = u.workspace_no WHERE u.id = ?`, userID)
	})
	if err != nil {
		return err
	}
	return db.change(ctx, op, workspaceID, fn)
}

func (t *tx) createToken(ctx context.Context, userID, secret string, n storage.NewToken) (storage.Token, error) {
	if err := storage.CheckToken(n); err != nil {
		return storage.Token{}, err
	}
	holder, err := t.lockUser(ctx, userID)
	if err != nil {
		return storage.Token{}, err
	}
	if n, err = holder.bound(n); err != nil {
		return storage.Token{}, err
	}
	if holder.Kind == storage.KindIntegration {
		if err := t.roomForToken(ctx, userID); err != nil {
			return storage.Token{}, err
		}
	}
	token := storage.Token{ID: storage.NewID(), UserID: userID, Kind: n.Kind, Name: clean(n.Name), CreatedAt: t.now, Scopes: n.Scopes, Method: n.Method}
	if n.Life > 0 {
		token.ExpiresAt = t.now.Add(n.Life)
	}
	if n.MadeWith != "" {
		if err := t.holdToParent(ctx, &token, n.MadeWith); err != nil {
			return storage.Token{}, err
		}
	}
	_, err = t.Exec(ctx, `INSERT INTO tokens (id, user_id, kind, name, hash, created_at, expires_at, scopes, parent_id, method) VALUES `+conn.Tuples(1, 10),
		token.ID, token.UserID, token.Kind, token.Name, hashSecret(secret), toMS(token.CreatedAt), toMS(token.ExpiresAt), token.Scopes, token.ParentID, token.Method)
	return token, err
}

// holder is a user whose credentials are made or ended.
type holder struct {
	Kind     storage.UserKind
	Disabled bool
}

// lockUser keeps others from making or ending credentials of a user until the
// transaction ends.
func (t *tx) lockUser(ctx context.Context, userID string) (h holder, err error) {
	err = t.Get(ctx, &h, t.ForUpdate(`SELECT kind, disabled_at > 0 AS disabled FROM users WHERE id = ?`), userID)
	return h, err
}

// holdUser is lockUser for a person who is to have credentials: who is disabled has none
// (storage.ErrForbidden), and an integration none but tokens that others make for it.
func (t *tx) holdUser(ctx context.Context, userID string) error {
	h, err := t.lockUser(ctx, userID)
	switch {
	case err != nil:
		return err
	case h.Kind == storage.KindIntegration:
		return storage.ErrNoPerson
	case h.Disabled:
		return errDisabled
	}
	return nil
}

// bound is what a credential of the user is made with, if they can have it: an integration
// has API tokens alone, which it does not make by itself.
func (h holder) bound(n storage.NewToken) (storage.NewToken, error) {
	switch {
	case h.Kind != storage.KindIntegration && h.Disabled:
		return n, errDisabled
	case h.Kind != storage.KindIntegration:
		return n, nil
	case n.MadeWith != "":
		return n, storage.ErrNoPerson
	case h.Disabled:
		return n, errIntegrationEnded
	}
	n.Scopes = cmp.Or(n.Scopes, storage.IntegrationScopes)
	return n, storage.CheckIntegrationToken(n)
}

var errDisabled = &storage.ForbiddenError{Reason: "The user is disabled. Enable them first: hark user enable."}

// holdToParent makes the API token that asks for a new one its parent, and has
// the new one not exceed it: what is left open is as the parent has it.
func (t *tx) holdToParent(ctx context.Context, token *storage.Token, id string) error {
	var row tokenRow
	if err := t.Get(ctx, &row, `SELECT `+tokenColumns+` FROM tokens t WHERE t.id = ? AND t.user_id = ?`, id, token.UserID); err != nil {
		return err
	}
	parent := row.token()
	switch {
	case row.over(t.now):
		return storage.ErrNotFound // it has just ended
	case parent.Kind != storage.APIToken:
		return nil
	}
	token.ParentID = parent.ID
	if token.Scopes == "" {
		token.Scopes = parent.Scopes
	}
	if token.ExpiresAt.IsZero() {
		token.ExpiresAt = parent.ExpiresAt
	}
	switch {
	case !token.Scopes.Within(parent.Scopes):
		return &storage.InvalidError{Field: "scopes", Problem: "must be within those of the token that asks"}
	case !parent.ExpiresAt.IsZero() && token.ExpiresAt.After(parent.ExpiresAt):
		return &storage.InvalidError{Field: "expires_in", Problem: "must not outlast the token that asks"}
	}
	return nil
}

// ImportToken makes a secret that was chosen elsewhere an API token of the
// user. Importing it again does nothing; a secret that is somebody else's, or
// revoked, is storage.ErrConflict.
func (db *DB) ImportToken(ctx context.Context, userID, name, secret string) error {
	return db.changeOf(ctx, "import token", userID, func(ctx context.Context, t *tx) error {
		if err := t.holdUser(ctx, userID); err != nil {
			return err
		}
		token := storage.Token{ID: storage.NewID(), UserID: userID, Kind: storage.APIToken, Name: clean(name)}
		n, err := t.Exec(ctx, `INSERT INTO tokens (id, user_id, kind, name, hash, created_at) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (hash) DO NOTHING`, token.ID, userID, token.Kind, token.Name, hashSecret(secret), toMS(t.now))
		if err != nil {
			return err
		}
		if n == 1 {
			return t.auditToken(ctx, token, "", map[string]string{"imported": "true"})
		}
		var same int
		err = t.Get(ctx, &same, `SELECT COUNT(*) FROM tokens WHERE hash = ? AND user_id = ? AND kind = ? AND ended_at = 0`,
			hashSecret(secret), userID, storage.APIToken)
		if err == nil && same == 0 {
			return storage.ErrConflict
		}
		return err
	})
}

type tokenRow struct {
	ID         string
	UserID     string `db:"user_id"`
	Kind       storage.TokenKind
	Name       string
	CreatedAt  int64 `db:"created_at"`
	LastUsedAt int64 `db:"last_used_at"`
	ExpiresAt  int64 `db:"expires_at"`
	EndedAt    int64 `db:"ended_at"`
	Scopes     storage.Scopes
	ParentID   string `db:"parent_id"`
	Method     storage.SignInMethod
	Address    string
	Agent      string
}

const tokenColumns = `t.id, t.user_id, t.kind, t.name, t.created_at, t.last_used_at, t.expires_at, t.ended_at, t.scopes, t.parent_id, t.method, t.address, t.agent`

func (r tokenRow) token() storage.Token {
	return storage.Token{
		ID: r.ID, UserID: r.UserID, Kind: r.Kind, Name: r.Name,
		CreatedAt: fromMS(r.CreatedAt), LastUsedAt: fromMS(r.LastUsedAt), ExpiresAt: fromMS(r.ExpiresAt),
		Scopes: r.Scopes, ParentID: r.ParentID, Method: r.Method, Address: r.Address, Agent: r.Agent,
	}
}

// over says whether the token has expired, was revoked or is used up.
func (r tokenRow) over(now time.Time) bool {
	return r.EndedAt != 0 || r.ExpiresAt != 0 && r.ExpiresAt <= toMS(now)
}

// Authenticate returns whom a secret of this kind belongs to. A secret that
// never was, or was revoked, is storage.ErrNotFound; one that has run out is
// storage.ErrExpired.
func (db *DB) Authenticate(ctx context.Context, secret string, kind storage.TokenKind) (storage.Principal, error) {
	row, err := db.credential(ctx, `t.hash = ? AND t.kind = ?`, hashSecret(secret), kind)
	if err != nil {
		return storage.Principal{}, err
	}
	db.noteUse(ctx, row.tokenRow, fromMS(row.Now))
	return row.principal(), nil
}

// AuthenticateSigned returns who hears a message by an address that was signed
// for a credential, and fails as Authenticate does once that is over.
func (db *DB) AuthenticateSigned(ctx context.Context, credentialID, messageID string) (storage.Principal, error) {
	row, err := db.credential(ctx, `t.id = ?`, credentialID)
	if err != nil {
		return storage.Principal{}, err
	}
	hearer := row.principal()
	hearer.Scopes = storage.SoundOf(messageID)
	return hearer, nil
}

// credentialRow is a credential with its user.
type credentialRow struct {
	tokenRow
	UserName   string           `db:"user_name"`
	UserKind   storage.UserKind `db:"user_kind"`
	Role       storage.Role
	DisabledAt int64 `db:"disabled_at"`
	Workspace  string
	Now        int64
	storage.Rules
}

func (r credentialRow) principal() storage.Principal {
	return storage.Principal{WorkspaceID: r.Workspace, UserID: r.UserID, UserName: r.UserName, Kind: r.UserKind, Role: r.Role, Rules: r.Rules, CredentialID: r.ID, Scopes: r.Scopes}
}

// fits says whether the credential is one that its user can have, which a node of an older
// version does not ask.
func (r credentialRow) fits() bool {
	return r.UserKind != storage.KindIntegration || storage.CheckIntegrationToken(storage.NewToken{Kind: r.Kind, Scopes: r.Scopes}) == nil
}

// credential finds the one that is not over.
func (db *DB) credential(ctx context.Context, condition string, args ...any) (row credentialRow, err error) {
	err = db.read(ctx, "authenticate", func(ctx context.Context, s session) error {
		err := s.Get(ctx, &row, `SELECT `+tokenColumns+`, u.name AS user_name, u.kind AS user_kind, u.role, u.disabled_at, w.id AS workspace, `+ruleColumns+`, `+s.NowSQL()+` AS now
			FROM tokens t JOIN users u ON u.id = t.user_id JOIN workspaces w ON w.no = u.workspace_no WHERE `+condition, args...)
		switch {
		case err != nil:
			return err
		case row.EndedAt != 0, row.DisabledAt != 0, !row.fits():
			return storage.ErrNotFound
		case row.over(fromMS(row.Now)):
			return storage.ErrExpired
		}
		return nil
	})
	return row, err
}

// noteUse writes when the token was last used, and from where, once a minute at the
// most. It is a courtesy: failing to write it fails nothing.
func (db *DB) noteUse(ctx context.Context, row tokenRow, at time.Time) {
	now := toMS(at.Truncate(lastUsedStep))
	if row.LastUsedAt >= now {
		return
	}
	err := db.write(ctx, "note use of token", func(ctx context.Context, t *tx) error {
		address, agent := origin(ctx)
		_, err := t.Exec(ctx, `UPDATE tokens SET last_used_at = ?, address = ?, agent = ? WHERE id = ? AND last_used_at < ?`, now, address, agent, row.ID, now)
		return err
	})
	if err != nil {
		db.log.WarnContext(ctx, "recording token use failed", "token", row.ID, "error", err)
	}
}

// origin is from where somebody asks, and by what program, as it is kept.
func origin(ctx context.Context) (address, agent string) {
	from := storage.OriginOf(ctx)
	return storage.Printable(from.Address), storage.CutBytes(storage.Printable(from.Agent), maxAgent)
}

// Tokens returns the principal's own credentials that are not over, oldest first; to who
// asks in a browser also the person's sessions in other workspaces, from which one could
// switch here.
func (db *DB) Tokens(ctx context.Context, principal storage.Principal) ([]storage.Token, error) {
	var tokens []storage.Token
	err := db.read(ctx, "list tokens", func(ctx context.Context, s session) (err error) {
		tokens, err = s.tokensOf(ctx, principal.UserID, principal.CredentialID)
		return err
	})
	return tokens, err
}

// tokensOf are a user's credentials that are not over and, to a browser's credential, the
// person's sessions elsewhere; an empty one is told of none.
func (s session) tokensOf(ctx context.Context, userID, credentialID string) ([]storage.Token, error) {
	var rows []tokenRow
	err := s.List(ctx, &rows, `SELECT `+tokenColumns+` FROM tokens t WHERE (t.user_id = ? OR t.id IN `+sessionsElsewhere+`) AND t.ended_at = 0
		AND (t.expires_at = 0 OR t.expires_at > (SELECT `+s.NowSQL()+`)) ORDER BY t.id`, userID, userID, userID, storage.SessionToken, credentialID, storage.SessionToken)
	tokens := make([]storage.Token, len(rows))
	for i, r := range rows {
		tokens[i] = r.token()
	}
	return tokens, err
}

// sessionsElsewhere are a person's sessions, in whichever workspace, as who asks for them in
// a browser may see and end them: of a user given twice, the kind, the credential that
// asks, and the kind again.
const sessionsElsewhere = `(SELECT e.id FROM tokens e WHERE e.user_id IN ` + ofPerson + ` AND e.kind = ? AND EXISTS (SELECT 1 FROM tokens c WHERE c.id = ? AND c.kind = ?))`

// asHolder is the principal as who they are in the workspace of a session of theirs, which
// does not learn with what they came; the principal as they are for any other credential.
func (db *DB) asHolder(ctx context.Context, principal storage.Principal, tokenID string) (as storage.Principal, err error) {
	var row struct {
		UserID      string `db:"user_id"`
		UserName    string `db:"user_name"`
		Role        storage.Role
		WorkspaceID string `db:"workspace_id"`
	}
	err = db.read(ctx, "find holder of token", func(ctx context.Context, s session) error {
		return s.Get(ctx, &row, `SELECT u.id AS user_id, u.name AS user_name, u.role, w.id AS workspace_id FROM tokens t JOIN users u ON u.id = t.user_id JOIN workspaces w ON w.no = u.workspace_no
			WHERE t.id = ? AND t.id IN `+sessionsElsewhere, tokenID, principal.UserID, principal.UserID, storage.SessionToken, principal.CredentialID, storage.SessionToken)
	})
	if errors.Is(err, storage.ErrNotFound) || err == nil && row.UserID == principal.UserID {
		return principal, nil
	}
	return storage.Principal{WorkspaceID: row.WorkspaceID, UserID: row.UserID, UserName: row.UserName, Role: row.Role}, err
}

// RevokeToken ends a credential with all that were made with it, and so on, as
// [storage.MayEndCredentials] says. One that the principal may not end is not
// there for them: storage.ErrNotFound.
func (db *DB) RevokeToken(ctx context.Context, principal storage.Principal, tokenID string) error {
	principal, err := db.asHolder(ctx, principal, tokenID)
	if err != nil {
		return err
	}
	return db.changeBy(ctx, "revoke token", principal, func(ctx context.Context, t *tx) error {
		return t.revokeToken(ctx, principal, tokenID, "")
	})
}

// revokeToken ends a credential, of one user alone where that is not empty.
func (t *tx) revokeToken(ctx context.Context, principal storage.Principal, tokenID, of string) error {
	var holder struct {
		ID   string
		Role storage.Role
		Kind storage.TokenKind
		Name string
	}
	err := t.Get(ctx, &holder, `SELECT u.id, u.role, t.kind, t.name FROM tokens t JOIN users u ON u.id = t.user_id
		WHERE t.id = ? AND (? = '' OR u.id = ?) AND t.ended_at = 0 AND u.workspace_no = ?`, tokenID, of, of, t.workspaceNo)
	if err == nil && !storage.MayEndCredentials(principal, storage.User{ID: holder.ID, Role: holder.Role}) {
		err = storage.ErrNotFound
	}
	if err != nil {
		return err
	}
	if _, err := t.lockUser(ctx, holder.ID); err != nil { // who makes a token with one of these now
		return err
	}
	n, err := t.Exec(ctx, `UPDATE tokens SET ended_at = ? WHERE ended_at = 0 AND id IN (WITH RECURSIVE tree AS (
				SELECT id FROM tokens WHERE id = ? UNION SELECT t.id FROM tokens t JOIN tree ON t.parent_id = tree.id)
			SELECT id FROM tree)`, toMS(t.now), tokenID)
	if err != nil {
		return err
	}
	if tokenID == principal.CredentialID {
		t.audit(ctx, principal, storage.AuditSignOut, onToken(tokenID), nil)
		return nil
	}
	// Whoever had it may have asked for another address, and have come from another workspace.
	// Who signs out themselves may open the link elsewhere.
	end := t.endEmailChangesHere
	if holder.ID == principal.UserID {
		end = t.endEmailChanges
	}
	if err := end(ctx, holder.ID); err != nil {
		return err
	}
	t.audit(ctx, principal, storage.AuditTokenRevoked, onToken(tokenID), map[string]string{
		"kind": string(holder.Kind), "name": holder.Name, "user_id": holder.ID, "ended": number(n),
	})
	return nil
}

// TokenEnded says whether a credential was revoked, by signing out too: what
// was begun with it should end. One that has run out is not meant.
func (db *DB) TokenEnded(ctx context.Context, tokenID string) (ended bool, err error) {
	err = db.read(ctx, "check token", func(ctx context.Context, s session) error {
		ended, err = s.tokenEnded(ctx, tokenID)
		return err
	})
	return ended, err
}

func (s session) tokenEnded(ctx context.Context, tokenID string) (bool, error) {
	var live int
	err := s.Get(ctx, &live, `SELECT COUNT(*) FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.id = ? AND t.ended_at = 0 AND u.disabled_at = 0`, tokenID)
	return live == 0, err
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
