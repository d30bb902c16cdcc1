package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"hark/api/conversations"
	"hark/api/messages"
	"hark/api/people"
	"hark/api/rest"
	"hark/api/search"
	"hark/api/signin"
	"hark/storage"
)

func TestConversations(t *testing.T) {
	h := newHarness(t)
	mia, gus := h.user("Mia", storage.RoleMember), h.user("Gus", storage.Guest)
	made := h.owner.json("POST", "/v1/conversations", map[string]any{"title": " North\u0001  team ", "member_ids": []string{mia.principal.UserID}}).want(201)
	c := decode[conversations.Conversation](made)
	if made.header.Get("Location") != "/v1/conversations/"+c.ID || c.Title != "North  team" || c.Kind != storage.Channel || c.MemberCount != 2 {
		t.Errorf("%s", made.body)
	}
	path := "/v1/conversations/" + c.ID
	if got := decode[conversations.Conversation](mia.get(path).want(200)); got.ID != c.ID {
		t.Errorf("%+v", got)
	}
	if got := decode[conversations.Conversation](h.owner.json("PATCH", path, map[string]any{"title": "South"}).want(200)); got.Title != "South" {
		t.Errorf("%+v", got)
	}
	mia.json("PATCH", path, map[string]any{"title": "Mine"}).problem(403, "forbidden")
	mia.send("DELETE", path, nil).problem(403, "forbidden")
	gus.json("POST", "/v1/conversations", map[string]any{"title": "Guests"}).problem(403, "forbidden")

	h.owner.json("POST", path+"/members", map[string]any{"user_id": gus.principal.UserID}).want(204)
	h.owner.json("POST", path+"/members", map[string]any{"user_id": storage.NewID()}).problem(422, "validation_failed")
	h.owner.json("POST", path+"/members", map[string]any{"user_id": h.stranger().principal.UserID}).problem(422, "validation_failed")
	if body := string(gus.get(path + "/members").want(200).body); strings.Count(body, `"user_id"`) != 3 {
		t.Errorf("%s", body)
	}
	gus.send("DELETE", path+"/members/"+gus.principal.UserID, nil).want(204)
	gus.get(path).problem(404, "not_found")
	h.owner.send("DELETE", path, nil).want(204)
	h.owner.get(path).problem(404, "not_found")

	for name, body := range map[string]any{
		"channel without title": map[string]any{},
		"blank title":           map[string]any{"title": "\u0007 "},
		"long title":            map[string]any{"title": strings.Repeat("x", 201)},
		"unknown kind":          map[string]any{"title": "x", "kind": "cave"},
		"unknown field":         map[string]any{"title": "x", "colour": "red"},
		"member is no id":       map[string]any{"title": "x", "member_ids": []string{"me"}},
		"member is a stranger":  map[string]any{"title": "x", "member_ids": []string{storage.NewID()}},
	} {
		t.Run(name, func(t *testing.T) {
			p := h.owner.json("POST", "/v1/conversations", body).problem(422, "validation_failed")
			if len(p.Errors) == 0 || !strings.HasPrefix(p.Errors[0].Field, "body.") {
				t.Errorf("no field is named: %+v", p)
			}
		})
	}
	h.owner.send("POST", "/v1/conversations", strings.NewReader("{"), "Content-Type", "application/json").problem(400, "bad_request")
	empty := h.owner.send("POST", "/v1/conversations", nil, "Content-Type", "application/json").problem(400, "bad_request")
	if empty.Detail != "The request cannot be understood: request body is required." {
		t.Errorf("of an empty body it is said: %q", empty.Detail)
	}
	h.owner.send("POST", "/v1/conversations", strings.NewReader("title: x"), "Content-Type", "text/yaml").problem(415, "unsupported_media_type")
	h.owner.send("POST", "/v1/conversations", strings.NewReader(`{"title":"`+strings.Repeat("x", 70<<10)+`"}`)).problem(413, "too_large")
}

