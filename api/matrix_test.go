package api

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/pion/webrtc/v4"

	"hark/api/recorder"
	"hark/api/sound"
	"hark/api/web"
	"hark/storage"
)

// TestMatrix asks every route of the server as every kind of caller for things
// of one conversation, and compares the statuses with the table in testdata. A
// route of which the table has no row fails, and so does a row without a route.
// What a call may change is made anew for each cell, and so is the credential
// that it comes with. A row of GET stands for HEAD too, which is answered with
// the same statuses.
func TestMatrix(t *testing.T) {
	m := newMatrix(t)
	routes := m.routes()
	var table bytes.Buffer
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "route")
	for _, caller := range matrixCallers {
		fmt.Fprint(w, "\t"+caller.name)
	}
	fmt.Fprintln(w)
	for _, route := range routes {
		fmt.Fprint(w, route.method+" "+route.path)
		for _, caller := range matrixCallers {
			status := m.ask(route, caller)
			if head := route; route.method == http.MethodGet {
				head.method = http.MethodHead
				if got := m.ask(head, caller); got != status {
					t.Errorf("%s: GET %s is answered with %d, HEAD with %d", caller.name, route.path, status, got)
				}
			}
			fmt.Fprintf(w, "\t%d", status)
		}
		fmt.Fprintln(w)
	}
	must(t, w.Flush())
	golden := filepath.Join("testdata", "matrix.txt")
	if *update {
		must(t, os.WriteFile(golden, table.Bytes(), 0o644))
	}
	want, err := os.ReadFile(golden)
	must(t, err)
	for _, line := range diffLines(string(want), table.String()) {
		t.Error(line)
	}
	t.Logf("%d routes by %d callers", len(routes), len(matrixCallers))
}

// matrixCaller is a kind of caller. Those that are users come with a token of
// their own.
type matrixCaller struct {
	name string
	user func(*matrix) storage.Principal // nil for nobody
	with func(*matrix, *matrixCell)      // changes what they come with; may be nil

	scopes func(matrixThings) string // of their token; nil for all
}

var matrixCallers = []matrixCaller{
	{name: "nobody"},
	{name: "revoked", user: func(m *matrix) storage.Principal { return m.author }, with: (*matrix).revoke},
	{name: "stranger", user: func(m *matrix) storage.Principal { return m.stranger }}, // the owner of another workspace
	{name: "outsider", user: func(m *matrix) storage.Principal { return m.outsider }}, // a member who is not in the conversation
	{name: "guest-out", user: func(m *matrix) storage.Principal { return m.guestOut }},
	{name: "admin-out", user: func(m *matrix) storage.Principal { return m.adminOut }},
	{name: "guest-in", user: func(m *matrix) storage.Principal { return m.guestIn }},
	{name: "member", user: func(m *matrix) storage.Principal { return m.member }},
	{name: "author", user: func(m *matrix) storage.Principal { return m.author }}, // of the message
	{name: "maker", user: func(m *matrix) storage.Principal { return m.maker }},   // of the conversation
	{name: "admin", user: func(m *matrix) storage.Principal { return m.admin }},
	{name: "owner", user: func(m *matrix) storage.Principal { return m.owner }},
	{name: "integration", user: func(m *matrix) storage.Principal { return m.integration }}, // a member, in the conversation
	{name: "signed", user: func(m *matrix) storage.Principal { return m.author }, with: (*matrix).sign},
	{name: "disabled", user: func(m *matrix) storage.Principal { return m.disabled }},
	// The owner and, to record, the author, with a token that is good for less:
	{name: "read", user: func(m *matrix) storage.Principal { return m.owner }, scopes: only("read")},
	{name: "write", user: func(m *matrix) storage.Principal { return m.owner }, scopes: only("write")},
	{name: "record", user: func(m *matrix) storage.Principal { return m.author }, scopes: only("record")},
	{name: "admin-scope", user: func(m *matrix) storage.Principal { return m.owner }, scopes: only("admin")},
	{name: "scim", user: func(m *matrix) storage.Principal { return m.owner }, scopes: only("scim")},
	{name: "here", user: func(m *matrix) storage.Principal { return m.owner }, scopes: func(c matrixThings) string { return "read write record conversation:" + c.conversation }},
	{name: "elsewhere", user: func(m *matrix) storage.Principal { return m.owner }, scopes: func(matrixThings) string { return "read write record conversation:" + storage.NewID() }},
}

