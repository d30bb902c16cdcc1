package main

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"hark/storage"
)

type tokenCmd struct {
	Create tokenCreateCmd `cmd:"" help:"Make an API token and print its secret, which is shown only now."`
	List   tokenListCmd   `cmd:"" help:"List a user's tokens."`
	Revoke tokenRevokeCmd `cmd:"" help:"End a token."`
}

type tokenCreateCmd struct {
	AdminConfig
	User string        `placeholder:"ID|NAME" help:"Whose; the owner's when left out."`
	Name string        `default:"command line" help:"What it is for."`
	TTL  time.Duration `help:"How long it is good for; for ever when left out."`
}

// Run prints the secret alone, fit for TOKEN=$(hark token create).
func (t *tokenCreateCmd) Run(ctx context.Context) error {
	db, user, err := t.openUser(ctx, t.User)
	if err != nil {
		return err
	}
	defer db.Close()
	_, secret, err := db.CreateToken(ctx, user.ID, storage.APIToken, t.Name, t.TTL)
	if err != nil {
		return err
	}
	fmt.Println(secret)
	return nil
}

type tokenListCmd struct {
	AdminConfig
	User string `placeholder:"ID|NAME" help:"Whose; the owner's when left out."`
}

// Run prints a line a token.
func (t *tokenListCmd) Run(ctx context.Context) error {
	db, user, err := t.openUser(ctx, t.User)
	if err != nil {
		return err
	}
	defer db.Close()
	tokens, err := db.Tokens(ctx, actor(user))
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, token := range tokens {
		used := "never used"
		if !token.LastUsedAt.IsZero() {
			used = "used " + token.LastUsedAt.Local().Format("2 Jan 2006 15:04")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", token.ID, token.Kind, printable(token.Name), used)
	}
	return w.Flush()
}

type tokenRevokeCmd struct {
	AdminConfig
	User string `placeholder:"ID|NAME" help:"Whose; the owner's when left out."`
	ID   string `arg:"" help:"Id of the token, as 'hark token list' prints it."`
}

// Run revokes the token.
func (t *tokenRevokeCmd) Run(ctx context.Context) error {
	db, user, err := t.openUser(ctx, t.User)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.RevokeToken(ctx, actor(user), t.ID)
}