// linkTo is an address in the Link header of an answer (RFC 8288); empty without.
func linkTo(a *answer, rel string) string {
	for link := range strings.SplitSeq(a.header.Get("Link"), ", ") {
		if address, found := strings.CutSuffix(link, `>; rel="`+rel+`"`); found {
			return strings.TrimPrefix(address, "<")
		}
	}
	return ""
}

func TestMessagePages(t *testing.T) {
	h := newHarness(t)
	mia := h.user("Mia", storage.RoleMember)
	conversation := h.owner.conversation(mia)
	var ids []string
	for range 5 {
		ids = append(ids, h.owner.record(conversation).ID)
	}
	t.Run("pages", func(t *testing.T) {
		var seen []string
		next := "/v1/conversations/" + conversation + "/messages?limit=2"
		for next != "" {
			a := mia.get(next).want(200)
			page := decode[rest.Page[messages.Message]](a)
			for _, m := range page.Items {
				seen = append(seen, m.ID)
			}
			next = linkTo(a, "next")
			if (page.NextCursor == "") != (next == "") || next != "" && !strings.Contains(next, "limit=2") {
				t.Fatalf("cursor %q, link %q", page.NextCursor, next)
			}
		}
		if fmt.Sprint(seen) != fmt.Sprint([]string{ids[4], ids[3], ids[2], ids[1], ids[0]}) {
			t.Errorf("%v", seen)
		}
		mia.get("/v1/conversations/"+conversation+"/messages?cursor=nonsense").problem(400, "bad_cursor")
		mia.get("/v1/conversations/"+conversation+"/messages?limit=101").problem(422, "validation_failed")
	})
	t.Run("around one", func(t *testing.T) {
		list := "/v1/conversations/" + conversation + "/messages?limit=2&around="
		a := mia.get(list + ids[2]).want(200)
		page := decode[messages.MessagePage](a)
		if len(page.Items) != 2 || page.Items[0].ID != ids[3] || page.Items[1].ID != ids[2] || page.NextCursor == "" || page.PreviousCursor == "" {
			t.Fatalf("%+v", page)
		}
		older, newer := decode[messages.MessagePage](mia.get(linkTo(a, "next")).want(200)), decode[messages.MessagePage](mia.get(linkTo(a, "prev")).want(200))
		if len(older.Items) != 2 || older.Items[0].ID != ids[1] || len(newer.Items) != 1 || newer.Items[0].ID != ids[4] || newer.PreviousCursor != "" {
			t.Errorf("older %+v, newer %+v", older, newer)
		}
		mia.get(list+storage.NewID()).problem(404, "not_found")
		mia.get(list+"x").problem(422, "validation_failed")
		mia.get(list+ids[2]+"&cursor="+page.NextCursor).problem(422, "validation_failed")
	})
}

