// Package audit answers who did what in a workspace: the audit log, page by page and
// whole, for owners and admins. What is recorded, and how it is chained, package
// storage says; it is written in the transactions that it is about.
package audit

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hark/api/download"
	"hark/api/example"
	"hark/api/problem"
	"hark/api/rest"
	"hark/storage"
)

// Records is what the calls ask of storage.
type Records interface {
	Audit(ctx context.Context, principal storage.Principal, filter storage.AuditFilter, page storage.Page) ([]storage.AuditEntry, string, error)
	CountAudit(ctx context.Context, principal storage.Principal, filter storage.AuditFilter) (storage.AuditCount, error)
	AuditNames(ctx context.Context, principal storage.Principal, entries []storage.AuditEntry) (storage.AuditNames, error)
	ListeningRecorded(ctx context.Context, principal storage.Principal) (bool, error)
	RecordListening(ctx context.Context, principal storage.Principal, recorded bool) error
	ExportAudit(ctx context.Context, principal storage.Principal, filter storage.AuditFilter, take func([]storage.AuditEntry) error) error
}

// Endpoints answer the calls about the audit log.
type Endpoints struct{ records Records }

// New makes [Endpoints].
func New(records Records) *Endpoints { return &Endpoints{records: records} }

// AuditEntry is something that was done, as the audit log has it. What is empty is
// left out; see package storage for what is hashed.
type AuditEntry struct { //nolint:revive // the schema is named after the type
	Seq          int64               `json:"seq" doc:"Counts up from 1 without gaps" example:"1042"`
	At           string              `json:"at" format:"date-time" doc:"To the millisecond" example:"2026-03-01T09:30:00.000Z"`
	Action       storage.AuditAction `json:"action" doc:"What was done; more may be added" example:"token_created"`
	Actor        AuditActor          `json:"actor" doc:"Who did it"`
	CredentialID string              `json:"credential_id,omitempty" format:"uuid" doc:"The session or token that they came with" example:"0197a3c2-8888-7d05-b1c6-5e7788990a1b"`
	Address      string              `json:"address,omitempty" doc:"IP address that they came from" example:"203.0.113.7"`
	UserAgent    string              `json:"user_agent,omitempty" doc:"What their program calls itself, shortened" example:"curl/8.5.0"`

	Target         *AuditTarget      `json:"target,omitempty" doc:"What it was done to"`
	ConversationID string            `json:"conversation_id,omitempty" format:"uuid" doc:"That the target is, or is in" example:"0197a3c2-6a00-7b11-8c22-3d44e5f60718"`
	Details        map[string]string `json:"details,omitempty" doc:"More of what was done, by the action; never a secret, a title or what was said" example:"{\"name\":\"laptop\",\"scopes\":\"read\"}"`
	Hash           string            `json:"hash" doc:"SHA-256 of the entry and the hash of the one before, in hex" example:"b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c"`
}

// AuditActor is who did something.
type AuditActor struct { //nolint:revive // as above
	Kind storage.ActorKind `json:"kind" enum:"user,integration,operator,nobody,system" doc:"user: of the workspace; integration: one of the workspace; operator: who ran a command on the server; nobody: who was not signed in; system: Hark itself" example:"user"`
	ID   string            `json:"id,omitempty" format:"uuid" doc:"Of a user or an integration" example:"0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e55"`
	Name string            `json:"name,omitempty" doc:"What they were called then; an operator's account on the server" example:"Ada"`
}

// AuditTarget is what something was done to.
type AuditTarget struct { //nolint:revive // as above
	Kind string `json:"kind" enum:"user,token,conversation,message,invitation,workspace" example:"token"`
	ID   string `json:"id" format:"uuid" example:"0197a3c2-8888-7d05-b1c6-5e7788990a1b"`
}

// Filter are the parameters that say which entries are meant. The name is
// exported because huma looks into no other embedded struct.
type Filter struct {
	Action       storage.AuditAction `query:"action" maxLength:"64" doc:"Only what was done in this way" example:"token_created"`
	Actor        string              `query:"actor" maxLength:"64" doc:"Only what this user did, by id"`
	Target       string              `query:"target" maxLength:"64" doc:"Only what was done to this, by id"`
	Conversation string              `query:"conversation" maxLength:"64" doc:"Only what was done to this conversation or in it, by id"`
	From         time.Time           `query:"from" doc:"Only at this time or later"`
	To           time.Time           `query:"to" doc:"Only before this time"`
}

