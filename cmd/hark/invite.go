package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"hark/api/invitations"
	"hark/cmd/hark/config"
	"hark/cmd/hark/terminal"
	"hark/storage"
	"hark/storage/sqldb"
)

type inviteCmd struct {
	Create inviteCreateCmd `cmd:"" help:"Make an invitation and print its link, once."`
	List   inviteListCmd   `cmd:"" help:"List invitations, newest first."`
	Revoke inviteRevokeCmd `cmd:"" help:"Revoke an invitation; who has joined by it stays."`
}

type inviteCreateCmd struct {
	AdminConfig
	AddressConfig
	config.MailConfig
	By           string        `placeholder:"ID|NAME" help:"Who invites: an owner or an admin; the owner when left out."`
	Role         storage.Role  `enum:"member,guest" default:"member" help:"Role of who joins (${enum})."`
	Uses         int           `default:"1" help:"How many may join by it, up to 1000."`
	Expires      time.Duration `default:"168h" placeholder:"DURATION" help:"How long the link is good for, 1h to 720h (${default})."`
	Conversation []string      `sep:"none" short:"c" placeholder:"ID|TITLE" help:"Channel of who invites, to put who joins in; may be repeated, and is needed for guests."`
	Email        string        `placeholder:"ADDRESS" help:"Mail the link to this address, where a mail server is set."`
	Language     string        `enum:"en,de" default:"en" help:"Language of the mail (${enum})."`
	JSON         bool          `name:"json" help:"Print a JSON object as the API has it."`
}

// Run prints the link alone, and what became of the mail to standard error.
func (c *inviteCreateCmd) Run(ctx context.Context) error {
	sender, err := c.Sender()
	if err != nil {
		return err
	}
	db, user, err := c.openUser(ctx, c.By)
	if err != nil {
		return err
	}
	defer db.Close()
	base := cmp.Or(strings.TrimRight(c.PublicURL, "/"), config.AddressOf(c.Addr))
	n := storage.NewInvitation{Role: c.Role, Uses: c.Uses, Life: c.Expires}
	if n.ConversationIDs, err = findChannels(ctx, db, user, c.Conversation); err != nil {
		return err
	}
	if c.Email != "" {
		address, job, err := invitations.Mailing(base, c.Email, c.Language)
		if err != nil {
			return err
		}
		if sender.Possible() {
			n.Email, n.Mail = address, job
		}
	}
	made, code, err := db.CreateInvitation(ctx, principal(user), n)
	if errors.Is(err, storage.ErrForbidden) {
		return fmt.Errorf("%s may not invite anybody; --by names an owner or an admin", terminal.Printable(user.Name))
	}
	if err != nil {
		return err
	}
	link := invitations.Link(base, code)
	if c.JSON {
		return printJSON(invitations.NewInvitation{Invitation: invitations.View(made), Link: link, Mailed: n.Mail != nil})
	}
	switch {
	case n.Mail != nil:
		fmt.Fprintf(os.Stderr, "The link is on its way to %s as soon as the server runs.\n", terminal.Printable(n.Email))
	case c.Email != "":
		fmt.Fprintln(os.Stderr, "No mail server is set; pass the link on yourself.")
	}
	return terminal.PrintLine(link)
}

// findChannels finds conversations of a user by ids or titles.
func findChannels(ctx context.Context, db *sqldb.DB, user storage.User, wanted []string) (ids []string, err error) {
	if len(wanted) == 0 {
		return nil, nil
	}
	var all []storage.Conversation
	for page := (storage.Page{Limit: 200}); ; {
		some, next, err := db.Conversations(ctx, principal(user), page)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if page.Cursor = next; next == "" {
			break
		}
	}
	for _, want := range wanted {
		var found []string
		for _, one := range all {
			if one.ID == want || one.Kind == storage.Channel && strings.EqualFold(one.Title, strings.TrimSpace(want)) {
				found = append(found, one.ID)
			}
		}
		if len(found) != 1 {
			return nil, fmt.Errorf("%s is in %d channels %q; give the id of one", terminal.Printable(user.Name), len(found), want)
		}
		ids = append(ids, found[0])
	}
	return ids, nil
}

type inviteListCmd struct {
	AdminConfig
	JSON bool `name:"json" help:"Print a JSON array of invitations as the API has them."`
}

// Run prints a line an invitation.
func (c *inviteListCmd) Run(ctx context.Context) error {
	db, owner, err := c.openUser(ctx, "")
	if err != nil {
		return err
	}
	defer db.Close()
	views := []invitations.Invitation{}
	var lines terminal.Table
	for page := (storage.Page{Limit: 200}); ; {
		some, next, err := db.Invitations(ctx, principal(owner), page)
		if err != nil {
			return err
		}
		for _, one := range some {
			views = append(views, invitations.View(one))
			lines.Add(one.ID, string(one.Role), string(one.State), fmt.Sprintf("%d of %d used", one.Used, one.Uses),
				"until "+one.ExpiresAt.Local().Format("2 Jan 2006 15:04"), "by "+one.CreatedBy.Name, one.Email)
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

type inviteRevokeCmd struct {
	AdminConfig
	JSON bool   `name:"json" help:"Print a JSON object with the id."`
	ID   string `arg:"" help:"Id of the invitation, as 'hark invite list' prints it."`
}

// Run revokes the invitation.
func (c *inviteRevokeCmd) Run(ctx context.Context) error {
	db, owner, err := c.openUser(ctx, "")
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.RevokeInvitation(ctx, principal(owner), c.ID); err != nil {
		return err
	}
	return printID(c.ID, c.JSON)
}