func TestMessageCalls(t *testing.T) {
	h := newHarness(t)
	mia := h.user("Mia", storage.RoleMember)
	conversation := h.owner.conversation(mia)
	id := h.owner.record(conversation).ID
	path := "/v1/messages/" + id
	t.Run("title", func(t *testing.T) {
		if m := decode[messages.Message](h.owner.json("PATCH", path, map[string]any{"title": " Noon "}).want(200)); m.Title != "Noon" {
			t.Errorf("%+v", m)
		}
		if m := decode[messages.Message](h.owner.json("PATCH", path, map[string]any{}).want(200)); m.Title != "Noon" {
			t.Errorf("%+v", m)
		}
		if m := decode[messages.Message](h.owner.json("PATCH", path, map[string]any{"title": ""}).want(200)); m.Title != "" {
			t.Errorf("%+v", m)
		}
		mia.json("PATCH", path, map[string]any{"title": "x"}).problem(403, "forbidden")
	})
	t.Run("retry", func(t *testing.T) {
		h.owner.send("POST", path+"/retry", nil).problem(409, "conflict")
		must(t, h.db.FailJob(t.Context(), h.begin(id).Job, "The recording could not be decoded.", -1))
		m := decode[messages.Message](h.owner.get(path).want(200))
		if m.State != storage.Failed || m.Failure == nil || m.Failure.Reason == "" || !m.Failure.CanRetry {
			t.Errorf("%+v", m)
		}
		if p := h.owner.get(path+"/transcript").problem(404, "transcript_not_ready"); !strings.Contains(p.Detail, "could not be decoded") || p.State != "failed" {
			t.Errorf("%+v", p)
		}
		if m := decode[messages.Message](h.owner.send("POST", path+"/retry", nil).want(202)); m.State != storage.Received || m.Failure != nil {
			t.Errorf("%+v", m)
		}
		lost := h.owner.record(conversation).ID
		must(t, h.db.FailJob(t.Context(), h.begin(lost).Job, "No sound could be read from the recording.", storage.Hopeless))
		if m := decode[messages.Message](h.owner.get("/v1/messages/" + lost).want(200)); m.Failure == nil || m.Failure.CanRetry || !strings.HasPrefix(m.Failure.Reason, "No sound") {
			t.Errorf("a retry is offered that cannot help: %+v", m.Failure)
		}
	})
	t.Run("delete", func(t *testing.T) {
		mia.send("DELETE", path, nil).problem(403, "forbidden")
		h.owner.send("DELETE", path, nil).want(204)
		for _, rest := range []string{"", "/audio", "/transcript", "/waveform", "/audio-url"} {
			h.owner.get(path+rest).problem(404, "not_found")
		}
	})
}

func TestSearch(t *testing.T) {
	h := newHarness(t)
	mia := h.user("Mia", storage.RoleMember)
	shared, own := h.owner.conversation(mia), h.owner.conversation()
	heard, secret := h.owner.record(shared), h.owner.record(own)
	h.finish(heard.ID, "We met at the <bridge> at noon")
	h.finish(secret.ID, "The bridge is a secret")

	find := func(c *client, query string) search.SearchResults {
		t.Helper()
		return decode[search.SearchResults](c.get("/v1/search?" + query).want(200))
	}
	if r := find(h.owner, "q=bridge"); r.Total != 2 || len(r.Hits) != 2 || r.TotalIsCapped {
		t.Errorf("%+v", r)
	}
	r := find(mia, "q=bridge")
	if r.Total != 1 || len(r.Hits) != 1 || r.Hits[0].Message.ID != heard.ID || r.Hits[0].StartMS != 2000 {
		t.Fatalf("%+v", r)
	}
	if html := r.Hits[0].Snippet.HTML; !strings.Contains(html, "<mark>") || strings.Contains(html, "<bridge>") {
		t.Errorf("%s", html)
	}
	for query, want := range map[string]int{
		"q=bri":                                           1,
		"q=bri&typing=true":                               1, // as older clients ask
		"q=%22bri%22":                                     0,
		"from=" + h.owner.principal.UserID:                1, // what mia may hear of it
		"q=&after=2020-01-01":                             1,
		"q=bridge&conversation=" + shared:                 1,
		"q=bridge&conversation=" + own:                    0,
		"q=bridge&from=" + h.owner.principal.UserID:       1,
		"q=bridge&from=" + mia.principal.UserID:           0,
		"q=bridge&before=2020-01-01":                      0,
		"q=bridge&after=2020-01-01T00:00:00Z&sort=newest": 1,
		"q=" + url.QueryEscape(`"at noon" -secret brid*`): 1,
	} {
		a := mia.get("/v1/search?" + query)
		if strings.Contains(query, own) && a.status == http.StatusNotFound {
			continue // as good as nothing found
		}
		if r := decode[search.SearchResults](a.want(200)); len(r.Hits) != want || r.Hits == nil {
			t.Errorf("%s: %+v", query, r)
		}
	}
	if r := find(mia, "q=brigde"); len(r.Hits) != 1 || r.Corrected == "" {
		t.Errorf("misspelt: %+v", r)
	}
	if r := find(mia, "q=mia"); len(r.People) != 1 || r.People[0].ID != mia.principal.UserID || r.Total != 0 || r.Corrected != "" {
		t.Errorf("by her name: %+v", r)
	}
	for _, r := range []search.SearchResults{find(mia, "q=shared"), find(mia, "q=own"), find(mia, "q=bridge&after=2020-01-01")} {
		if r.People == nil || r.Conversations == nil {
			t.Errorf("null for none: %+v", r)
		}
	}
	if strings.Contains(h.log.String(), "q=bridge") {
		t.Error("what people search for is in the log")
	}
}

