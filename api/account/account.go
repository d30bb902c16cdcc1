// Package account answers by what somebody signs in: their e-mail address and their
// password, their passkeys and their recovery codes.
//
// A change is taken from a signed-in browser alone, and from none that was left open:
// unless who asks signed in or proved who they are within the last ten minutes, they
// give their password or use a passkey again ([Endpoints.StepUp]), or sign in anew at a
// provider that they are linked at (package signin). Where mail can be sent, an address
// holds from when it was confirmed by a link that was mailed to it ([Endpoints.ConfirmPage]),
// and nobody learns whether it is another's. Who has none of these cannot be asked for it. So a
// link that was mailed lets somebody set a new password who forgot theirs.
//
// Passwords are checked and hashed here (package password), and so is what passkeys
// sign (package passkey); storage sees hashes and public keys.
package account

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"hark/api/example"
	"hark/api/limit"
	"hark/api/mail"
	"hark/api/openid"
	"hark/api/passkey"
	"hark/api/password"
	"hark/api/problem"
	"hark/api/rest"
	"hark/api/security"
	"hark/storage"
)

// Records is what is asked of storage.
type Records interface {
	Account(ctx context.Context, principal storage.Principal) (storage.Account, error)
	ChangeAccount(ctx context.Context, principal storage.Principal, change storage.AccountChange) (storage.Account, error)
	Prove(ctx context.Context, principal storage.Principal, passwordHash string) error
	Profile(ctx context.Context, principal storage.Principal) (storage.Profile, error)
	Identities(ctx context.Context, principal storage.Principal) ([]storage.Identity, error)
}

// SignIns is what signs people in.
type SignIns interface {
	MayChange(ctx context.Context, principal storage.Principal) (storage.Account, error)
	CheckOwn(ctx context.Context, principal storage.Principal, account storage.Account, given string) (bool, error)
	RefusePasskey(ctx context.Context, p storage.Passkey, challenge storage.Challenge) error
	SecurityMail(req *http.Request, change mail.Change) storage.Notice
	RevokedOf(ctx context.Context, principal storage.Principal)
	Choices(workspaceID string) []openid.Choice
}

// Emails is what is asked about addresses that wait to be confirmed.
type Emails interface {
	EmailChange(ctx context.Context, code string) (storage.EmailChange, error)
	ConfirmEmail(ctx context.Context, code string, told storage.Notice) (storage.EmailChange, error)
	CancelEmail(ctx context.Context, principal storage.Principal) error
}

// Browsers is what knows who a browser is signed in as, and writes to addresses.
type Browsers interface {
	SignedIn(req *http.Request) (storage.Principal, error)
	CheckOrigin(req *http.Request) error
	EmailMails(req *http.Request, name, workspace string) *storage.EmailMails
}

// Deps are the parts that [Endpoints] work with. All are required.
type Deps struct {
	Records   Records
	Passkeys  Passkeys
	Keys      *passkey.Keys
	SignIns   SignIns
	Passwords *password.Hasher
	Emails    Emails
	Browsers  Browsers
	Limits    *rest.Limits
	Security  *security.Log
	PublicURL rest.PublicURL
	Mail      bool // whether a mail server is configured
}

// Endpoints answer the calls about the account of who asks.
type Endpoints struct{ deps Deps }

// New makes [Endpoints].
func New(deps Deps) *Endpoints { return &Endpoints{deps} }

// Account is by what somebody signs in.
type Account struct {
	Email       string     `json:"email,omitempty" doc:"Address to sign in by; left out if none is set" example:"ada@example.org"`
	Waiting     *Waiting   `json:"waiting,omitempty" doc:"Address that waits to be confirmed; left out if none does"`
	HasPassword bool       `json:"has_password" example:"true"`
	CanMail     bool       `json:"can_mail" doc:"Whether this Hark can send mail, so that one can sign in by a link" example:"true"`
	HasPasskey  bool       `json:"has_passkey" example:"true"`
	ProvedUntil *time.Time `json:"proved_until,omitempty" doc:"How long changes need no further proof of who you are; left out where they need it, or none can be asked for" example:"2026-03-01T09:40:00Z"`

	RecoveryCodes  int    `json:"recovery_codes" minimum:"0" maximum:"10" doc:"How many are left" example:"10"`
	PasskeyOrigin  string `json:"passkey_origin,omitempty" doc:"Origin of the pages that can use passkeys; left out where there can be none" example:"https://hark.example.org"`
	PasskeyTrouble string `json:"passkey_trouble,omitempty" enum:"insecure,no_domain" doc:"Why there can be no passkeys: the public address is http and not localhost, or has no domain name; more may be added" example:"insecure"`

	Identities []Identity `json:"identities" nullable:"false" doc:"Linked at OpenID providers; each signs you in"`
	Providers  []Provider `json:"providers" nullable:"false" doc:"OpenID providers of this server, as its operator configured them"`
}

// Waiting is an address that somebody wants to sign in by, and has not confirmed yet.
type Waiting struct {
	Email     string    `json:"email" example:"ada@example.net"`
	ExpiresAt time.Time `json:"expires_at" doc:"When the link that was mailed runs out" example:"2026-03-01T10:30:00Z"`
}

