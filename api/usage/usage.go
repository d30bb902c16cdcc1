// Package usage answers, to owners and admins, what a workspace and each person in it
// take, and what they may: by the figures and the quotas that package intake lets
// recordings in by. Whoever runs the server sets quotas for all workspaces; owners may
// set tighter ones for theirs, which are kept with it.
package usage

import (
	"context"

	"hark/api/example"
	"hark/api/limit"
	"hark/api/people"
	"hark/api/problem"
	"hark/api/rest"
	"hark/storage"
)

// Records is what the calls ask of storage.
type Records interface {
	WorkspaceUsage(ctx context.Context, principal storage.Principal) (storage.WorkspaceUsage, error)
	MemberUsages(ctx context.Context, principal storage.Principal, words string, page storage.Page) ([]storage.MemberUsage, string, error)
	SetQuotas(ctx context.Context, principal storage.Principal, patch storage.QuotasPatch, bound storage.Quotas) (storage.WorkspaceUsage, error)
}

// Endpoints answer the calls about usage.
type Endpoints struct {
	records Records
	bound   storage.Quotas // of all workspaces
}

// New makes [Endpoints]. bound is what holds for every workspace.
func New(records Records, bound storage.Quotas) *Endpoints { return &Endpoints{records, bound} }

// Quotas are bounds, by the names that refusals have. What is left out is not bounded.
type Quotas struct {
	StoredBytes int64 `json:"stored_bytes,omitempty" doc:"Bytes of recordings and renditions that the workspace may store" example:"500000000000"`
	BytesPerDay int64 `json:"bytes_per_day,omitempty" doc:"Bytes of recordings that one person may send a day (UTC)" example:"107374182400"`
	JobsWaiting int   `json:"jobs_waiting,omitempty" doc:"Recordings of one person that may wait to be transcribed" example:"10000"`
}

// WorkspaceUsage is what a workspace takes, and may.
type WorkspaceUsage struct {
	StoredBytes int64  `json:"stored_bytes" doc:"Bytes of recordings and renditions that are stored" example:"81234567890"`
	SoundMS     int64  `json:"sound_ms" doc:"Length of the recordings that are stored" example:"734400000"`
	Members     int    `json:"members" doc:"People who are let in, guests among them" example:"212"`
	Guests      int    `json:"guests" example:"9"`
	Quotas      Quotas `json:"quotas" doc:"What holds: of each the tighter of the two below"`
	Own         Quotas `json:"own_quotas" doc:"What the workspace's owners set"`
	Server      Quotas `json:"server_quotas" doc:"What whoever runs the server set for every workspace"`
}

// MemberUsage is what a person takes. What they may is the same for all.
type MemberUsage struct {
	people.User
	StoredBytes int64 `json:"stored_bytes" doc:"Bytes of recordings and renditions that are stored of what they sent" example:"1234567890"`
	SoundMS     int64 `json:"sound_ms" doc:"Length of these recordings" example:"7344000"`
	BytesToday  int64 `json:"bytes_today" doc:"Bytes of recordings that they sent today (UTC), deleted since or not" example:"48000000"`
	JobsWaiting int   `json:"jobs_waiting" doc:"Recordings of theirs that wait to be transcribed" example:"2"`
}

type (
	usageOutput struct{ Body WorkspaceUsage }
	listInput   struct {
		rest.PageParams
		Q string `query:"q" maxLength:"200" doc:"Only those whose name has parts that begin with these words, whatever their case and accents" example:"ada lo"`
	}
	updateInput struct {
		Body struct {
			StoredBytes *int64 `json:"stored_bytes,omitempty" minimum:"0" doc:"0 for none of its own; left out to leave it" example:"500000000000"`
			BytesPerDay *int64 `json:"bytes_per_day,omitempty" minimum:"0" doc:"As above" example:"1000000000"`
			JobsWaiting *int   `json:"jobs_waiting,omitempty" minimum:"0" maximum:"1000000000" doc:"As above" example:"100"`
		} `nameHint:"QuotasPatch"`
	}
)