func only(scope string) func(matrixThings) string { return func(matrixThings) string { return scope } }

// matrix is a workspace with somebody of each kind.
type matrix struct {
	*harness
	maker, author, member, outsider, guestIn, guestOut, admin, adminOut, owner, stranger storage.Principal

	target storage.Principal // a member whom calls are about; in the conversation
	late   storage.Principal // a member who is to be added

	integration storage.Principal

	disabled       storage.Principal // an owner who was
	disabledSecret string

	shared  matrixThings         // for what changes nothing
	session string               // the author's live recording; empty until it is needed
	kept    map[string][2]string // ids and secrets of tokens, by the caller's name
}

// matrixThings are what calls are about.
type matrixThings struct{ conversation, message, draft, token, invitation, person, group, integration, itsToken string }

// matrixCell is one request of one caller.
type matrixCell struct {
	things     matrixThings
	credential string // id of what the caller comes with
	secret     string // that goes with the request; empty for none
	query      url.Values
}

func newMatrix(t *testing.T) *matrix {
	h := liveHarness(t, recorder.Config{})
	user := func(name string, role storage.Role) storage.Principal { return h.user(name, role).principal }
	m := &matrix{
		harness: h, kept: map[string][2]string{}, owner: h.owner.principal, stranger: h.stranger().principal,
		maker: user("Max", storage.RoleMember), author: user("Mia", storage.RoleMember), member: user("Bob", storage.RoleMember),
		outsider: user("Eve", storage.RoleMember), guestIn: user("Gus", storage.Guest), guestOut: user("Gil", storage.Guest),
		admin: user("Ann", storage.Admin), adminOut: user("Ari", storage.Admin), target: user("Tom", storage.RoleMember), late: user("Liz", storage.RoleMember),
	}
	gone := h.user("Dot", storage.Owner)
	m.disabled, m.disabledSecret = gone.principal, gone.token
	must(t, h.db.DisableUser(t.Context(), gone.principal.WorkspaceID, gone.principal.UserID))
	h.show(m.target)
	m.integration = m.newIntegration("Bell")
	m.shared = m.things()
	m.shared.integration, m.shared.itsToken = m.withToken(m.newIntegration("Gong"))
	h.finish(m.shared.message, "some words")
	return m
}

// things makes a conversation with a message and a draft of the author, who has
// another token.
func (m *matrix) things() (made matrixThings) {
	m.t.Helper()
	ctx := m.t.Context()
	var ids []string
	for _, in := range []storage.Principal{m.author, m.member, m.admin, m.owner, m.target, m.integration} {
		ids = append(ids, in.UserID)
	}
	conversation, _, err := m.db.CreateConversation(ctx, m.maker, storage.NewConversation{Kind: storage.Channel, Title: "Field notes", MemberIDs: ids})
	must(m.t, err)
	must(m.t, m.db.AddConversationMember(ctx, m.owner, conversation.ID, m.guestIn.UserID))
	made.conversation = conversation.ID
	made.message, made.draft = m.accept(conversation.ID, false), m.accept(conversation.ID, true)
	token, _, err := m.db.CreateToken(ctx, m.author.UserID, storage.NewToken{Kind: storage.APIToken, Name: "other"})
	must(m.t, err)
	made.token = token.ID
	invitation, _, err := m.db.CreateInvitation(ctx, m.owner, storage.NewInvitation{Role: storage.RoleMember, Uses: 1, Life: time.Hour})
	must(m.t, err)
	made.invitation = invitation.ID
	return made
}