// Identity is who somebody is at a provider.
type Identity struct {
	ID         string     `json:"id" format:"uuid" example:"0197a3c2-bbbb-7d05-b1c6-5e7788990a1b"`
	Provider   string     `json:"provider,omitempty" doc:"Id of the provider; left out if it is not configured any more" example:"keycloak"`
	Name       string     `json:"name" doc:"Of the provider" example:"Keycloak"`
	Email      string     `json:"email,omitempty" doc:"That the provider named last" example:"ada@example.org"`
	LinkedAt   time.Time  `json:"linked_at" example:"2026-03-01T09:30:00Z"`
	LastUsedAt *time.Time `json:"last_used_at,omitempty" doc:"Left out if never" example:"2026-03-02T10:00:00Z"`
}

// Provider is an OpenID provider to sign in by.
type Provider struct {
	ID   string `json:"id" example:"keycloak"`
	Name string `json:"name" example:"Keycloak"`
}

type (
	accountOutput struct{ Body Account }
	changeInput   struct {
		Body struct {
			Email    *string `json:"email,omitempty" minLength:"3" maxLength:"254" doc:"Address to sign in by" example:"ada@example.org"`
			Password *string `json:"password,omitempty" maxLength:"2048" doc:"10 to 128 characters of any kind, and none that many people have" example:"harbour wall at seven"`
		} `nameHint:"AccountPatch"`
	}
	stepUpInput struct {
		Body struct {
			Password string      `json:"password,omitempty" maxLength:"2048" doc:"The one that you have" example:"harbour wall at seven"`
			Passkey  *Credential `json:"passkey,omitempty" doc:"What one of your passkeys answered, in place of the password"`
		} `nameHint:"StepUp"`
	}
)

// Get answers by what who asks signs in.
func (e *Endpoints) Get() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "get-account", Scope: storage.ScopeAdmin, Summary: "Get how you sign in", Example: e.example(),
	}, e.get)
}

func (e *Endpoints) get(ctx context.Context, principal storage.Principal, _ *struct{}) (*accountOutput, error) {
	account, err := e.deps.Records.Account(ctx, principal)
	if err != nil {
		return nil, err
	}
	identities, err := e.deps.Records.Identities(ctx, principal)
	if err != nil {
		return nil, err
	}
	return &accountOutput{e.view(account, identities, e.deps.SignIns.Choices(principal.WorkspaceID))}, nil
}

// Change sets the address or the password of who asks.
func (e *Endpoints) Change() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "update-account", Cost: limit.Renames, Scope: storage.ScopeAdmin, Summary: "Change how you sign in",
		Description: "Sets your e-mail address, your password, or both; a password needs an address. Where this server can send mail, an address waits until the link is opened that is mailed to it; set it again for another link. By a signed-in browser only, and `step_up` where who you are was not proved within the last 10 minutes. Sign-in links that wait end; with a password that was changed, so do all other sessions.",
		Problems:    []problem.Kind{problem.Forbidden, problem.StepUp, problem.Conflict, problem.Validation, problem.RateLimited, problem.Unavailable}, Example: e.example(),
	}, e.change)
}

func (e *Endpoints) change(ctx context.Context, principal storage.Principal, in *changeInput) (*accountOutput, error) {
	before, err := e.deps.SignIns.MayChange(ctx, principal)
	if err != nil {
		return nil, err
	}
	var change storage.AccountChange
	email := before.Email
	if in.Body.Email != nil {
		if email, err = mail.CheckAddress(*in.Body.Email); err != nil {
			return nil, problem.Invalid("body.email", "must be an e-mail address, such as ada@example.org", err)
		}
		change.Email = &email
		if e.deps.Mail && email != before.Email {
			if change.Confirm, err = e.confirm(ctx, principal, email); err != nil {
				return nil, err
			}
		}
	}
	if in.Body.Password != nil {
		hash, err := e.hash(ctx, principal, *in.Body.Password, email)
		if err != nil {
			return nil, err
		}
		change.PasswordHash = &hash
	}
	_, err = e.deps.Records.ChangeAccount(ctx, principal, change)
	if errors.Is(err, storage.ErrConflict) {
		return nil, problem.Conflict.Saying("This address is another account's.", err)
	}
	if err != nil {
		return nil, err
	}
	if before.PasswordHash != "" && change.PasswordHash != nil {
		e.deps.SignIns.RevokedOf(ctx, principal)
	}
	return e.get(ctx, principal, nil)
}

// confirm has an address wait to be confirmed. How many mails that sends is bounded by who
// asks for them, and by address, whoever asks.
func (e *Endpoints) confirm(ctx context.Context, principal storage.Principal, address string) (*storage.EmailMails, error) {
	if err := e.deps.Limits.Spend(ctx, principal, limit.EmailChanges, 1); err != nil {
		return nil, err
	}
	if retry, ok := e.deps.Limits.Allow(limit.EmailChanges, "to "+storage.EmailKey(address)); !ok {
		return nil, problem.RateLimited.Saying("This address was written to too often. Try again in "+limit.InWords(retry)+".", nil).
			WithHeader("Retry-After", strconv.Itoa(int(retry/time.Second)))
	}
	profile, err := e.deps.Records.Profile(ctx, principal)
	return e.deps.Browsers.EmailMails(rest.CallFrom(ctx).Request(), profile.Name, profile.Workspace.Name), err
}

