package audit

import (
	"context"

	"hark/api/problem"
	"hark/api/rest"
	"hark/storage"
)

// AuditSettings say what the audit log records beside what it always does.
type AuditSettings struct { //nolint:revive // as above
	Listening bool `json:"listening" doc:"Whether it records who plays and downloads which message: at most once an hour for each person and message" example:"false"`
}

type (
	settingsOutput struct{ Body AuditSettings }
	settingsInput  struct {
		Body struct {
			Listening bool `json:"listening" example:"true"`
		} `nameHint:"AuditSettingsPatch"`
	}
)

// GetSettings answers what is recorded.
func (e *Endpoints) GetSettings() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "get-audit-settings", Scope: storage.ScopeRead, Cacheable: true, Summary: "Get what the audit log records",
		Description: "By anybody in the workspace: who is recorded may know it.", Example: AuditSettings{},
	}, e.getSettings)
}

func (e *Endpoints) getSettings(ctx context.Context, principal storage.Principal, _ *struct{}) (*settingsOutput, error) {
	listening, err := e.records.ListeningRecorded(ctx, principal)
	if err != nil {
		return nil, err
	}
	return &settingsOutput{Body: AuditSettings{Listening: listening}}, nil
}

// UpdateSettings changes what is recorded.
func (e *Endpoints) UpdateSettings() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "update-audit-settings", Scope: storage.ScopeAdmin, Summary: "Change what the audit log records",
		Description: "By an owner or an admin. The change is an entry of its own.", Problems: []problem.Kind{problem.Forbidden, problem.Validation},
		Example: AuditSettings{Listening: true},
	}, e.updateSettings)
}

func (e *Endpoints) updateSettings(ctx context.Context, principal storage.Principal, in *settingsInput) (*settingsOutput, error) {
	if err := e.records.RecordListening(ctx, principal, in.Body.Listening); err != nil {
		return nil, err
	}
	return &settingsOutput{Body: AuditSettings{Listening: in.Body.Listening}}, nil
}
