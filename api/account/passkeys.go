package account

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"hark/api/example"
	"hark/api/limit"
	"hark/api/mail"
	"hark/api/passkey"
	"hark/api/problem"
	"hark/api/rest"
	"hark/api/signin"
	"hark/storage"
)

// Passkeys is what is asked of storage about passkeys and recovery codes.
type Passkeys interface {
	Passkeys(ctx context.Context, principal storage.Principal) ([]storage.Passkey, error)
	AddPasskey(ctx context.Context, principal storage.Principal, p storage.Passkey, challenge storage.Challenge, notice storage.Notice) (storage.Passkey, error)
	RenamePasskey(ctx context.Context, principal storage.Principal, id, name string) (storage.Passkey, error)
	RemovePasskey(ctx context.Context, principal storage.Principal, id string, byMail bool) error
	ProveByPasskey(ctx context.Context, principal storage.Principal, use storage.PasskeyUse) error
	NewRecoveryCodes(ctx context.Context, principal storage.Principal, notice storage.Notice) ([]string, error)
}

// Passkey is one of the caller's.
type Passkey struct {
	ID         string     `json:"id" format:"uuid" example:"0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e55"`
	Name       string     `json:"name" example:"Google Password Manager"`
	CreatedAt  time.Time  `json:"created_at" example:"2026-03-01T09:30:00Z"`
	LastUsedAt *time.Time `json:"last_used_at,omitempty" doc:"Left out if never" example:"2026-03-02T10:00:00Z"`
	Synced     bool       `json:"synced" doc:"Whether its authenticator copies it to other devices" example:"true"`
}

// Credential is what a browser's navigator.credentials returned.
type Credential struct {
	State      string         `json:"state" minLength:"1" maxLength:"8192" doc:"As it came with the options"`
	Credential map[string]any `json:"credential" doc:"What PublicKeyCredential.toJSON returns (WebAuthn, level 3)"`
}

type (
	passkeysOutput struct {
		Body struct {
			Items []Passkey `json:"items" nullable:"false"`
		} `nameHint:"PasskeyList"`
	}
	passkeyOutput struct{ Body Passkey }
	optionsOutput struct {
		CacheControl string          `header:"Cache-Control"`
		Body         passkey.Options `nameHint:"PasskeyOptions"`
	}
	addPasskeyInput struct {
		Body struct {
			Credential
			Name string `json:"name,omitempty" maxLength:"400" doc:"Left out, it is called by its authenticator or browser" example:"Laptop"`
		} `nameHint:"NewPasskey"`
	}
	renamePasskeyInput struct {
		ID   string `path:"id" doc:"Id of the passkey"`
		Body struct {
			Name string `json:"name" maxLength:"400" doc:"1 to 80 characters, beside what is taken out" example:"Laptop"`
		} `nameHint:"PasskeyPatch"`
	}
	passkeyInput struct {
		ID string `path:"id" doc:"Id of the passkey"`
	}
)

// ListPasskeys lists the passkeys of who asks.
func (e *Endpoints) ListPasskeys() rest.Endpoint {
	return rest.Handle(rest.Operation{ID: "list-passkeys", Scope: storage.ScopeAdmin, Summary: "List your passkeys"}, e.listPasskeys)
}

func (e *Endpoints) listPasskeys(ctx context.Context, principal storage.Principal, _ *struct{}) (*passkeysOutput, error) {
	own, err := e.deps.Passkeys.Passkeys(ctx, principal)
	if err != nil {
		return nil, err
	}
	out := &passkeysOutput{}
	out.Body.Items = rest.Views(own, passkeyView)
	return out, nil
}

// PasskeyOptions begins to add a passkey.
func (e *Endpoints) PasskeyOptions() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "begin-passkey", Scope: storage.ScopeAdmin, Summary: "Begin to add a passkey",
		Description: "Answers what navigator.credentials.create takes. By a signed-in browser only, and `step_up` as for changes of the account. `conflict` where there can be no passkeys; the account says why.",
		Problems:    []problem.Kind{problem.Forbidden, problem.StepUp, problem.Conflict},
	}, e.passkeyOptions)
}