// CancelEmail has the address that waits wait no more.
func (e *Endpoints) CancelEmail() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "cancel-email-change", Cost: limit.Renames, Scope: storage.ScopeAdmin, Summary: "Cancel the change of your address",
		Description: "The link that was mailed does not work any more. By a signed-in browser only.", Problems: []problem.Kind{problem.Forbidden},
	}, e.cancelEmail)
}

func (e *Endpoints) cancelEmail(ctx context.Context, principal storage.Principal, _ *struct{}) (*struct{}, error) {
	return nil, e.deps.Emails.CancelEmail(ctx, principal)
}

// hash checks a password that is to be set, and hashes it.
func (e *Endpoints) hash(ctx context.Context, principal storage.Principal, given, email string) (string, error) {
	profile, err := e.deps.Records.Profile(ctx, principal)
	if err != nil {
		return "", err
	}
	if err := password.Check(given, email, profile.Name, profile.Workspace.Name); err != nil {
		return "", err
	}
	return e.deps.Passwords.Hash(ctx, given)
}

// StepUp takes the password or a passkey of who asks once more.
func (e *Endpoints) StepUp() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "step-up", Scope: storage.ScopeAdmin, Summary: "Give your password, or use a passkey, again",
		Description: "One of the two. For 10 minutes, what answers `step_up` can be done with the session that asks.",
		Status:      http.StatusNoContent, Problems: []problem.Kind{problem.Conflict, problem.Validation, problem.RateLimited, problem.Unavailable},
	}, e.stepUp)
}

func (e *Endpoints) stepUp(ctx context.Context, principal storage.Principal, in *stepUpInput) (*struct{}, error) {
	if in.Body.Passkey != nil {
		return nil, e.byPasskey(ctx, principal, *in.Body.Passkey)
	}
	account, err := e.deps.Records.Account(ctx, principal)
	if err != nil {
		return nil, err
	}
	if account.PasswordHash == "" {
		return nil, problem.Conflict.Saying("You have no password that could be given.", nil)
	}
	right, err := e.deps.SignIns.CheckOwn(ctx, principal, account, in.Body.Password)
	if err != nil {
		return nil, err
	}
	if !right {
		return nil, problem.Invalid("body.password", "is not your password", nil)
	}
	return nil, e.deps.Records.Prove(ctx, principal, account.PasswordHash)
}

// Problem makes problems of the errors that only these calls have.
func Problem(err error) *problem.Problem {
	if errors.Is(err, password.ErrBusy) {
		return problem.Unavailable.Because(err).WithHeader("Retry-After", "10")
	}
	return nil
}

func (e *Endpoints) view(a storage.Account, identities []storage.Identity, providers []openid.Choice) Account {
	var waiting *Waiting
	if a.Waiting.Email != "" {
		waiting = &Waiting{a.Waiting.Email, a.Waiting.ExpiresAt}
	}
	return Account{
		Waiting: waiting,
		Email:   a.Email, HasPassword: a.PasswordHash != "", CanMail: e.deps.Mail, HasPasskey: a.Passkeys > 0, ProvedUntil: rest.TimeOrNil(a.ProvedUntil),
		RecoveryCodes: a.RecoveryCodes, PasskeyOrigin: e.deps.Keys.Origin(), PasskeyTrouble: string(e.deps.Keys.Trouble()),
		Identities: rest.Views(identities, func(i storage.Identity) Identity { return identityView(i, providers) }),
		Providers:  rest.Views(providers, func(p openid.Choice) Provider { return Provider{ID: p.ID, Name: p.Name} }),
	}
}

// identityView names the provider of an identity, or at least its issuer.
func identityView(i storage.Identity, providers []openid.Choice) Identity {
	view := Identity{ID: i.ID, Name: i.Issuer, Email: i.Email, LinkedAt: i.LinkedAt, LastUsedAt: rest.TimeOrNil(i.LastUsedAt)}
	for _, p := range providers {
		if p.Issuer == i.Issuer {
			view.Provider, view.Name = p.ID, p.Name
		}
	}
	return view
}

func (e *Endpoints) example() Account {
	const issuer = "https://sso.example.org"
	return e.view(
		storage.Account{Email: "ada@example.org", PasswordHash: "set", Passkeys: 1, RecoveryCodes: storage.RecoveryCodes, ProvedUntil: example.Time(600)},
		[]storage.Identity{{ID: "0197a3c2-bbbb-7d05-b1c6-5e7788990a1b", Issuer: issuer, Email: "ada@example.org", LinkedAt: example.Time(0)}},
		[]openid.Choice{{ID: "keycloak", Name: "Keycloak", Issuer: issuer}},
	)
}
