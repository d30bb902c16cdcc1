package server

import (
	"errors"
	"log/slog"
	"testing"

	"hark/cmd/hark/config"
	"hark/storage"
	"hark/storage/storagetest"
)

// A bootstrap token that somebody revoked stays revoked, and stops no start.
func TestRevokedBootstrapToken(t *testing.T) {
	ctx := t.Context()
	p := &Program{db: storagetest.New(t), log: slog.New(slog.DiscardHandler), cfg: config.Config{BootstrapToken: "a-token-for-scripts"}}
	if err := p.Welcome(ctx); err != nil {
		t.Fatal(err)
	}
	owner, err := p.db.Authenticate(ctx, "a-token-for-scripts", storage.APIToken)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.db.RevokeToken(ctx, owner, owner.CredentialID); err != nil {
		t.Fatal(err)
	}
	if err := p.Welcome(ctx); err != nil {
		t.Errorf("the next start: %v", err)
	}
	if _, err := p.db.Authenticate(ctx, "a-token-for-scripts", storage.APIToken); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("the token is good again: %v", err)
	}
}

// Names that are set are there from the start, in the browser too: nobody is
// asked. What somebody chose stays whatever is set later.
func TestNamesBySetting(t *testing.T) {
	ctx := t.Context()
	p := &Program{db: storagetest.New(t), log: slog.New(slog.DiscardHandler), cfg: config.Config{OwnerName: "Ada", WorkspaceName: "Harbour office"}}
	if err := p.Welcome(ctx); err != nil {
		t.Fatal(err)
	}
	owner, _, err := p.db.Bootstrap(ctx, "", "")
	if err != nil {
		t.Fatal(err)
	}
	profile, err := p.db.Profile(ctx, owner)
	if err != nil || profile.Name != "Ada" || !profile.Named || profile.Workspace.Name != "Harbour office" || !profile.Workspace.Named || profile.Workspace.GeneralID == "" {
		t.Errorf("%+v, %v", profile, err)
	}
	p.cfg.OwnerName, p.cfg.WorkspaceName = "Bea", "Elsewhere"
	if err := p.Welcome(ctx); err != nil {
		t.Fatal(err)
	}
	if again, err := p.db.Profile(ctx, owner); err != nil || again != profile {
		t.Errorf("%+v, %v", again, err)
	}
}
