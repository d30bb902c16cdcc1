package main

import (
	"context"
	"errors"
	"fmt"

	"hark/api/mail"
	"hark/cmd/hark/terminal"
	"hark/storage"
)

type userSetEmailCmd struct {
	AdminConfig
	JSON  bool   `name:"json" help:"Print a JSON object: the user."`
	User  string `arg:"" help:"Id or name."`
	Email string `arg:"" help:"Address to sign in by."`
}

// Run sets the address.
func (u *userSetEmailCmd) Run(ctx context.Context) error {
	email, err := mail.CheckAddress(u.Email)
	if err != nil {
		return err
	}
	db, user, err := u.openUser(ctx, u.User)
	if err != nil {
		return err
	}
	defer db.Close()
	err = db.SetEmail(ctx, user.ID, email)
	if errors.Is(err, storage.ErrConflict) {
		return fmt.Errorf("%s is another account's address", terminal.Printable(email))
	}
	if err != nil {
		return err
	}
	user.Email = email
	return printUser(user, u.JSON, user.ID+" "+terminal.Printable(email))
}

type userResetPasswordCmd struct {
	AdminConfig
	AddressConfig
	JSON bool   `name:"json" help:"Print a JSON object: the user, and sign_in_url."`
	User string `arg:"" help:"Id or name."`
}

// Run takes the password away and prints the address.
func (u *userResetPasswordCmd) Run(ctx context.Context) error {
	db, user, err := u.openUser(ctx, u.User)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.ResetPassword(ctx, user.ID); err != nil {
		return err
	}
	settings := SignInConfig{AddressConfig: u.AddressConfig}
	settings.To = settings.base() + "/settings" // where a password is set
	return settings.printSignIn(ctx, db, user, u.JSON)
}
