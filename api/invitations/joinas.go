package invitations

import (
	"context"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"hark/storage"
)

// asElse is as whom somebody joins who is signed in, and does not want to join as that.
const asElse = "new"

// showPerson puts into the page who is signed in: as whom they can join or, where they have
// no address or do not want to, who is signed out by it.
func (e *Endpoints) showPerson(ctx context.Context, view *pageView, current storage.Principal) error {
	if current.UserID == "" {
		return nil
	}
	account, err := e.deps.Persons.Account(ctx, current)
	if err != nil {
		return err
	}
	if account.Email == "" || view.Else {
		view.Else, view.Account = account.Email != "", account.Email
		view.Current, view.Replace = current.UserName, current.CredentialID
		return nil
	}
	joined, err := e.joinedTo(ctx, current, view.Welcome.WorkspaceID)
	if err != nil {
		return err
	}
	view.As, view.Session, view.Providers = account.Email, current.CredentialID, nil
	view.Other = view.Welcome.Email != "" && storage.EmailKey(view.Welcome.Email) != storage.EmailKey(account.Email)
	view.There, view.Disabled = joined.UserID != "", joined.Disabled
	if view.Name == "" {
		view.Name = current.UserName
	}
	return nil
}

// joinedTo is who somebody is in a workspace; zero where they are not in it.
func (e *Endpoints) joinedTo(ctx context.Context, principal storage.Principal, workspaceID string) (storage.JoinedWorkspace, error) {
	list, err := e.deps.Persons.JoinedWorkspaces(ctx, principal)
	for _, one := range list {
		if one.Workspace.ID == workspaceID {
			return one, err
		}
	}
	return storage.JoinedWorkspace{}, err
}

// joinAs has who is signed in join as the same person, or leads them to the workspace that
// they are in already. The page names the session that it was shown to: no other joins.
func (e *Endpoints) joinAs(c echo.Context, before storage.Principal, code string, view pageView) error {
	ctx, req := c.Request().Context(), c.Request()
	if before.CredentialID == "" || req.PostFormValue("as") != before.CredentialID {
		return e.show(c, http.StatusConflict, code, view)
	}
	welcome, err := e.welcome(c, code)
	if err != nil {
		return e.refuse(c, pageView{Words: wordsFor(req.Header.Get("Accept-Language"))}, err)
	}
	there, err := e.joinedTo(ctx, before, welcome.WorkspaceID)
	if err != nil {
		return err
	}
	switch {
	case welcome.WorkspaceID == before.WorkspaceID:
		return e.open(c, "")
	case there.UserID != "" && !there.Disabled:
		session, secret, err := e.deps.Persons.Switch(ctx, before, welcome.WorkspaceID)
		if err != nil {
			return e.refuseAs(c, code, view, err)
		}
		e.deps.Browsers.GoOn(c, session, secret, before)
		return e.open(c, "")
	}
	joined, err := e.deps.Persons.JoinAs(ctx, before, code, view.Name)
	if err != nil {
		return e.refuseAs(c, code, view, err)
	}
	e.deps.Browsers.GoOn(c, joined.Session, joined.Secret, before)
	return e.open(c, joined.ConversationID)
}

// refuseAs says why somebody who is signed in does not join as who they are.
func (e *Endpoints) refuseAs(c echo.Context, code string, view pageView, err error) error {
	words := wordsFor(c.Request().Header.Get("Accept-Language"))
	switch {
	case errors.Is(err, storage.ErrInvalid):
		view.Problem = words.BadName
		return e.show(c, http.StatusUnprocessableEntity, code, view)
	case errors.Is(err, storage.ErrStepUp):
		view.Problem = words.Prove
		return e.show(c, http.StatusForbidden, code, view)
	case errors.Is(err, storage.ErrConflict), errors.Is(err, storage.ErrDeactivated), errors.Is(err, storage.ErrForbidden), errors.Is(err, storage.ErrSignedOut):
		return e.show(c, http.StatusConflict, code, view) // which says what has changed
	case errors.Is(err, storage.ErrNotFound), errors.Is(err, storage.ErrExpired):
		return e.show(c, http.StatusGone, code, pageView{})
	}
	return err
}
