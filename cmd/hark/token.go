package main

import (
	"context"
	"os"
	"strings"
	"time"

	"hark/api/signin"
	"hark/cmd/hark/terminal"
	"hark/storage"
)

type tokenCmd struct {
	Create tokenCreateCmd `cmd:"" help:"Create an API token and print it, once."`
	List   tokenListCmd   `cmd:"" help:"List a user's tokens."`
	Revoke tokenRevokeCmd `cmd:"" help:"Revoke a token, and those that were made with it."`
}

type tokenCreateCmd struct {
	AdminConfig
	User    string        `placeholder:"ID|NAME" help:"Whose; the owner's when left out."`
	Name    string        `default:"command line" help:"What it is for."`
	Scope   []string      `placeholder:"SCOPE" help:"What it is good for: read, write, record, admin; and conversation:ID, which holds these to conversations; or scim alone, for an identity provider, which an owner or admin has. All that the user may when left out."`
	Expires time.Duration `aliases:"ttl" placeholder:"DURATION" help:"How long it is good for, such as 720h; for ever when left out."`
	JSON    bool          `name:"json" help:"Print a JSON object: the token, and its secret."`
}

// Run prints the secret alone, fit for TOKEN=$(hark token create).
func (t *tokenCreateCmd) Run(ctx context.Context) error {
	scopes, err := storage.ParseScopes(t.Scope)
	if err != nil {
		return err
	}
	db, user, err := t.openUser(ctx, t.User)
	if err != nil {
		return err
	}
	defer db.Close()
	token, secret, err := db.CreateToken(ctx, user.ID, storage.NewToken{Kind: storage.APIToken, Name: t.Name, Life: t.Expires, Scopes: scopes})
	if err != nil {
		return err
	}
	return printSecret(token, secret, t.JSON)
}

// printSecret prints the secret of a new token: alone, or as JSON with the token.
func printSecret(token storage.Token, secret string, asJSON bool) error {
	if asJSON {
		return printJSON(struct {
			tokenView
			Secret string `json:"secret"`
		}{viewToken(token), secret})
	}
	return terminal.PrintLine(secret)
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
	Scopes     []string          `json:"scopes"`
	ParentID   string            `json:"parent_id,omitempty"`
	Device     string            `json:"device,omitempty"`
	Address    string            `json:"address,omitempty"`
	Method     string            `json:"method,omitempty"`
}

func viewToken(t storage.Token) tokenView {
	given := func(at time.Time) *time.Time {
		if at.IsZero() {
			return nil
		}
		return &at
	}
	return tokenView{t.ID, t.Kind, t.Name, t.CreatedAt, given(t.LastUsedAt), given(t.ExpiresAt), t.Scopes.List(), t.ParentID, signin.DeviceName(t.Agent), t.Address, string(t.Method)}
}

// Run prints a line a token.
func (t *tokenListCmd) Run(ctx context.Context) error {
	db, user, err := t.openUser(ctx, t.User)
	if err != nil {
		return err
	}
	defer db.Close()
	tokens, err := db.Tokens(ctx, principal(user))
	if err != nil {
		return err
	}
	return printTokens(tokens, t.JSON)
}

// printTokens prints a line a token.
func printTokens(tokens []storage.Token, asJSON bool) error {
	views := make([]tokenView, 0, len(tokens))
	var lines terminal.Table
	for _, token := range tokens {
		used := "never used"
		if !token.LastUsedAt.IsZero() {
			used = "used " + token.LastUsedAt.Local().Format("2 Jan 2006 15:04")
		}
		views = append(views, viewToken(token))
		lines.Add(token.ID, string(token.Kind), token.Name, used, strings.Join(token.Scopes.List(), " "))
	}
	if asJSON {
		return printJSON(views)
	}
	return lines.Print(os.Stdout)
}

type tokenRevokeCmd struct {
	AdminConfig
	User string `placeholder:"ID|NAME" help:"Whose; the owner's when left out."`
	JSON bool   `name:"json" help:"Print a JSON object with the id."`
	ID   string `arg:"" help:"Id of the token, as 'hark token list' prints it."`
}

// Run revokes the token.
func (t *tokenRevokeCmd) Run(ctx context.Context) error {
	db, user, err := t.openUser(ctx, t.User)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.RevokeToken(ctx, principal(user), t.ID); err != nil {
		return err
	}
	return printID(t.ID, t.JSON)
}
