package main

import (
	"context"
	"errors"
	"os"
	"time"

	"hark/api/integrations"
	"hark/cmd/hark/terminal"
	"hark/storage"
	"hark/storage/sqldb"
)

type integrationCmd struct {
	List  integrationListCmd  `cmd:"" help:"List the integrations of a workspace, newest first."`
	Add   integrationAddCmd   `cmd:"" help:"Add an integration and print its id."`
	Token integrationTokenCmd `cmd:"" help:"Create an API token for an integration and print it, once."`

	Tokens integrationTokensCmd `cmd:"" help:"List an integration's tokens."`
	Revoke integrationRevokeCmd `cmd:"" help:"Revoke a token of an integration."`

	Disable integrationDisableCmd `cmd:"" help:"Deactivate an integration: end its tokens, event streams and recordings; what it said stays."`
	Enable  integrationEnableCmd  `cmd:"" help:"Activate an integration again, which then needs new tokens."`
}

// openIntegration opens the records and finds an integration by its id or its name.
func (a *AdminConfig) openIntegration(ctx context.Context, want string) (*sqldb.DB, storage.User, error) {
	db, ws, err := a.open(ctx)
	if err != nil {
		return nil, storage.User{}, err
	}
	found, err := findOf(ctx, db, ws, storage.KindIntegration, want)
	if err != nil {
		return nil, storage.User{}, errors.Join(err, db.Close())
	}
	return db, found, nil
}

type integrationListCmd struct {
	AdminConfig
	JSON bool `name:"json" help:"Print a JSON array of integrations as the API has them."`
}

// Run prints a line an integration.
func (c *integrationListCmd) Run(ctx context.Context) error {
	db, owner, err := c.openUser(ctx, "")
	if err != nil {
		return err
	}
	defer db.Close()
	views := []integrations.Integration{}
	var lines terminal.Table
	for page := (storage.Page{Limit: 200}); ; {
		some, next, err := db.Integrations(ctx, principal(owner), page)
		if err != nil {
			return err
		}
		for _, one := range some {
			views = append(views, integrations.View(one))
			used, state := "never used", ""
			if !one.LastActiveAt.IsZero() {
				used = "used " + one.LastActiveAt.Local().Format("2 Jan 2006 15:04")
			}
			if one.Disabled {
				state = "disabled"
			}
			lines.Add(one.ID, string(one.Role), one.Name, used, one.Description, state)
		}
		if page.Cursor = next; next == "" {
			break
		}
	}
	if c.JSON {
		return printJSON(views)
	}
	return lines.Print(os.Stdout)
}

type integrationAddCmd struct {
	AdminConfig
	Role         storage.Role `enum:"member,guest" default:"guest" help:"What it may do (${enum}): a guest is only where it is put."`
	Description  string       `placeholder:"TEXT" help:"What it is for."`
	Conversation []string     `sep:"none" short:"c" placeholder:"ID|TITLE" help:"Channel of the owner, to put it in; may be repeated."`
	JSON         bool         `name:"json" help:"Print a JSON object as the API has it."`
	Name         string       `arg:"" help:"Name that others see."`
}

// Run makes the integration.
func (c *integrationAddCmd) Run(ctx context.Context) error {
	db, owner, err := c.openUser(ctx, "")
	if err != nil {
		return err
	}
	defer db.Close()
	n := storage.NewIntegration{Name: c.Name, Description: c.Description, Role: c.Role}
	if n.ConversationIDs, err = findChannels(ctx, db, owner, c.Conversation); err != nil {
		return err
	}
	made, err := db.CreateIntegration(ctx, principal(owner), n)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(integrations.View(made))
	}
	return terminal.PrintLine(made.ID)
}

type integrationTokenCmd struct {
	AdminConfig
	Name        string        `default:"command line" help:"What it is for."`
	Scope       []string      `placeholder:"SCOPE" help:"What it is good for: read, write, record; and conversation:ID, which holds these to conversations. The first three when left out."`
	Expires     time.Duration `aliases:"ttl" placeholder:"DURATION" help:"How long it is good for, such as 720h; for ever when left out."`
	JSON        bool          `name:"json" help:"Print a JSON object: the token, and its secret."`
	Integration string        `arg:"" help:"Id or name."`
}

// Run prints the secret alone, fit for TOKEN=$(hark integration token NAME).
func (c *integrationTokenCmd) Run(ctx context.Context) error {
	scopes, err := storage.ParseScopes(c.Scope)
	if err != nil {
		return err
	}
	db, found, err := c.openIntegration(ctx, c.Integration)
	if err != nil {
		return err
	}
	defer db.Close()
	token, secret, err := db.CreateToken(ctx, found.ID, storage.NewToken{Kind: storage.APIToken, Name: c.Name, Life: c.Expires, Scopes: scopes})
	if err != nil {
		return err
	}
	return printSecret(token, secret, c.JSON)
}

type integrationTokensCmd struct {
	AdminConfig
	JSON        bool   `name:"json" help:"Print a JSON array of tokens as the API has them."`
	Integration string `arg:"" help:"Id or name."`
}

// Run prints a line a token.
func (c *integrationTokensCmd) Run(ctx context.Context) error {
	db, found, err := c.openIntegration(ctx, c.Integration)
	if err != nil {
		return err
	}
	defer db.Close()
	tokens, err := db.Tokens(ctx, principal(found))
	if err != nil {
		return err
	}
	return printTokens(tokens, c.JSON)
}

type integrationRevokeCmd struct {
	AdminConfig
	JSON        bool   `name:"json" help:"Print a JSON object with the id."`
	Integration string `arg:"" help:"Id or name."`
	ID          string `arg:"" help:"Id of the token, as 'hark integration tokens' prints it."`
}

// Run revokes the token.
func (c *integrationRevokeCmd) Run(ctx context.Context) error {
	db, found, err := c.openIntegration(ctx, c.Integration)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.RevokeToken(ctx, principal(found), c.ID); err != nil {
		return err
	}
	return printID(c.ID, c.JSON)
}

type integrationDisableCmd struct {
	AdminConfig
	JSON        bool   `name:"json" help:"Print a JSON object as the API has it."`
	Integration string `arg:"" help:"Id or name."`
}

// Run deactivates the integration.
func (c *integrationDisableCmd) Run(ctx context.Context) error {
	return c.change(ctx, c.Integration, true, c.JSON)
}

type integrationEnableCmd struct {
	AdminConfig
	JSON        bool   `name:"json" help:"Print a JSON object as the API has it."`
	Integration string `arg:"" help:"Id or name."`
}

// Run activates the integration.
func (c *integrationEnableCmd) Run(ctx context.Context) error {
	return c.change(ctx, c.Integration, false, c.JSON)
}

// change deactivates an integration, or activates it again, as an owner would.
func (a *AdminConfig) change(ctx context.Context, want string, disabled, asJSON bool) error {
	db, found, err := a.openIntegration(ctx, want)
	if err != nil {
		return err
	}
	defer db.Close()
	owner, err := db.OwnerOf(ctx, found.WorkspaceID)
	if err != nil {
		return err
	}
	changed, err := db.ChangeIntegration(ctx, principal(owner), found.ID, storage.IntegrationPatch{MemberPatch: storage.MemberPatch{Disabled: &disabled}})
	if err != nil || !asJSON {
		return err
	}
	return printJSON(integrations.View(changed))
}