// newIntegration makes an integration that is a member, by the owner.
func (m *matrix) newIntegration(name string) storage.Principal {
	m.t.Helper()
	i, err := m.db.CreateIntegration(m.t.Context(), m.owner, storage.NewIntegration{Name: name, Role: storage.RoleMember})
	must(m.t, err)
	return storage.Principal{WorkspaceID: i.WorkspaceID, UserID: i.ID, UserName: i.Name, Kind: i.Kind, Role: i.Role}
}

// withToken makes a token of an integration, and returns the ids of both.
func (m *matrix) withToken(i storage.Principal) (id, token string) {
	m.t.Helper()
	made, _, err := m.db.CreateToken(m.t.Context(), i.UserID, storage.NewToken{Kind: storage.APIToken, Name: "its"})
	must(m.t, err)
	return i.UserID, made.ID
}

// accept records a message of the author, whose sound is only there for what is
// shared: nothing that changes something reads it.
func (m *matrix) accept(conversationID string, draft bool) string {
	m.t.Helper()
	id, sound := storage.NewID(), "RIFF"
	key := storage.NewOriginalKey(m.author.WorkspaceID, id)
	if m.shared.conversation == "" {
		_, err := sharedObjects.Put(m.t.Context(), key, "audio/wav", strings.NewReader(sound), int64(len(sound)))
		must(m.t, err)
	}
	_, _, err := m.db.Accept(m.t.Context(), m.author, storage.NewMessage{
		ID: id, ConversationID: conversationID, Draft: storage.Draft{Unsent: draft}, Original: storage.Original{Key: key, Format: "wav", Bytes: int64(len(sound)), SHA256: "ab"},
	})
	must(m.t, err)
	return id
}

// routes are all that echo has but the files of the app, whose names change with
// each build. Those below /v1 are the calls of the description.
func (m *matrix) routes() []route {
	m.t.Helper()
	described := map[route]bool{}
	for path, item := range m.api.api.Description().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				described[route{op.Method, path}] = true
			}
		}
	}
	var all []route
	built := web.Must(web.Open())
	for _, r := range m.api.api.Echo().Routes() {
		if _, file := built.Files[strings.TrimPrefix(r.Path, "/")]; file || r.Method == http.MethodHead {
			continue
		}
		var parts []string
		for part := range strings.SplitSeq(r.Path, "/") {
			if name, ok := strings.CutPrefix(part, ":"); ok {
				part = "{" + name + "}"
			}
			parts = append(parts, part)
		}
		one := route{r.Method, strings.Join(parts, "/")}
		if strings.HasPrefix(one.path, "/v1/") && r.Method != http.MethodOptions && !described[one] {
			m.t.Errorf("%v is not in the description", one)
		}
		delete(described, one)
		all = append(all, one)
	}
	for one := range described {
		m.t.Errorf("%v is described, and not there", one)
	}
	slices.SortFunc(all, func(a, b route) int {
		return cmp.Or(strings.Compare(a.path, b.path), strings.Compare(a.method, b.method))
	})
	return all
}

