package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAdminOfNothing names a folder that holds no Hark, as one who mistyped it
// does: it stays as it was.
func TestAdminOfNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mistyped")
	admin := AdminConfig{DatabaseConfig: DatabaseConfig{Data: dir}}
	if _, _, err := admin.open(t.Context()); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder is there now: %v", err)
	}
}

func TestAddUser(t *testing.T) {
	records := DatabaseConfig{Data: t.TempDir()}
	db, err := records.openRecords(t.Context())
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
	for _, name := range []string{"", "  ", "mia", "Mia", strings.Repeat("x", maxUserName+1)} {
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

func TestAddressOf(t *testing.T) {
	for listens, want := range map[string]string{
		"127.0.0.1:9000": "http://127.0.0.1:9000",
		":9000":          "http://127.0.0.1:9000",
		"0.0.0.0:80":     "http://127.0.0.1:80",
		"[::]:8080":      "http://127.0.0.1:8080",
		"[::1]:8080":     "http://[::1]:8080",
		"hark.local:80":  "http://hark.local:80",
	} {
		if got := addressOf(listens); got != want {
			t.Errorf("%s is reached at %s, want %s", listens, got, want)
		}
	}
}

// TestProblemSaysItOnce has the server name a wrong field.
func TestProblemSaysItOnce(t *testing.T) {
	p := &problem{Status: 422, Title: "Not valid", Detail: "title: must be shorter.\x1b[31m"}
	if got := p.Error(); got != "title: must be shorter.[31m (status 422)" {
		t.Errorf("got %q", got)
	}
}