func (e *Endpoints) passkeyOptions(ctx context.Context, principal storage.Principal, _ *struct{}) (*optionsOutput, error) {
	account, err := e.deps.SignIns.MayChange(ctx, principal)
	if err != nil {
		return nil, err
	}
	if account.Passkeys >= storage.MaxPasskeys {
		return nil, errMostPasskeys
	}
	person, err := e.person(ctx, principal, account)
	if err != nil {
		return nil, err
	}
	return optionsAnswer(e.deps.Keys.BeginRegistration(principal.CredentialID, person))
}

var errMostPasskeys = problem.Conflict.Saying("You have as many passkeys as one may have. Remove one first.", nil)

// AddPasskey takes a passkey that a browser made.
func (e *Endpoints) AddPasskey() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "create-passkey", Cost: limit.Tokens, Scope: storage.ScopeAdmin, Summary: "Add a passkey",
		Description: "Takes what navigator.credentials.create returned, within 5 minutes of its options and once. You are told by mail. By a signed-in browser only, and `step_up` as for changes of the account.",
		Status:      http.StatusCreated, Problems: []problem.Kind{problem.Forbidden, problem.StepUp, problem.Conflict, problem.Validation}, Example: passkeyView(passkeyExample()),
	}, e.addPasskey)
}

func (e *Endpoints) addPasskey(ctx context.Context, principal storage.Principal, in *addPasskeyInput) (*passkeyOutput, error) {
	account, err := e.deps.SignIns.MayChange(ctx, principal)
	if err != nil {
		return nil, err
	}
	person, err := e.person(ctx, principal, account)
	if err != nil {
		return nil, err
	}
	response, err := in.Body.response()
	if err != nil {
		return nil, err
	}
	made, challenge, err := e.deps.Keys.FinishRegistration(principal.CredentialID, in.Body.State, person, response)
	if err != nil {
		return nil, invalidPasskey(err)
	}
	made.Name = cmp.Or(in.Body.Name, made.Name, signin.DeviceName(storage.OriginOf(ctx).Agent), "Passkey")
	added, err := e.deps.Passkeys.AddPasskey(ctx, principal, made, challenge, e.notice(ctx, mail.PasskeyAdded))
	if errors.Is(err, storage.ErrConflict) {
		return nil, problem.Conflict.Saying("This passkey is in use already, or you have as many as one may have.", err)
	}
	if err != nil {
		return nil, invalidPasskey(err)
	}
	return &passkeyOutput{passkeyView(added)}, nil
}

// RenamePasskey gives a passkey of who asks another name.
func (e *Endpoints) RenamePasskey() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "update-passkey", Cost: limit.Renames, Scope: storage.ScopeAdmin, Summary: "Rename a passkey", Description: "By a signed-in browser only.",
		Problems: []problem.Kind{problem.Forbidden, problem.NotFound, problem.Validation}, Example: passkeyView(passkeyExample()),
	}, e.renamePasskey)
}

func (e *Endpoints) renamePasskey(ctx context.Context, principal storage.Principal, in *renamePasskeyInput) (*passkeyOutput, error) {
	renamed, err := e.deps.Passkeys.RenamePasskey(ctx, principal, in.ID, in.Body.Name)
	if err != nil {
		return nil, err
	}
	return &passkeyOutput{passkeyView(renamed)}, nil
}

// RemovePasskey ends a passkey of who asks.
func (e *Endpoints) RemovePasskey() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "delete-passkey", Scope: storage.ScopeAdmin, Summary: "Remove a passkey",
		Description: "It signs nobody in any more; sessions go on. Refused as `last_way_in` where you would have no way in left. By a signed-in browser only, and `step_up` as for changes of the account.",
		Problems:    []problem.Kind{problem.Forbidden, problem.StepUp, problem.NotFound, problem.LastWayIn},
	}, e.removePasskey)
}

func (e *Endpoints) removePasskey(ctx context.Context, principal storage.Principal, in *passkeyInput) (*struct{}, error) {
	return nil, e.deps.Passkeys.RemovePasskey(ctx, principal, in.ID, e.deps.Mail)
}