// ask makes a request that would do, if one were allowed to, and returns its
// status. The body of an answer that goes on is not waited for.
func (m *matrix) ask(r route, caller matrixCaller) int {
	m.t.Helper()
	cell, safe := &matrixCell{things: m.shared, query: url.Values{}}, true
	if (strings.HasPrefix(r.path, "/v1/") || strings.HasPrefix(r.path, "/scim/")) && !slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions}, r.method) {
		cell.things, safe = m.things(), false
	}
	if strings.HasPrefix(r.path, "/scim/") || strings.HasPrefix(r.path, "/v1/provisioning/") {
		provider := m.provider(m.owner)
		cell.things.person = provider.person(storage.NewID())
		cell.things.group = provider.group(storage.NewID(), cell.things.person)
	}
	if !safe && strings.HasPrefix(r.path, "/v1/integrations/") {
		i := m.newIntegration("Chime")
		cell.things.integration, cell.things.itsToken = m.withToken(i)
		defer func() { must(m.t, m.db.DisableUser(m.t.Context(), i.WorkspaceID, i.UserID)) }() // else there are too many
	}
	if caller.user != nil {
		cell.credential, cell.secret = m.token(caller, cell.things, safe)
		if !safe && caller.name == "integration" {
			defer func() { // else it has too many
				_ = m.db.RevokeIntegrationToken(m.t.Context(), m.owner, m.integration.UserID, cell.credential) // the call itself may have ended it
			}()
		}
	}
	if caller.with != nil {
		caller.with(m, cell)
	}
	ctx, done := context.WithCancel(m.t.Context())
	defer done()
	req, err := http.NewRequestWithContext(ctx, r.method, m.http.URL+m.path(r, cell), nil)
	must(m.t, err)
	m.fill(req, r, cell)
	if cell.secret != "" {
		req.Header.Set("Authorization", "Bearer "+cell.secret)
	}
	resp, err := m.http.Client().Do(req)
	must(m.t, err)
	must(m.t, resp.Body.Close())
	if r.path == "/v1/whip/{session}" && r.method == http.MethodDelete && resp.StatusCode < 300 {
		m.session = ""
	}
	return resp.StatusCode
}

// token makes what a caller comes with; for what changes nothing, once. The one
// of who is disabled was made before.
func (m *matrix) token(caller matrixCaller, things matrixThings, safe bool) (id, secret string) {
	m.t.Helper()
	if caller.name == "disabled" {
		return "", m.disabledSecret
	}
	if kept, made := m.kept[caller.name]; made && safe {
		return kept[0], kept[1]
	}
	list := []string{}
	if caller.scopes != nil {
		list = strings.Fields(caller.scopes(things))
	}
	scopes, err := storage.ParseScopes(list)
	must(m.t, err)
	token, secret, err := m.db.CreateToken(m.t.Context(), caller.user(m).UserID, storage.NewToken{Kind: storage.APIToken, Name: caller.name, Scopes: scopes})
	must(m.t, err)
	if safe && caller.with == nil {
		m.kept[caller.name] = [2]string{token.ID, secret}
	}
	return token.ID, secret
}

// path is the address of what the route is asked for.
func (m *matrix) path(r route, cell *matrixCell) string {
	m.t.Helper()
	id := cell.things.message
	switch {
	case strings.HasPrefix(r.path, "/v1/conversations/"), strings.HasPrefix(r.path, "/c/"):
		id = cell.things.conversation
	case strings.HasPrefix(r.path, "/v1/tokens/"):
		id = cell.things.token
	case strings.HasPrefix(r.path, "/v1/invitations/"):
		id = cell.things.invitation
	case strings.HasPrefix(r.path, "/v1/provisioning/"), strings.HasPrefix(r.path, "/scim/v2/Groups"):
		id = cell.things.group
	case strings.HasPrefix(r.path, "/scim/v2/Users"):
		id = cell.things.person
	case strings.HasPrefix(r.path, "/v1/integrations/"):
		id = cell.things.integration
	case strings.HasPrefix(r.path, "/v1/members/"):
		id = m.target.UserID
	case strings.HasPrefix(r.path, "/v1/drafts/"), strings.HasSuffix(r.path, "/send"):
		id = cell.things.draft
	}
	if strings.HasPrefix(r.path, "/v1/users/") {
		id = m.target.UserID
		switch r.method {
		case http.MethodPut:
			id = m.shared.integration
		case http.MethodDelete:
			id = m.late.UserID
		}
	}
	if strings.Contains(r.path, "{session}") {
		m.speak()
	}
	path := strings.NewReplacer("{id}", id, "{user_id}", m.target.UserID, "{token_id}", cell.things.itsToken, "/v1/whip/{session}", m.session, "ResourceTypes/{name}", "ResourceTypes/User", "Schemas/{name}", "Schemas/"+scimUser).Replace(r.path)
	switch {
	case strings.HasSuffix(r.path, "/audio"):
		cell.query.Set("format", "original")
	case r.path == "/v1/search":
		cell.query.Set("q", "words")
	}
	if len(cell.query) > 0 {
		path += "?" + cell.query.Encode()
	}
	return path
}

