package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hark/cmd/hark/client"
	"hark/cmd/hark/config"
	"hark/cmd/hark/server"
	"hark/storage"
)

// TestAdminOfNothing names a folder that holds no Hark, as one who mistyped it
// does: it stays as it was.
func TestAdminOfNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mistyped")
	admin := AdminConfig{DatabaseConfig: config.DatabaseConfig{Data: dir}}
	if _, _, err := admin.open(t.Context()); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder is there now: %v", err)
	}
}

func TestAddUser(t *testing.T) {
	records := config.DatabaseConfig{Data: t.TempDir()}
	db, err := server.OpenRecords(t.Context(), &records)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := db.CreateWorkspace(t.Context(), "Hark", "Owner"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	add := func(name string) error {
		return (&userAddCmd{AdminConfig: AdminConfig{DatabaseConfig: records}, Role: "member", Name: name}).Run(t.Context())
	}
	if err := add(" Mia "); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "  ", "mia", "Mia", strings.Repeat("x", storage.MaxName+1)} {
		if err := add(name); err == nil {
			t.Errorf("%q is taken for a name", name)
		}
	}
	db, mia, err := (&AdminConfig{DatabaseConfig: records}).openUser(t.Context(), "MIA")
	if err != nil || mia.Name != "Mia" {
		t.Fatalf("got %+v, %v", mia, err)
	}
	defer db.Close()
}

// TestRename gives two users one name, as people do in the browser, and has the
// commands ask which is meant.
func TestRename(t *testing.T) {
	records := config.DatabaseConfig{Data: t.TempDir()}
	db, err := server.OpenRecords(t.Context(), &records)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	owner, _, err := db.Bootstrap(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.CreateUser(t.Context(), owner.WorkspaceID, "Ada", storage.RoleMember); err != nil {
		t.Fatal(err)
	}
	admin := AdminConfig{DatabaseConfig: records}
	rename := func(user, name string) error {
		return (&userRenameCmd{AdminConfig: admin, User: user, Name: name}).Run(t.Context())
	}
	if err := rename("owner", " Ada\u202e "); err != nil {
		t.Fatal(err)
	}
	if err := rename("ada", "Ida"); !errors.Is(err, errSameName) || !strings.Contains(err.Error(), owner.UserID) {
		t.Errorf("one of two is renamed: %v", err)
	}
	if err := (&userAddCmd{AdminConfig: admin, Role: storage.RoleMember, Name: "ADA"}).Run(t.Context()); !errors.Is(err, errSameName) {
		t.Errorf("a third of that name: %v", err)
	}
	if err := rename(owner.UserID, " "); err == nil {
		t.Error("a name may be empty")
	}
	if err := (&workspaceRenameCmd{AdminConfig: admin, Name: "Harbour office"}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p, err := db.Profile(t.Context(), owner); err != nil || p.Name != "Ada" || !p.Named || p.Workspace.Name != "Harbour office" || !p.Workspace.Named {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestAddressOf(t *testing.T) {
	for listens, want := range map[string]string{
		"127.0.0.1:9000": "http://localhost:9000",
		":9000":          "http://localhost:9000",
		"0.0.0.0:80":     "http://localhost:80",
		"[::]:8080":      "http://localhost:8080",
		"[::1]:8080":     "http://[::1]:8080",
		"hark.local:80":  "http://hark.local:80",
	} {
		if got := config.AddressOf(listens); got != want {
			t.Errorf("%s is reached at %s, want %s", listens, got, want)
		}
	}
}

// TestProblemSaysItOnce has the server name a wrong field.
func TestProblemSaysItOnce(t *testing.T) {
	p := &client.Problem{Status: 422, Title: "Not valid", Detail: "title: must be shorter.\x1b[31m"}
	if got := p.Error(); got != "title: must be shorter.[31m (status 422)" {
		t.Errorf("got %q", got)
	}
}

// TestDisable keeps somebody out by the commands, and lets them in again.
func TestDisable(t *testing.T) {
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
	mia, err := db.CreateUser(t.Context(), owner.WorkspaceID, "Mia", storage.RoleMember)
	if err != nil {
		t.Fatal(err)
	}
	_, secret, err := db.CreateToken(t.Context(), mia.ID, storage.NewToken{Kind: storage.APIToken})
	if err != nil {
		t.Fatal(err)
	}
	if err := (&userDisableCmd{AdminConfig: records, User: "mia"}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Authenticate(t.Context(), secret, storage.APIToken); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("who is disabled comes in: %v", err)
	}
	create := tokenCreateCmd{AdminConfig: records, User: "Mia", Scope: []string{"read"}, Expires: time.Hour}
	if err := create.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "hark user enable") {
		t.Errorf("who is disabled gets a token: %v", err)
	}
	if err := (&userDisableCmd{AdminConfig: records, User: "Olga"}).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "last owner") {
		t.Errorf("the last owner is disabled: %v", err)
	}
	if err := (&userEnableCmd{AdminConfig: records, User: "Mia"}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := create.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	tokens, err := db.Tokens(t.Context(), principal(mia))
	if err != nil || len(tokens) != 1 || tokens[0].Scopes != "read" || tokens[0].ExpiresAt.IsZero() {
		t.Errorf("tokens %+v, %v", tokens, err)
	}
	create.Scope = []string{"everything"}
	if err := create.Run(t.Context()); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("a scope that is none: %v", err)
	}
}
