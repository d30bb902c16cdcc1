package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"hark/api/people"
	"hark/cmd/hark/config"
	"hark/cmd/hark/server"
	"hark/cmd/hark/terminal"
	"hark/storage"
	"hark/storage/sqldb"
)

type userCmd struct {
	List   userListCmd   `cmd:"" help:"List the users of a workspace."`
	Add    userAddCmd    `cmd:"" help:"Add a user and print a one-time sign-in link."`
	Rename userRenameCmd `cmd:"" help:"Rename a user."`
	SignIn userSignInCmd `cmd:"" help:"Print a one-time sign-in link for a user."`

	SetEmail      userSetEmailCmd      `cmd:"" help:"Set the e-mail address that a user signs in by."`
	ResetPassword userResetPasswordCmd `cmd:"" help:"Take a user's password away, end their sessions, and print a one-time link by which they set a new one."`

	Disable userDisableCmd `cmd:"" help:"Keep a user out: end their sessions, tokens, event streams and recordings; what they said stays."`
	Enable  userEnableCmd  `cmd:"" help:"Let a disabled user in again, with a new sign-in link or token."`
}

type userListCmd struct {
	AdminConfig
	JSON bool `name:"json" help:"Print a JSON array of users as the API has them, with their e-mail addresses."`
}

// listedUser is a user as the API has them, with what only who runs the server sees.
type listedUser struct {
	people.User
	Email string `json:"email,omitempty"`
}

func viewUser(u storage.User) listedUser { return listedUser{people.View(u), u.Email} }

// userWithLink is a user and the link by which they sign in once.
type userWithLink struct {
	listedUser
	SignInURL string `json:"sign_in_url"`
}

// printUser prints a user as JSON, if that is wanted; else the line, unless it is empty.
func printUser(u storage.User, asJSON bool, line string) error {
	switch {
	case asJSON:
		return printJSON(viewUser(u))
	case line == "":
		return nil
	}
	return terminal.PrintLine(line)
}

// Run prints a line a user.
func (u *userListCmd) Run(ctx context.Context) error {
	db, ws, err := u.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	users, err := usersOf(ctx, db, ws, storage.KindPerson)
	if err != nil {
		return err
	}
	views := make([]listedUser, len(users))
	var t terminal.Table
	for i, user := range users {
		views[i] = viewUser(user)
		state := ""
		if user.Disabled {
			state = "disabled"
		}
		t.Add(user.ID, string(user.Role), user.Name, user.Email, state)
	}
	if u.JSON {
		return printJSON(views)
	}
	return t.Print(os.Stdout)
}

// AddressConfig says where the people of a Hark reach it.
type AddressConfig struct {
	Addr      string `env:"HARK_ADDR" default:"127.0.0.1:8080" help:"Address that 'hark serve' listens on."`
	PublicURL string `env:"HARK_PUBLIC_URL" placeholder:"URL" help:"Public address of Hark; the listening address when empty."`
}

// base is that address, without a slash at its end.
func (c AddressConfig) base() string {
	return cmp.Or(strings.TrimRight(c.PublicURL, "/"), config.AddressOf(c.Addr))
}

// SignInConfig says what a sign-in address leads to.
type SignInConfig struct {
	AddressConfig
	To string `placeholder:"ADDRESS" blank:"" help:"Message, moment or conversation to open after signing in, as the app copies links; the app's first page when empty."`
}

type userAddCmd struct {
	AdminConfig
	SignInConfig
	Role storage.Role `enum:"owner,admin,member,guest" default:"member" help:"What the user may do (${enum})."`
	JSON bool         `name:"json" help:"Print a JSON object: the user, and sign_in_url."`
	Name string       `arg:"" help:"Name that others see."`
}

