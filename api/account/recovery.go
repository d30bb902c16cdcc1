package account

import (
	"context"
	"net/http"

	"hark/api/limit"
	"hark/api/mail"
	"hark/api/problem"
	"hark/api/rest"
	"hark/storage"
)

type recoveryCodesOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Codes []string `json:"codes" nullable:"false" doc:"Shown this once; each signs in once" example:"[\"8f3kq-27mzc-x0v5r-pd94w\"]"`
	} `nameHint:"RecoveryCodes"`
}

// NewRecoveryCodes makes recovery codes for who asks.
func (e *Endpoints) NewRecoveryCodes() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "create-recovery-codes", Cost: limit.Tokens, Scope: storage.ScopeAdmin, Summary: "Create recovery codes",
		Description: "Ten, each of which signs in once where nothing else is at hand. They are shown once; only their hashes are kept. Those of before end, and you are told by mail. By a signed-in browser only, and `step_up` as for changes of the account.",
		Status:      http.StatusCreated, Problems: []problem.Kind{problem.Forbidden, problem.StepUp},
	}, e.newRecoveryCodes)
}

func (e *Endpoints) newRecoveryCodes(ctx context.Context, principal storage.Principal, _ *struct{}) (*recoveryCodesOutput, error) {
	codes, err := e.deps.Passkeys.NewRecoveryCodes(ctx, principal, e.notice(ctx, mail.RecoveryCodesMade))
	if err != nil {
		return nil, err
	}
	out := &recoveryCodesOutput{CacheControl: "no-store"}
	out.Body.Codes = rest.Views(codes, storage.PrintRecoveryCode)
	return out, nil
}

// notice makes the mail that tells who asks of a change; nil where none can be sent.
func (e *Endpoints) notice(ctx context.Context, change mail.Change) storage.Notice {
	if !e.deps.Mail {
		return nil
	}
	return e.deps.SignIns.SecurityMail(rest.CallFrom(ctx).Request(), change)
}
