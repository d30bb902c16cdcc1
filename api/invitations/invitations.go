// Package invitations lets people into a workspace by links: it makes, lists and revokes
// invitations, and answers the page on which somebody joins by one.
//
//	admin ── POST /v1/invitations ──> link ── by mail, or by hand ──> GET /join ── POST /join ──> user, session, conversation
//
// The code in a link is shown once, when the invitation is made; storage keeps its SHA-256.
// Opening the link uses nothing up, since chats and mail programs open links to preview
// them. The page works without scripts. Who joins says what they are called and nothing
// else: their role and where they are put the invitation has. The page signs the
// browser in as package signin does.
//
// Who is signed in to another workspace of this Hark by an address joins as the same
// person, and their session goes on in the workspace that they join ([Endpoints.joinAs]).
// Who is in it already is led there. They may as well join as somebody else, as who has no
// address does: then the page warns that the browser is signed out. That an invitation was
// mailed to an address makes nobody the person of that address: for that they sign in.
//
// What a link that lets nobody in says depends on who asks: who has the code of an
// invitation is told that it is used up, has expired or was revoked; everybody else gets
// one page for all that is wrong. Tries are bounded by address ([limit.Joins]).
package invitations

import (
	"context"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"hark/api/mail"
	"hark/api/openid"
	"hark/api/rest"
	"hark/api/security"
	"hark/storage"
)

// Records is what is asked of storage.
type Records interface {
	CreateInvitation(ctx context.Context, principal storage.Principal, n storage.NewInvitation) (storage.Invitation, string, error)
	Invitations(ctx context.Context, principal storage.Principal, page storage.Page) ([]storage.Invitation, string, error)
	RevokeInvitation(ctx context.Context, principal storage.Principal, id string) error
	Welcome(ctx context.Context, code string) (storage.Welcome, error)
	Join(ctx context.Context, code, name string, session storage.SignIn) (storage.Joined, error)
}

// Persons is what is asked of storage about who is signed in to another workspace.
type Persons interface {
	Account(ctx context.Context, principal storage.Principal) (storage.Account, error)
	JoinedWorkspaces(ctx context.Context, principal storage.Principal) ([]storage.JoinedWorkspace, error)
	JoinAs(ctx context.Context, principal storage.Principal, code, name string) (storage.Joined, error)
	Switch(ctx context.Context, principal storage.Principal, workspaceID string) (session storage.Token, secret string, err error)
}

// Browsers signs browsers in (signin.Endpoints).
type Browsers interface {
	CheckOrigin(req *http.Request) error
	Choices(workspaceID string) []openid.Choice
	SignedIn(req *http.Request) (storage.Principal, error)
	NewSession(req *http.Request) storage.SignIn
	Begin(c echo.Context, session storage.Token, secret, device string, before storage.Principal)
	GoOn(c echo.Context, session storage.Token, secret string, before storage.Principal)
}

// Deps are the parts that [Endpoints] work with. All are required.
type Deps struct {
	Records   Records
	Persons   Persons
	Browsers  Browsers
	Limits    *rest.Limits
	Security  *security.Log
	PublicURL rest.PublicURL

	// Mail is whether mails can be sent; else links are passed on by who invites.
	Mail bool
}

// Endpoints answer the calls about invitations, and the page on which one joins.
type Endpoints struct{ deps Deps }

// New makes [Endpoints].
func New(deps Deps) *Endpoints { return &Endpoints{deps} }

// Link is the link of an invitation below a public address.
func Link(public, code string) string { return public + "/join?code=" + url.QueryEscape(code) }

// Mailing makes the job that mails an invitation's link, for storage to add. It fails
// where the address is none.
func Mailing(public, to, language string) (address string, job func(i storage.Invitation, workspace, code string) (storage.NewJob, error), err error) {
	address, err = mail.CheckAddress(to)
	if err != nil {
		return "", nil, &storage.InvalidError{Field: "email", Problem: err.Error()}
	}
	return address, func(i storage.Invitation, workspace, code string) (storage.NewJob, error) {
		message, err := mail.NewMessage(address, language, mail.Invitation{
			Inviter: i.CreatedBy.Name, Workspace: workspace, Link: Link(public, code), Until: i.ExpiresAt,
		})
		if err != nil {
			return storage.NewJob{}, err
		}
		job := mail.NewJob(storage.InvitationMail(i.ID), message)
		job.AuthorID = i.CreatedBy.ID
		return job, nil
	}, nil
}
