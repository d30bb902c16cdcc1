package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"hark/cmd/hark/terminal"
	"hark/storage"
)

// errShutdown is the cause by which work is ended when the grace is over.
var errShutdown = errors.New("hark is shutting down")

// SignInTTL is how long an address that signs somebody in can be used.
const SignInTTL = 24 * time.Hour

// Welcome makes the first workspace and its owner on an empty database, gives
// the owner the bootstrap token, and prints where to go. Only on a terminal is
// that an address that signs in.
func (p *Program) Welcome(ctx context.Context) error {
	owner, created, err := p.db.Bootstrap(ctx, p.cfg.WorkspaceName, p.cfg.OwnerName)
	if err != nil {
		return fmt.Errorf("make the first workspace: %w", err)
	}
	if p.cfg.BootstrapToken != "" {
		err := p.db.ImportToken(ctx, owner.UserID, "bootstrap", string(p.cfg.BootstrapToken))
		if errors.Is(err, storage.ErrConflict) {
			p.log.WarnContext(ctx, "the bootstrap token was revoked, or is another user's, and is not given again; set HARK_BOOTSTRAP_TOKEN to another, or unset it")
		} else if err != nil {
			return fmt.Errorf("keep the bootstrap token: %w", err)
		}
	}
	// A log or a file that this goes to outlives the moment, and others read it.
	if created && terminal.IsTerminal(os.Stdout) {
		_, secret, err := p.db.CreateToken(ctx, owner.UserID, storage.NewToken{Kind: storage.SignInToken, Name: "first start", Life: SignInTTL})
		if err != nil {
			return fmt.Errorf("make the sign-in address: %w", err)
		}
		fmt.Printf("  Sign in once at %s/sign-in?code=%s\n", p.cfg.PublicURL, secret)
	} else {
		fmt.Printf("  Sign in by      hark user sign-in\n")
	}
	fmt.Printf("  API             %s/docs\n\n", p.cfg.PublicURL)
	return nil
}
