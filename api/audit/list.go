package audit

import (
	"context"

	"hark/api/example"
	"hark/api/people"
	"hark/api/problem"
	"hark/api/rest"
	"hark/api/signin"
	"hark/storage"
)

// AuditListEntry is an entry with what it is about, as that is now. None of this is
// hashed.
type AuditListEntry struct { //nolint:revive // as above
	AuditEntry
	Device       string             `json:"device,omitempty" doc:"What they came with, as far as the User-Agent tells" example:"Firefox on Linux"`
	People       []people.Author    `json:"people,omitempty" doc:"The users whom the entry names, as they are called now"`
	Conversation *AuditConversation `json:"conversation,omitempty" doc:"The conversation of conversation_id; left out unless it is there and you are in it"`
	MessageSeen  bool               `json:"message_seen,omitempty" doc:"Whether the target is a message that is there and that you may hear; left out if not" example:"true"`
}

// AuditConversation is where something was done.
type AuditConversation struct { //nolint:revive // as above
	ID    string                   `json:"id" format:"uuid" example:"0197a3c2-6a00-7b11-8c22-3d44e5f60718"`
	Kind  storage.ConversationKind `json:"kind" enum:"channel,direct" example:"channel"`
	Title string                   `json:"title,omitempty" doc:"Left out of a direct conversation" example:"Field notes"`
}

// AuditList is a page of the audit log.
type AuditList struct { //nolint:revive // as above
	Items         []AuditListEntry `json:"items" nullable:"false" doc:"Newest first"`
	NextCursor    string           `json:"next_cursor,omitempty" doc:"Pass it as cursor to get the next page; left out on the last" example:"eyJhIjoxNzY3MjI1NjAwMDAwfQ"`
	Total         *int64           `json:"total,omitempty" doc:"Entries that the parameters leave, on the first page: with times alone all of them, else counted up to 10000" example:"1042"`
	TotalIsCapped bool             `json:"total_is_capped,omitempty" doc:"Whether there are that many or more; left out if not" example:"false"`
}

type listOutput struct {
	Link string `header:"Link" doc:"Address of the next page, rel=next; left out on the last"`
	Body AuditList
}

// List lists what was done, the newest first.
func (e *Endpoints) List() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "list-audit", Scope: storage.ScopeAdmin, Summary: "List audit log",
		Description: "By an owner or an admin.", Problems: []problem.Kind{problem.Forbidden, problem.BadCursor, problem.Validation},
		Example: listExample(),
	}, e.list)
}

func (e *Endpoints) list(ctx context.Context, principal storage.Principal, in *listInput) (*listOutput, error) {
	entries, next, err := e.records.Audit(ctx, principal, in.filter(), in.Page())
	if err != nil {
		return nil, err
	}
	names, err := e.records.AuditNames(ctx, principal, entries)
	if err != nil {
		return nil, err
	}
	out := &listOutput{Link: rest.NextLink(rest.CallFrom(ctx).Here(), next)}
	out.Body = AuditList{Items: rest.Views(entries, func(entry storage.AuditEntry) AuditListEntry { return listView(entry, names) }), NextCursor: next}
	if in.Cursor == "" {
		count, err := e.records.CountAudit(ctx, principal, in.filter())
		if err != nil {
			return nil, err
		}
		out.Body.Total, out.Body.TotalIsCapped = &count.Entries, count.Capped
	}
	return out, nil
}

func listView(entry storage.AuditEntry, names storage.AuditNames) AuditListEntry {
	view := AuditListEntry{AuditEntry: View(entry), Device: signin.DeviceName(entry.Agent), MessageSeen: entry.Target.Kind == "message" && names.Messages[entry.Target.ID]}
	seen := map[string]bool{}
	for _, id := range entry.Users() {
		if u, known := names.Users[id]; known && !seen[id] {
			seen[id] = true
			view.People = append(view.People, people.NewAuthor(u.ID, u.Name, u.No, u.Kind))
		}
	}
	if c, known := names.Conversations[entry.Target.ConversationID]; known {
		view.Conversation = &AuditConversation{ID: c.ID, Kind: c.Kind, Title: c.Title}
	}
	return view
}

func listExample() AuditList {
	total := int64(1042)
	item := AuditListEntry{AuditEntry: entryExample(), Device: "curl", People: []people.Author{{ID: example.UserID, Name: "Ada", Color: 0}}}
	return AuditList{Items: []AuditListEntry{item}, Total: &total}
}
