package main

import (
	"context"
	"os"
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
	return printLine(secret)
}

type tokenListCmd struct {
	AdminConfig
	User string `placeholder:"ID|NAME" help:"Whose; the owner's when left out."`
	JSON bool   `name:"json" help:"Print a JSON array of tokens as the API has them."`
}

// tokenView is a token as the API has one.
type tokenView struct {
	ID         string            `json:"id"`
	Kind       storage.TokenKind `json:"kind"`
	Name       string            `json:"name"`
	CreatedAt  time.Time         `json:"created_at"`
	LastUsedAt *time.Time        `json:"last_used_at,omitempty"`
	ExpiresAt  *time.Time        `json:"expires_at,omitempty"`
}

func viewToken(t storage.Token) tokenView {
	given := func(at time.Time) *time.Time {
		if at.IsZero() {
			return nil
		}
		return &at
	}
	return tokenView{t.ID, t.Kind, t.Name, t.CreatedAt, given(t.LastUsedAt), given(t.ExpiresAt)}
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
	views := make([]tokenView, 0, len(tokens))
	var lines table
	for _, token := range tokens {
		used := "never used"
		if !token.LastUsedAt.IsZero() {
			used = "used " + token.LastUsedAt.Local().Format("2 Jan 2006 15:04")
		}
		views = append(views, viewToken(token))
		lines.add(token.ID, string(token.Kind), token.Name, used)
	}
	if t.JSON {
		return printJSON(views)
	}
	return lines.print(os.Stdout)
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