// Get answers what the workspace takes.
func (e *Endpoints) Get() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "get-usage", Scope: storage.ScopeAdmin, Summary: "Get usage and quotas",
		Description: "By an owner or an admin.", Problems: []problem.Kind{problem.Forbidden}, Example: usageExample(),
	}, e.get)
}

func (e *Endpoints) get(ctx context.Context, principal storage.Principal, _ *struct{}) (*usageOutput, error) {
	return e.answer(e.records.WorkspaceUsage(ctx, principal))
}

// Update sets quotas of the workspace's own.
func (e *Endpoints) Update() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "update-quotas", Cost: limit.Members, Scope: storage.ScopeAdmin, Summary: "Set quotas",
		Description: "By an owner. None may be above what the server allows. What is stored already stays; nothing more is taken in until there is room.",
		Problems:    []problem.Kind{problem.Forbidden, problem.Validation}, Example: usageExample(),
	}, e.update)
}

func (e *Endpoints) update(ctx context.Context, principal storage.Principal, in *updateInput) (*usageOutput, error) {
	return e.answer(e.records.SetQuotas(ctx, principal, storage.QuotasPatch{
		BytesPerDay: in.Body.BytesPerDay, Waiting: in.Body.JobsWaiting, Stored: in.Body.StoredBytes,
	}, e.bound))
}

func (e *Endpoints) answer(u storage.WorkspaceUsage, err error) (*usageOutput, error) {
	if err != nil {
		return nil, err
	}
	return &usageOutput{Body: view(u, e.bound)}, nil
}

// ListMembers lists what each person takes.
func (e *Endpoints) ListMembers() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "list-member-usage", Scope: storage.ScopeAdmin, Summary: "List usage by member",
		Description: "Everybody, those who came last first. By an owner or an admin.",
		Problems:    []problem.Kind{problem.Forbidden, problem.BadCursor, problem.Validation},
		Example:     rest.Page[MemberUsage]{Items: []MemberUsage{memberView(memberExample())}},
	}, e.listMembers)
}

func (e *Endpoints) listMembers(ctx context.Context, principal storage.Principal, in *listInput) (*rest.PageOutput[MemberUsage], error) {
	usages, next, err := e.records.MemberUsages(ctx, principal, in.Q, in.Page())
	if err != nil {
		return nil, err
	}
	return rest.NewPage(rest.CallFrom(ctx).Here(), usages, next, memberView), nil
}

func view(u storage.WorkspaceUsage, bound storage.Quotas) WorkspaceUsage {
	return WorkspaceUsage{
		StoredBytes: u.Stored, SoundMS: u.SoundMS, Members: u.Members, Guests: u.Guests,
		Quotas: quotasView(bound.Within(u.Quotas)), Own: quotasView(u.Quotas), Server: quotasView(bound),
	}
}

func quotasView(q storage.Quotas) Quotas {
	return Quotas{StoredBytes: q.Stored, BytesPerDay: q.BytesPerDay, JobsWaiting: q.Waiting}
}

func memberView(u storage.MemberUsage) MemberUsage {
	return MemberUsage{User: people.View(u.User), StoredBytes: u.Stored, SoundMS: u.SoundMS, BytesToday: u.Today, JobsWaiting: u.Waiting}
}

func usageExample() WorkspaceUsage {
	return view(storage.WorkspaceUsage{
		Stored: 81234567890, SoundMS: 734400000, Members: 212, Guests: 9, Quotas: storage.Quotas{Stored: 500e9},
	}, storage.Quotas{BytesPerDay: 100 << 30, Waiting: 10_000})
}

func memberExample() storage.MemberUsage {
	return storage.MemberUsage{
		User:  storage.User{ID: example.UserID, Name: "Ada", Named: true, Role: storage.RoleMember, No: 1, CreatedAt: example.Time(0)},
		Today: 48e6, Waiting: 2, Stored: 1234567890, SoundMS: 7344000,
	}
}