// Run makes the user.
func (u *userAddCmd) Run(ctx context.Context) error {
	db, ws, err := u.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	name, err := storage.CleanName(u.Name)
	if err != nil {
		return err
	}
	// The commands take names for users, so each name is one user's.
	if other, err := findUser(ctx, db, ws, name); errors.Is(err, errSameName) {
		return err
	} else if err == nil {
		return fmt.Errorf("there is a user %s already; 'hark user sign-in' prints an address for them", terminal.Printable(other.Name))
	}
	user, err := db.CreateUser(ctx, ws.ID, name, u.Role)
	if err != nil {
		return err
	}
	if !u.JSON {
		if err := terminal.PrintLine(user.ID); err != nil {
			return err
		}
	}
	return u.printSignIn(ctx, db, user, u.JSON)
}

type userRenameCmd struct {
	AdminConfig
	JSON bool   `name:"json" help:"Print a JSON object: the user."`
	User string `arg:"" help:"Id or current name."`
	Name string `arg:"" help:"New name."`
}

// Run renames the user.
func (u *userRenameCmd) Run(ctx context.Context) error {
	db, user, err := u.openUser(ctx, u.User)
	if err != nil {
		return err
	}
	defer db.Close()
	renamed, err := db.ChangeProfile(ctx, principal(user), storage.ProfilePatch{Name: &u.Name})
	if err != nil {
		return err
	}
	return printUser(renamed.User, u.JSON, renamed.ID+" "+terminal.Printable(renamed.Name))
}

type userDisableCmd struct {
	AdminConfig
	JSON bool   `name:"json" help:"Print a JSON object: the user."`
	User string `arg:"" help:"Id or name."`
}

// Run disables the user.
func (u *userDisableCmd) Run(ctx context.Context) error {
	db, user, err := u.openUser(ctx, u.User)
	if err != nil {
		return err
	}
	defer db.Close()
	err = db.DisableUser(ctx, user.WorkspaceID, user.ID)
	if errors.Is(err, storage.ErrConflict) {
		return fmt.Errorf("%s is the last owner; add another with 'hark user add --role owner' first", terminal.Printable(user.Name))
	}
	if err != nil {
		return err
	}
	user.Disabled = true
	return printUser(user, u.JSON, "")
}

type userEnableCmd struct {
	AdminConfig
	JSON bool   `name:"json" help:"Print a JSON object: the user."`
	User string `arg:"" help:"Id or name."`
}

// Run enables the user.
func (u *userEnableCmd) Run(ctx context.Context) error {
	db, user, err := u.openUser(ctx, u.User)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.EnableUser(ctx, user.WorkspaceID, user.ID); err != nil {
		return err
	}
	user.Disabled = false
	return printUser(user, u.JSON, "")
}

type userSignInCmd struct {
	AdminConfig
	SignInConfig
	JSON bool   `name:"json" help:"Print a JSON object: the user, and sign_in_url."`
	User string `arg:"" optional:"" help:"Id or name; the owner when left out."`
}

// Run prints the address.
func (u *userSignInCmd) Run(ctx context.Context) error {
	db, user, err := u.openUser(ctx, u.User)
	if err != nil {
		return err
	}
	defer db.Close()
	return u.printSignIn(ctx, db, user, u.JSON)
}

// printSignIn makes a sign-in link and prints it: alone, or as JSON with the user.
func (c SignInConfig) printSignIn(ctx context.Context, db *sqldb.DB, user storage.User, asJSON bool) error {
	address, err := c.signInAddress(ctx, db, user)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(userWithLink{viewUser(user), address})
	}
	return terminal.PrintLine(address)
}

// signInAddress makes a one-time address that signs a user in.
func (c SignInConfig) signInAddress(ctx context.Context, db *sqldb.DB, user storage.User) (string, error) {
	base := c.base()
	to, below := strings.CutPrefix(c.To, base)
	if c.To != "" && (!below || !strings.HasPrefix(to, "/")) {
		return "", fmt.Errorf("--to must be an address below %s", base)
	}
	_, secret, err := db.CreateToken(ctx, user.ID, storage.NewToken{Kind: storage.SignInToken, Name: "sign-in", Life: server.SignInTTL})
	if err != nil {
		return "", err
	}
	address := base + "/sign-in?code=" + secret
	if to != "" {
		address += "&to=" + url.QueryEscape(to)
	}
	return address, nil
}