// speak has the author record live, if they do not.
func (m *matrix) speak() {
	m.t.Helper()
	if m.session != "" {
		return
	}
	author := m.clientFor(m.author.WorkspaceID, storage.User{ID: m.author.UserID})
	m.session = author.send("POST", "/v1/conversations/"+m.shared.conversation+"/whip",
		strings.NewReader(offerOf(m.t, webrtc.RTPCodecTypeAudio)), "Content-Type", "application/sdp").want(201).header.Get("Location")
}

// matrixBodies are what calls take, by method and path: its media type, and the
// body. An offer that cannot be understood is refused only where a good one is taken.
var matrixBodies = map[string][2]string{
	"POST /sign-in":                           {"application/x-www-form-urlencoded", ""},
	"POST /join":                              {"application/x-www-form-urlencoded", ""},
	"PATCH /v1/members/{id}":                  {"application/json", `{"role": "member"}`},
	"POST /v1/members/{id}/sign-in-link":      {},
	"POST /v1/integrations":                   {"application/json", `{"name": "new"}`},
	"PATCH /v1/integrations/{id}":             {"application/json", `{"description": "other"}`},
	"POST /v1/integrations/{id}/tokens":       {"application/json", `{"name": "new"}`},
	"PATCH /v1/usage":                         {"application/json", `{"jobs_waiting": 100000}`},
	"PATCH /v1/audit/settings":                {"application/json", `{"listening": false}`},
	"POST /v1/invitations":                    {"application/json", `{"role": "member"}`},
	"PATCH /v1/me":                            {"application/json", `{"name": "Somebody"}`},
	"PATCH /v1/workspace":                     {"application/json", `{"name": "Somewhere"}`},
	"PATCH /v1/workspace/rules":               {"application/json", `{"create_channels": "members"}`},
	"POST /v1/account/workspaces":             {"application/json", `{"name": "Rowing club"}`},
	"POST /v1/account/workspaces/{id}/switch": {},
	"PATCH /v1/account":                       {"application/json", `{"email": "somebody@example.org"}`},
	"PUT /v1/me/picture":                      {"image/png", "PICTURE"},
	"PUT /v1/users/{id}/picture":              {"image/png", "PICTURE"},
	"PUT /v1/me/pronunciation":                {"audio/wav", "SOUND"}, // which is too short
	"POST /confirm-email":                     {"application/x-www-form-urlencoded", ""},
	"PUT /v1/messages/{id}/heard":             {"application/json", `{"ranges": [{"from_ms": 0, "to_ms": 100}]}`},
	"POST /v1/heard":                          {"application/json", `{"messages": [{"id": "LATE", "ranges": [{"from_ms": 0, "to_ms": 100}]}]}`},
	"POST /v1/conversations/{id}/heard":       {},
	"POST /v1/step-up":                        {"application/json", `{"password": "harbour wall at seven"}`},
	"POST /v1/step-up/options":                {},
	"POST /v1/passkeys":                       {"application/json", `{"state": "none", "credential": {}}`},
	"POST /v1/passkeys/options":               {},
	"PATCH /v1/passkeys/{id}":                 {"application/json", `{"name": "other"}`},
	"POST /v1/recovery-codes":                 {},
	"POST /sign-in/passkey":                   {},
	"POST /v1/account/identities":             {"application/json", `{"provider": "none"}`},
	"POST /v1/step-up/provider":               {"application/json", `{"provider": "none"}`},
	"POST /v1/tokens":                         {"application/json", `{"name": "new"}`},
	"POST /v1/sign-out":                       {},
	"POST /v1/conversations":                  {"application/json", `{"title": "new"}`},
	"PATCH /v1/conversations/{id}":            {"application/json", `{"title": "other"}`},
	"POST /v1/conversations/{id}/members":     {"application/json", `{"user_id": "LATE"}`},
	"POST /v1/conversations/{id}/messages":    {"audio/wav", "SOUND"},
	"POST /v1/conversations/{id}/whip":        {"application/sdp", "v=0"},
	"PATCH /v1/whip/{session}":                {"application/json", `{"paused": true}`},
	"PATCH /v1/messages/{id}":                 {"application/json", `{"title": "other"}`},
	"POST /v1/messages/{id}/retry":            {},
	"POST /v1/messages/{id}/send":             {},
	"POST /v1/messages/{id}/unsend":           {},
	"PATCH /v1/provisioning/groups/{id}":      {"application/json", `{"role": "guest"}`},
	"POST /scim/v2/Users":                     {"application/scim+json", `{"schemas": ["` + scimUser + `"], "userName": "NEW"}`},
	"PUT /scim/v2/Users/{id}":                 {"application/scim+json", `{"schemas": ["` + scimUser + `"], "userName": "NEW"}`},
	"PATCH /scim/v2/Users/{id}":               {"application/scim+json", `{"schemas": ["` + scimPatch + `"], "Operations": [{"op": "replace", "path": "active", "value": false}]}`},
	"POST /scim/v2/Groups":                    {"application/scim+json", `{"schemas": ["` + scimGroup + `"], "displayName": "NEW"}`},
	"PUT /scim/v2/Groups/{id}":                {"application/scim+json", `{"schemas": ["` + scimGroup + `"], "displayName": "NEW"}`},
	"PATCH /scim/v2/Groups/{id}":              {"application/scim+json", `{"schemas": ["` + scimPatch + `"], "Operations": [{"op": "remove", "path": "members"}]}`},
}

