package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"hark/api/invitations"
	"hark/cmd/hark/config"
	"hark/cmd/hark/server"
	"hark/storage"
)

// printed is what a command prints to standard output.
func printed(t *testing.T, run func() error) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	before := os.Stdout
	os.Stdout = w
	err = run()
	os.Stdout = before
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestInvite makes, lists and revokes invitations by the commands.
func TestInvite(t *testing.T) {
	records := AdminConfig{DatabaseConfig: config.DatabaseConfig{Data: t.TempDir()}}
	db, err := server.OpenRecords(t.Context(), &records.DatabaseConfig)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	owner, _, err := db.Bootstrap(t.Context(), "", "Olga")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.EraseSecrets(t.Context()); err != nil { // a server moved them to its file
		t.Fatal(err)
	}
	if _, err := db.CreateUser(t.Context(), owner.WorkspaceID, "Mia", storage.RoleMember); err != nil {
		t.Fatal(err)
	}
	create := func(change func(*inviteCreateCmd)) *inviteCreateCmd {
		c := &inviteCreateCmd{
			AdminConfig: records, AddressConfig: AddressConfig{PublicURL: "https://hark.example.org/"}, Role: storage.RoleMember, Uses: 1, Expires: 168 * time.Hour, Language: "en",
		}
		change(c)
		return c
	}
	link := strings.TrimSpace(printed(t, func() error {
		return create(func(c *inviteCreateCmd) { c.Role, c.Conversation = storage.Guest, []string{"general"} }).Run(t.Context())
	}))
	code, ok := strings.CutPrefix(link, "https://hark.example.org/join?code=")
	if !ok {
		t.Fatalf("the link is %s", link)
	}
	if w, err := db.Welcome(t.Context(), code); err != nil || w.Inviter != "Olga" || len(w.Conversations) != 1 || w.Conversations[0] != "General" {
		t.Errorf("welcome %+v, %v", w, err)
	}
	var made invitations.NewInvitation
	text := printed(t, func() error {
		return create(func(c *inviteCreateCmd) {
			c.Uses, c.JSON, c.Email = 3, true, "grace@example.org"
			c.MailConfig = config.MailConfig{URL: "smtp://127.0.0.1:1", TLS: "off", From: "Hark <hark@example.org>"}
		}).Run(t.Context())
	})
	if err := json.Unmarshal([]byte(text), &made); err != nil || made.UsesLeft != 3 || !made.Mailed || made.Email != "grace@example.org" || made.Link == "" {
		t.Errorf("made is %s, %v", text, err)
	}
	if due, err := db.DueJobs(t.Context(), 10); err != nil || len(due) != 1 || due[0].Kind != storage.Mail {
		t.Errorf("due are %+v, %v", due, err)
	}
	var list []invitations.Invitation
	if text := printed(t, (&inviteListCmd{AdminConfig: records, JSON: true}).run(t)); json.Unmarshal([]byte(text), &list) != nil || len(list) != 2 || list[0].ID != made.ID {
		t.Errorf("listed are %s", text)
	}
	if err := (&inviteRevokeCmd{AdminConfig: records, ID: made.ID}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if text := printed(t, (&inviteListCmd{AdminConfig: records}).run(t)); !strings.Contains(text, "revoked") || !strings.Contains(text, "0 of 3 used") || !strings.Contains(text, "by Olga") {
		t.Errorf("listed are %s", text)
	}
	for name, change := range map[string]func(*inviteCreateCmd){
		"a guest to nowhere":  func(c *inviteCreateCmd) { c.Role = storage.Guest },
		"a place that is not": func(c *inviteCreateCmd) { c.Conversation = []string{"Nowhere"} },
		"by a member":         func(c *inviteCreateCmd) { c.By = "Mia" },
		"too many":            func(c *inviteCreateCmd) { c.Uses = 1001 },
		"too long":            func(c *inviteCreateCmd) { c.Expires = 721 * time.Hour },
		"no address":          func(c *inviteCreateCmd) { c.Email = "grace" },
	} {
		if err := create(change).Run(t.Context()); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if err := (&inviteRevokeCmd{AdminConfig: records, ID: storage.NewID()}).Run(t.Context()); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("revoking none: %v", err)
	}
}

func (c *inviteListCmd) run(t *testing.T) func() error {
	return func() error { return c.Run(t.Context()) }
}
