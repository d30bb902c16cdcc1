package main

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"hark/cmd/hark/client"
)

func testSearch(t *testing.T, c *commands) {
	got := c.run(t, "search", "harbour").want(t, 0)
	if !strings.Contains(got.stdout, "[harbour] [31mwall") || !strings.Contains(got.stdout, " found\n") || got.stderr != "" {
		t.Errorf("printed %q, said %q", got.stdout, got.stderr)
	}
	got = c.run(t, "search", "unheard").want(t, 1)
	if got.stdout != "0 found\n" {
		t.Errorf("printed %q", got.stdout)
	}
	c.run(t, "search", "-c", "nowhere", "harbour").want(t, 2, "nowhere")
	c.run(t, "search", `""`).want(t, 2, "status 422")
	c.run(t, "search").want(t, 2)

	type answer struct {
		Hits []struct {
			Message struct{ ID string }
			StartMS *int64 `json:"start_ms"`
			Snippet struct{ Text string }
		}
		Total int
	}
	found := decodeJSON[answer](t, c.run(t, "search", "--json", "harbour").want(t, 0))
	if len(found.Hits) == 0 || found.Total < 3 || found.Hits[0].Message.ID == "" || found.Hits[0].StartMS == nil {
		t.Errorf("got %+v", found)
	}
	if none := decodeJSON[answer](t, c.run(t, "search", "--json", "unheard").want(t, 1)); none.Hits == nil || none.Total != 0 {
		t.Errorf("got %+v", none)
	}
}

// testLists compares the lists of the commands with those of the API.
func testLists(t *testing.T, c *commands) {
	c.run(t, "user", "add", "Mia 海 \x1b[31m\u202e").want(t, 0)
	c.run(t, "token", "create", "--name", "a\tlap\x1btop").want(t, 0)
	for path, args := range map[string][]string{"/users": {"user", "list"}, "/tokens": {"token", "list"}} {
		var page struct {
			Items []map[string]any `json:"items"`
		}
		if err := mustClient(t, c.Instance).Get(t.Context(), path, nil, &page); err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			delete(item, "current") // of the API's token, which the command line has not
		}
		got := decodeJSON[[]map[string]any](t, c.run(t, append(args, "--json")...).want(t, 0))
		for i := range got {
			delete(got[i], "last_used_at") // to the minute, which may pass
		}
		for i := range page.Items {
			delete(page.Items[i], "last_used_at")
		}
		if len(got) < 2 || !sameItems(got, page.Items) {
			t.Errorf("%v prints %v, and the API %v", args, got, page.Items)
		}
		lines := strings.Split(strings.TrimSuffix(c.run(t, args...).want(t, 0).stdout, "\n"), "\n")
		if len(lines) != len(got) {
			t.Errorf("%v prints %q", args, lines)
		}
	}
	models := decodeJSON[[]modelView](t, c.run(t, "models", "list", "--json").want(t, 0))
	if len(models) < 3 || models[0].ID == "" || models[0].State != "absent" || models[0].Bytes == 0 || models[0].Licence == "" {
		t.Errorf("models are %+v", models)
	}
}

// sameItems compares lists in any order, without ids that only one side has.
func sameItems(a, b []map[string]any) bool {
	byID := func(list []map[string]any) map[any]map[string]any {
		found := map[any]map[string]any{}
		for _, item := range list {
			found[item["id"]] = item
		}
		return found
	}
	return reflect.DeepEqual(byID(a), byID(b))
}

func testConversationNames(t *testing.T, c *commands) {
	var ids []string
	for _, title := range []string{"Twins", "Twins", "twins too", "Twins Too"} {
		body, err := json.Marshal(map[string]string{"title": title})
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.URL+"/v1/conversations", strings.NewReader(string(body)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		var made client.Conversation
		if err := mustClient(t, c.Instance).Do(req, &made); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, made.ID)
	}
	file := c.tone(t, "twins.wav", 1600)
	send := func(to string) ran { return c.run(t, "send", "--no-wait", "-c", to, file) }
	send("Twins").want(t, 1, `2 conversations are called "Twins"`, ids[0], ids[1])
	send("TWINS TOO").want(t, 1, `2 conversations are called "TWINS TOO"`, ids[2], ids[3])
	for i, to := range map[int]string{0: ids[0], 1: ids[1], 2: "twins too", 3: "Twins Too"} {
		id := send(to).want(t, 0).id(t)
		var msg client.Message
		if err := mustClient(t, c.Instance).Get(t.Context(), "/messages/"+id, nil, &msg); err != nil || msg.ConversationID != ids[i] {
			t.Errorf("%s went to %s, %v", to, msg.ConversationID, err)
		}
	}
	send("nowhere").want(t, 1, `no conversation "nowhere"`)
	c.run(t, "send", file).want(t, 1, "which conversation", "General")
}