// StepUpOptions begins to prove by a passkey who asks.
func (e *Endpoints) StepUpOptions() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "begin-step-up", Scope: storage.ScopeAdmin, Summary: "Begin to use a passkey again",
		Description: "Answers what navigator.credentials.get takes, for one of your passkeys. `conflict` where you have none, or there can be none.",
		Problems:    []problem.Kind{problem.Forbidden, problem.Conflict},
	}, e.stepUpOptions)
}

func (e *Endpoints) stepUpOptions(ctx context.Context, principal storage.Principal, _ *struct{}) (*optionsOutput, error) {
	if !storage.MayChangeAccount(principal, rest.CallFrom(ctx).Kind) {
		return nil, storage.ErrOnlyBrowsers
	}
	own, err := e.deps.Passkeys.Passkeys(ctx, principal)
	if err != nil {
		return nil, err
	}
	if len(own) == 0 {
		return nil, problem.Conflict.Saying("You have no passkey that could be used.", nil)
	}
	return optionsAnswer(e.deps.Keys.BeginProof(principal.CredentialID, passkey.Person{UserID: principal.UserID, Own: own}))
}

// byPasskey takes a passkey of who asks once more.
func (e *Endpoints) byPasskey(ctx context.Context, principal storage.Principal, given Credential) error {
	own, err := e.deps.Passkeys.Passkeys(ctx, principal)
	if err != nil {
		return err
	}
	response, err := given.response()
	if err != nil {
		return err
	}
	found, use, err := e.deps.Keys.FinishProof(principal.CredentialID, given.State, passkey.Person{UserID: principal.UserID, Own: own}, response)
	if errors.Is(err, passkey.ErrCloned) {
		err = cmp.Or(e.deps.SignIns.RefusePasskey(ctx, found, use.Challenge), err)
	}
	if err != nil {
		return invalidPasskey(err)
	}
	return invalidPasskey(e.deps.Passkeys.ProveByPasskey(ctx, principal, use))
}

// response is what a browser returned, as the library reads it.
func (c Credential) response() ([]byte, error) {
	text, err := json.Marshal(c.Credential)
	if err != nil || len(text) > passkey.MaxResponse {
		return nil, problem.Invalid("body.credential", "must be what PublicKeyCredential.toJSON returns", err)
	}
	return text, nil
}

// invalidPasskey makes a problem of what is wrong with what a passkey answered.
func invalidPasskey(err error) error {
	switch {
	case errors.Is(err, passkey.ErrOff):
		return errNoPasskeys
	case errors.Is(err, passkey.ErrState), errors.Is(err, storage.ErrExpired):
		return problem.Invalid("body.state", "was answered before, has run out, or is another's; begin again", err)
	case errors.Is(err, passkey.ErrRefused), errors.Is(err, passkey.ErrCloned), errors.Is(err, storage.ErrNotFound):
		return problem.Invalid("body.credential", "is not an answer that is taken here", err)
	}
	return err
}

var errNoPasskeys = problem.Conflict.Saying("There can be no passkeys at this server's address: they need https and a domain name.", nil)

func optionsAnswer(o passkey.Options, err error) (*optionsOutput, error) {
	if errors.Is(err, passkey.ErrOff) {
		return nil, errNoPasskeys
	}
	if err != nil {
		return nil, err
	}
	return &optionsOutput{CacheControl: "no-store", Body: o}, nil
}

// person is who asks, as their authenticator is told of them.
func (e *Endpoints) person(ctx context.Context, principal storage.Principal, account storage.Account) (passkey.Person, error) {
	own, err := e.deps.Passkeys.Passkeys(ctx, principal)
	return passkey.Person{UserID: principal.UserID, Name: cmp.Or(account.Email, principal.UserName), Display: principal.UserName, Own: own}, err
}

func passkeyView(p storage.Passkey) Passkey {
	return Passkey{ID: p.ID, Name: p.Name, CreatedAt: p.CreatedAt, LastUsedAt: rest.TimeOrNil(p.LastUsedAt), Synced: p.BackedUp}
}

func passkeyExample() storage.Passkey {
	return storage.Passkey{ID: example.TokenID, Name: "Google Password Manager", CreatedAt: example.Time(0), BackedUp: true}
}
