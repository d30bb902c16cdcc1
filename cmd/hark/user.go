package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

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
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, user := range users {
		fmt.Fprintf(w, "%s\t%s\t%s\n", user.ID, user.Role, printable(user.Name))
	}
	return w.Flush()
}

type userAddCmd struct {
	AdminConfig
	PublicURL string       `env:"HARK_PUBLIC_URL" default:"http://127.0.0.1:8080" help:"Address under which people reach Hark."`
	Role      storage.Role `enum:"owner,admin,member,guest" default:"member" help:"What the user may do (${enum})."`
	Name      string       `arg:"" help:"Name that others see."`
}

// Run makes the user.
func (u *userAddCmd) Run(ctx context.Context) error {
	db, ws, err := u.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	user, err := db.CreateUser(ctx, ws.ID, u.Name, u.Role)
	if err != nil {
		return err
	}
	fmt.Println(user.ID)
	return printSignIn(ctx, db, user, u.PublicURL)
}

type userSignInCmd struct {
	AdminConfig
	PublicURL string `env:"HARK_PUBLIC_URL" default:"http://127.0.0.1:8080" help:"Address under which people reach Hark."`
	User      string `arg:"" optional:"" help:"Id or name; the owner when left out."`
}

// Run prints the address.
func (u *userSignInCmd) Run(ctx context.Context) error {
	db, user, err := u.openUser(ctx, u.User)
	if err != nil {
		return err
	}
	defer db.Close()
	return printSignIn(ctx, db, user, u.PublicURL)
}

func printSignIn(ctx context.Context, db *sqldb.DB, user storage.User, publicURL string) error {
	_, secret, err := db.CreateToken(ctx, user.ID, storage.SignInToken, "sign-in", signInTTL)
	if err != nil {
		return err
	}
	fmt.Printf("%s/sign-in?code=%s\n", strings.TrimRight(publicURL, "/"), secret)
	return nil
}
