package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"hark/storage"
	"hark/storage/sqldb"
)

type userCmd struct {
	List   userListCmd   `cmd:"" help:"List the users of a workspace."`
	Add    userAddCmd    `cmd:"" help:"Add a user, and print a one-time sign-in address."`
	SignIn userSignInCmd `cmd:"" help:"Print a one-time sign-in address for a user."`
}

type userListCmd struct {
	AdminConfig
	JSON bool `name:"json" help:"Print a JSON array of users as the API has them."`
}

// userView is a user as the API has one.
type userView struct {
	ID        string       `json:"id"`
	Name      string       `json:"name"`
	Role      storage.Role `json:"role"`
	CreatedAt time.Time    `json:"created_at"`
}

// Run prints a line a user.
func (u *userListCmd) Run(ctx context.Context) error {
	db, ws, err := u.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	users, err := db.Users(ctx, ws.ID)
	if err != nil {
		return err
	}
	views := make([]userView, len(users))
	var t table
	for i, user := range users {
		views[i] = userView{user.ID, user.Name, user.Role, user.CreatedAt}
		t.add(user.ID, string(user.Role), user.Name)
	}
	if u.JSON {
		return printJSON(views)
	}
	return t.print(os.Stdout)
}

// AddressConfig says where the people of a Hark reach it.
type AddressConfig struct {
	Addr      string `env:"HARK_ADDR" default:"127.0.0.1:8080" help:"Address that 'hark serve' listens on."`
	PublicURL string `env:"HARK_PUBLIC_URL" placeholder:"URL" help:"Address under which people reach Hark; where it listens when empty."`
}

type userAddCmd struct {
	AdminConfig
	AddressConfig
	Role storage.Role `enum:"owner,admin,member,guest" default:"member" help:"What the user may do (${enum})."`
	Name string       `arg:"" help:"Name that others see."`
}

// maxUserName is how many characters a name may have.
const maxUserName = 100

// Run makes the user.
func (u *userAddCmd) Run(ctx context.Context) error {
	db, ws, err := u.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	name := strings.TrimSpace(u.Name)
	if n := utf8.RuneCountInString(name); n == 0 || n > maxUserName {
		return fmt.Errorf("a name has 1 to %d characters, and this one %d", maxUserName, n)
	}
	// The commands take names for users, so each name is one user's.
	if other, err := findUser(ctx, db, ws, name); err == nil {
		return fmt.Errorf("there is a user %s already; 'hark user sign-in' prints an address for them", printable(other.Name))
	}
	user, err := db.CreateUser(ctx, ws.ID, name, u.Role)
	if err != nil {
		return err
	}
	if err := printLine(user.ID); err != nil {
		return err
	}
	return u.printSignIn(ctx, db, user)
}

type userSignInCmd struct {
	AdminConfig
	AddressConfig
	User string `arg:"" optional:"" help:"Id or name; the owner when left out."`
}

// Run prints the address.
func (u *userSignInCmd) Run(ctx context.Context) error {
	db, user, err := u.openUser(ctx, u.User)
	if err != nil {
		return err
	}
	defer db.Close()
	return u.printSignIn(ctx, db, user)
}

func (a AddressConfig) printSignIn(ctx context.Context, db *sqldb.DB, user storage.User) error {
	_, secret, err := db.CreateToken(ctx, user.ID, storage.SignInToken, "sign-in", signInTTL)
	if err != nil {
		return err
	}
	base := cmp.Or(strings.TrimRight(a.PublicURL, "/"), addressOf(a.Addr))
	return printLine(base + "/sign-in?code=" + secret)
}