func TestRefusedSearches(t *testing.T) {
	h := newHarness(t)
	mia := h.user("Mia", storage.RoleMember)
	mia.get("/v1/search").problem(422, "invalid_query")
	mia.get("/v1/search?sort=newest").problem(422, "invalid_query")
	mia.get("/v1/search?q=%2B%2B").problem(422, "invalid_query")
	// The sentence has the bounds, and they are those that hold.
	mia.get("/v1/search?q=" + strings.Repeat("bridge+", 16)).want(200)
	if p := mia.get("/v1/search?q="+strings.Repeat("bridge+", 17)).problem(422, "invalid_query"); !strings.Contains(p.Detail, "16 words") {
		t.Errorf("%q", p.Detail)
	}
	mia.get("/v1/search?q=" + strings.Repeat("x", 500)).want(200)
	mia.get("/v1/search?q="+strings.Repeat("x", 501)).problem(422, "invalid_query")
	mia.get("/v1/search?q=bridge&form=x").problem(422, "validation_failed")
	mia.get("/v1/search?q=bridge&after=noon").problem(422, "validation_failed")
	mia.get("/v1/search?q=bridge&conversation=here").problem(422, "validation_failed")
	mia.get("/v1/search?q=bridge&cursor=x").problem(400, "bad_cursor")
}

func TestTokens(t *testing.T) {
	h := newHarness(t)
	a := h.owner.json("POST", "/v1/tokens", map[string]any{"name": "laptop", "expires_in": 3600}).want(201)
	made := decode[signin.NewToken](a)
	if !strings.HasPrefix(made.Secret, "hark_") || made.ExpiresAt == nil || time.Until(*made.ExpiresAt) > time.Hour || made.Current {
		t.Errorf("%s", a.body)
	}
	if got := a.header.Get("Cache-Control"); got != "private, no-store" {
		t.Errorf("a secret may be cached: %q", got)
	}
	other := *h.owner
	other.token = made.Secret
	me := decode[people.Me](other.get("/v1/me").want(200))
	if me.ID != h.owner.principal.UserID || me.Name != "Olga" || me.Role != storage.Owner || me.WorkspaceID != h.owner.principal.WorkspaceID {
		t.Errorf("%+v", me)
	}
	list := string(other.get("/v1/tokens").want(200).body)
	if strings.Count(list, `"id"`) != 2 || strings.Count(list, `"current":true`) != 1 || strings.Contains(list, made.Secret) {
		t.Errorf("%s", list)
	}
	h.owner.send("DELETE", "/v1/tokens/"+made.ID, nil).want(204)
	revoked := other.get("/v1/me")
	revoked.problem(401, "unauthorized")
	if got := revoked.header.Get("WWW-Authenticate"); got != `Bearer realm="hark", error="invalid_token"` {
		t.Errorf("%q", got)
	}
	h.owner.send("DELETE", "/v1/tokens/"+made.ID, nil).problem(404, "not_found")
	h.stranger().send("DELETE", "/v1/tokens/"+h.owner.principal.CredentialID, nil).problem(404, "not_found")
	h.owner.json("POST", "/v1/tokens", map[string]any{"name": " "}).problem(422, "validation_failed")

	gus := h.user("Gus", storage.Guest)
	if body := string(gus.get("/v1/users").want(200).body); strings.Count(body, `"id"`) != 1 {
		t.Errorf("a guest sees %s", body)
	}
	if body := string(h.owner.get("/v1/users").want(200).body); strings.Count(body, `"id"`) != 2 {
		t.Errorf("the owner sees %s", body)
	}
}