func (f Filter) filter() storage.AuditFilter {
	return storage.AuditFilter{Action: f.Action, ActorID: f.Actor, TargetID: f.Target, ConversationID: f.Conversation, From: f.From, To: f.To}
}

type (
	listInput struct {
		rest.PageParams
		Filter
	}
	exportInput struct{ Filter }
)

const mediaTypeJSONLines = "application/jsonl"

// Export sends the whole log, or what of it is meant.
func (e *Endpoints) Export() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "export-audit", Scope: storage.ScopeAdmin, Summary: "Export audit log",
		Description: "JSON lines (`application/jsonl`): an entry a line, the oldest first. Whole, without filters, it can be verified with SHA-256 alone. That it was exported is an entry of its own. By an owner or an admin.",
		Problems:    []problem.Kind{problem.Forbidden, problem.Validation}, Document: documentExport,
	}, e.export)
}

func documentExport(op *huma.Operation, schemas huma.Registry) {
	op.Responses["200"] = &huma.Response{
		Description: "The entries, each a JSON object on a line",
		Content: map[string]*huma.MediaType{mediaTypeJSONLines: {
			Schema: schemas.Schema(reflect.TypeFor[AuditEntry](), true, "AuditEntry"), Example: rest.AsJSON(entryExample()),
		}},
	}
}

// export sends the entries as they are read, some at a time. What fails then breaks
// the connection, so that a part is not taken for the whole.
func (e *Endpoints) export(ctx context.Context, principal storage.Principal, in *exportInput) (*rest.Stream, error) {
	if _, _, err := e.records.Audit(ctx, principal, in.filter(), storage.Page{Limit: 1}); err != nil { // which exports nothing, as HEAD does
		return nil, err
	}
	call := rest.CallFrom(ctx)
	return &rest.Stream{Body: func(out huma.Context) {
		header := call.Response().Header()
		header.Set("Content-Type", mediaTypeJSONLines)
		header.Set("Content-Disposition", download.Disposition("attachment", "audit.jsonl"))
		out.SetStatus(http.StatusOK)
		if call.Request().Method == http.MethodHead {
			return
		}
		err := e.records.ExportAudit(ctx, principal, in.filter(), func(entries []storage.AuditEntry) error {
			return writeLines(call.Response(), entries)
		})
		if err != nil {
			call.Err = err
			panic(http.ErrAbortHandler)
		}
	}}, nil
}

func writeLines(w http.ResponseWriter, entries []storage.AuditEntry) error {
	lines := json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	for _, entry := range entries {
		if err := lines.Encode(View(entry)); err != nil {
			return err
		}
	}
	return http.NewResponseController(w).Flush()
}

// View is an entry as the API shows it.
func View(e storage.AuditEntry) AuditEntry {
	view := AuditEntry{
		Seq: e.Seq, At: e.Time(), Action: e.Action, Actor: AuditActor{Kind: e.Actor.Kind, ID: e.Actor.ID, Name: e.Actor.Name},
		CredentialID: e.CredentialID, Address: e.Address, UserAgent: e.Agent, ConversationID: e.Target.ConversationID, Details: e.Details, Hash: e.Hash,
	}
	if e.Target.Kind != "" {
		view.Target = &AuditTarget{Kind: e.Target.Kind, ID: e.Target.ID}
	}
	return view
}

func entryExample() AuditEntry {
	entry := storage.AuditEntry{
		Seq: 1042, At: example.Time(0), Action: storage.AuditTokenCreated, Actor: storage.Actor{Kind: storage.ActorUser, ID: example.UserID, Name: "Ada"},
		CredentialID: "0197a3c2-7777-7d05-b1c6-5e7788990a1b", Address: "203.0.113.7", Agent: "curl/8.5.0", Target: storage.Target{Kind: "token", ID: example.TokenID},
		Details: map[string]string{"kind": "api", "name": "laptop", "user_id": example.UserID},
	}
	entry.Hash = entry.HashAfter(storage.AuditRoot)
	return View(entry)
}
