// Package account answers by what somebody signs in: their e-mail address and their
// password.
//
// A change is taken from a signed-in browser alone, and from none that was left open:
// unless who asks signed in or gave their password within the last ten minutes, they
// give it again ([Endpoints.StepUp]). Who has no password cannot be asked for it. So a
// link that was mailed lets somebody set a new password who forgot theirs.
//
// Passwords are checked and hashed here (package password); storage sees hashes.
package account

import (
	"context"
	"errors"
	"net/http"
	"time"

	"hark/api/example"
	"hark/api/limit"
	"hark/api/mail"
	"hark/api/password"
	"hark/api/problem"
	"hark/api/rest"
	"hark/storage"
)

// Records is what is asked of storage.
type Records interface {
	Account(ctx context.Context, principal storage.Principal) (storage.Account, error)
	ChangeAccount(ctx context.Context, principal storage.Principal, change storage.AccountChange) (storage.Account, error)
	Prove(ctx context.Context, principal storage.Principal, passwordHash string) error
	Profile(ctx context.Context, principal storage.Principal) (storage.Profile, error)
}

// SignIns is what signs people in.
type SignIns interface {
	CheckOwn(ctx context.Context, principal storage.Principal, account storage.Account, given string) (bool, error)
	Revoked(ctx context.Context, workspaceID string)
}

// Deps are the parts that [Endpoints] work with. All are required.
type Deps struct {
	Records   Records
	SignIns   SignIns
	Passwords *password.Hasher
	Mail      bool // whether a mail server is configured
}

// Endpoints answer the calls about the account of who asks.
type Endpoints struct{ deps Deps }

// New makes [Endpoints].
func New(deps Deps) *Endpoints { return &Endpoints{deps} }

// Account is by what somebody signs in.
type Account struct {
	Email       string     `json:"email,omitempty" doc:"Address to sign in by; left out if none is set" example:"ada@example.org"`
	HasPassword bool       `json:"has_password" example:"true"`
	CanMail     bool       `json:"can_mail" doc:"Whether this Hark can send mail, so that one can sign in by a link" example:"true"`
	ProvedUntil *time.Time `json:"proved_until,omitempty" doc:"How long changes need no password; left out where they need it, or there is none" example:"2026-03-01T09:40:00Z"`
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
			Password string `json:"password" maxLength:"2048" doc:"The one that you have" example:"harbour wall at seven"`
		} `nameHint:"StepUp"`
	}
)

// Get answers by what who asks signs in.
func (e *Endpoints) Get() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "get-account", Scope: storage.ScopeAdmin, Summary: "Get how you sign in", Example: e.view(accountExample()),
	}, e.get)
}

func (e *Endpoints) get(ctx context.Context, principal storage.Principal, _ *struct{}) (*accountOutput, error) {
	account, err := e.deps.Records.Account(ctx, principal)
	if err != nil {
		return nil, err
	}
	return &accountOutput{e.view(account)}, nil
}

// Change sets the address or the password of who asks.
func (e *Endpoints) Change() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "update-account", Cost: limit.Renames, Scope: storage.ScopeAdmin, Summary: "Change how you sign in",
		Description: "Sets your e-mail address, your password, or both; a password needs an address. By a signed-in browser only, and `step_up` where the password was not given within the last 10 minutes. Sign-in links that wait end; with a password that was changed, so do all other sessions.",
		Problems:    []problem.Kind{problem.Forbidden, problem.StepUp, problem.Conflict, problem.Validation, problem.Unavailable}, Example: e.view(accountExample()),
	}, e.change)
}

func (e *Endpoints) change(ctx context.Context, principal storage.Principal, in *changeInput) (*accountOutput, error) {
	before, err := e.deps.Records.Account(ctx, principal)
	if err != nil {
		return nil, err
	}
	if !storage.MayChangeAccount(principal, rest.CallFrom(ctx).Kind) {
		return nil, problem.Forbidden.Saying("Only a signed-in browser can change how you sign in. A token cannot.", nil)
	}
	if before.PasswordHash != "" && before.ProvedUntil.IsZero() {
		return nil, storage.ErrStepUp // before anything is hashed; storage decides
	}
	var change storage.AccountChange
	email := before.Email
	if in.Body.Email != nil {
		if email, err = mail.CheckAddress(*in.Body.Email); err != nil {
			return nil, problem.Invalid("body.email", "must be an e-mail address, such as ada@example.org", err)
		}
		change.Email = &email
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
		e.deps.SignIns.Revoked(ctx, principal.WorkspaceID)
	}
	return e.get(ctx, principal, nil)
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

// StepUp takes the password of who asks once more.
func (e *Endpoints) StepUp() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "step-up", Scope: storage.ScopeAdmin, Summary: "Give your password again",
		Description: "For 10 minutes, what answers `step_up` can be done with the session that asks.",
		Status:      http.StatusNoContent, Problems: []problem.Kind{problem.Conflict, problem.Validation, problem.RateLimited, problem.Unavailable},
	}, e.stepUp)
}

func (e *Endpoints) stepUp(ctx context.Context, principal storage.Principal, in *stepUpInput) (*struct{}, error) {
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

func (e *Endpoints) view(a storage.Account) Account {
	return Account{Email: a.Email, HasPassword: a.PasswordHash != "", CanMail: e.deps.Mail, ProvedUntil: rest.TimeOrNil(a.ProvedUntil)}
}

func accountExample() storage.Account {
	return storage.Account{Email: "ada@example.org", PasswordHash: "set", ProvedUntil: example.Time(600)}
}