// fill gives a request the body that its call takes.
func (m *matrix) fill(req *http.Request, r route, cell *matrixCell) {
	m.t.Helper()
	body, known := matrixBodies[r.method+" "+r.path]
	if !known && (r.method == http.MethodPost || r.method == http.MethodPut || r.method == http.MethodPatch) {
		m.t.Fatalf("say in matrixBodies what %v takes", r)
	}
	if body[0] == "" {
		return
	}
	text := []byte(strings.NewReplacer("LATE", m.late.UserID, "NEW", storage.NewID()).Replace(body[1]))
	if body[1] == "PICTURE" {
		text = pngOf(m.t, 8)
	}
	if body[1] == "SOUND" {
		text = sine(100 * time.Millisecond)
	}
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	req.Header.Set("Content-Type", body[0])
}

// revoke ends what the caller comes with.
func (m *matrix) revoke(cell *matrixCell) {
	m.t.Helper()
	must(m.t, m.db.RevokeToken(m.t.Context(), m.author, cell.credential))
}

// sign has the caller come with a signed address of the message alone.
func (m *matrix) sign(cell *matrixCell) {
	m.t.Helper()
	asking := *m.harness.owner
	asking.token = cell.secret
	signed, err := url.Parse(decode[sound.AudioURL](asking.get("/v1/messages/" + cell.things.message + "/audio-url?format=original").want(http.StatusOK)).URL)
	must(m.t, err)
	cell.query = signed.Query()
	cell.secret = ""
}

// diffLines are the rows that only one of two tables has, however wide their
// columns are.
func diffLines(want, got string) (differ []string) {
	rows := func(table string) (rows []string) {
		for line := range strings.Lines(table) {
			rows = append(rows, strings.Join(strings.Fields(line), " "))
		}
		return rows
	}
	was, is := rows(want), rows(got)
	for _, row := range was {
		if !slices.Contains(is, row) {
			differ = append(differ, "want "+row)
		}
	}
	for _, row := range is {
		if !slices.Contains(was, row) {
			differ = append(differ, "got  "+row)
		}
	}
	return differ
}
