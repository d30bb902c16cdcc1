// Package scim has identity providers such as Entra ID and Okta keep the people of a
// workspace, and groups of them, as they have them: SCIM 2.0 (RFC 7643, 7644) below
// /scim/v2.
//
// # Who asks
//
// A client comes with a token whose scope is scim, and nothing else opens these paths;
// nor does such a token open any other. It belongs to an owner or an admin, acts as them
// in the audit log, and is worth nothing any more once they do not manage members.
//
// # Who is meant
//
// Whoever has an address to sign in by is a User, and whoever a client made. userName is
// kept beside the user; of emails the primary one, else that for work, else the first; else
// the userName is the address where it is one. A person who is made signs in by that
// address as everybody does who has set no password: by a mailed link, or by a provider
// that they link; or, at first, by one whose configuration says in which claim the
// externalId is. No equal address links anything. Since an account is a person's across
// workspaces, and who has its address has the account, a client never gives anybody an
// account that is there, nor changes one that somebody chose or uses elsewhere: somebody
// whose address is another workspace's stays without one here.
//
// What somebody is called is changed when the client has another name than before, so that
// what they call themselves stays. active=false and DELETE deactivate as an admin does.
// Who was deleted is not there for clients until the same userName is POSTed again. Owners,
// and whose token it is, are shown and not changed. Attributes that are not kept, such as
// titles, telephones, languages and those of extensions, are taken and ignored.
//
// Groups may grant the roles admin, member and guest, which owners and admins set here
// ([Endpoints.SetGroupRole]) and storage.RoleAfter decides on, as for groups of OpenID
// providers.
//
// # The library
//
// github.com/elimity-com/scim routes, checks values by the schemas, and writes resources,
// lists and errors. Tried against what Entra ID and Okta send, it refuses truths as text,
// null, and a PATCH that names any attribute which the schema has not; a body that ends
// early is read as far as it goes. So bodies are read and made ready first (body.go). It
// says of a page how many were asked for and not how many there are, has no sorting and no
// choice of attributes, and prints errors that it does not know: answers are amended
// (answer.go). Filters come parsed by scim2/filter-parser, which leaves escapes in texts,
// and are compiled to conditions that hold values only as arguments (filter.go). Bulk,
// /.search, /Me, ETags and changing passwords are not there, and ServiceProviderConfig says so.
//
// # Limits
//
// Bodies 1 MiB; 200 resources a page; filters 2000 bytes and 40 parts; 1000 operations a
// PATCH; 5000 members a group and as many groups; so many requests a token and time as
// HARK_LIMIT_PROVISIONING has. A role that changes for thousands at once, since a group gives
// another, is one change of the workspace, of about a second for each thousand on Postgres,
// for which its other changes wait.
package scim

import (
	"bytes"
	"context"
	stderrors "errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/elimity-com/scim"
	"github.com/elimity-com/scim/errors"
	"github.com/elimity-com/scim/optional"
	"github.com/labstack/echo/v4"

	"hark/api/limit"
	"hark/api/problem"
	"hark/api/rest"
	"hark/storage"
	"hark/storage/provision"
)

// Path is where SCIM is, below the public address.
const Path = "/scim/v2"

const maxBody = 1 << 20 // bytes

// People is what the protocol asks of storage about persons.
type People interface {
	Persons(ctx context.Context, principal storage.Principal, q provision.Query) ([]provision.Person, int, error)
	Person(ctx context.Context, principal storage.Principal, id string) (provision.Person, error)
	AddPerson(ctx context.Context, principal storage.Principal, known provision.Known) (provision.Person, error)
	ChangePerson(ctx context.Context, principal storage.Principal, id string, change func(provision.Known) (provision.Known, error)) (provision.Person, error)
	RemovePerson(ctx context.Context, principal storage.Principal, id string) error
}

// Groups is what the protocol asks of storage about groups.
type Groups interface {
	Groups(ctx context.Context, principal storage.Principal, q provision.Query) ([]provision.Group, int, error)
	Group(ctx context.Context, principal storage.Principal, id string, bare bool) (provision.Group, error)
	AddGroup(ctx context.Context, principal storage.Principal, known provision.GroupKnown) (provision.Group, error)
	ChangeGroup(ctx context.Context, principal storage.Principal, id string, change func(provision.GroupKnown) (provision.GroupKnown, error)) error
	RemoveGroup(ctx context.Context, principal storage.Principal, id string) error
}

// Setup is what the settings ask of storage.
type Setup interface {
	ProvisioningTokens(ctx context.Context, principal storage.Principal) ([]storage.Token, map[string]storage.User, error)
	GroupPage(ctx context.Context, principal storage.Principal, page storage.Page) ([]provision.Group, string, error)
	SetGroupRole(ctx context.Context, principal storage.Principal, id string, role storage.Role) (provision.Group, error)
}

// Records is what the protocol asks of storage.
type Records interface {
	People
	Groups
}

// Deps are the parts that [Endpoints] work with. All are required.
type Deps struct {
	Records       Records
	Setup         Setup
	Authenticator rest.Authenticator
	Limits        *rest.Limits
	PublicURL     rest.PublicURL

	// Revoked has what goes on in a workspace end that may not go on.
	Revoked func(ctx context.Context, workspaceID string)
}

// Endpoints answer SCIM, and the calls that set it up.
type Endpoints struct {
	deps   Deps
	server scim.Server
}

// New makes [Endpoints].
func New(deps Deps) *Endpoints {
	e := &Endpoints{deps: deps}
	e.server, _ = scim.NewServer(&scim.ServerArgs{ // which fails only without what is given here
		ServiceProviderConfig: &scim.ServiceProviderConfig{
			MaxResults: provision.MaxPage, SupportFiltering: true, SupportPatch: true,
			AuthenticationSchemes: []scim.AuthenticationScheme{{
				Type: scim.AuthenticationTypeOauthBearerToken, Name: "Bearer token", Description: "A token whose scope is scim, as the workspace's settings make it",
				SpecURI: optional.NewString("https://www.rfc-editor.org/rfc/rfc6750"), DocumentationURI: optional.NewString(deps.PublicURL.Address() + "/docs"), Primary: true,
			}},
		},
		ResourceTypes: []scim.ResourceType{
			{ID: optional.NewString("User"), Name: "User", Endpoint: "/Users", Description: userSchema.Description, Schema: userSchema, Handler: users{e}},
			{ID: optional.NewString("Group"), Name: "Group", Endpoint: "/Groups", Description: groupSchema.Description, Schema: groupSchema, Handler: groups{e}},
		},
	}, scim.WithBaseURL(e.base()))
	return e
}

func (e *Endpoints) base() string { return e.deps.PublicURL.Address() + Path }

// Register adds the routes of the protocol.
func (e *Endpoints) Register(api *rest.API) {
	for _, path := range []string{"/ServiceProviderConfig", "/ResourceTypes", "/ResourceTypes/:name", "/Schemas", "/Schemas/:name", "/Users", "/Users/:id", "/Groups", "/Groups/:id"} {
		api.Page(Path+path, e.Serve)
	}
	for _, path := range []string{"/Users", "/Groups"} {
		api.Echo().POST(Path+path, e.Serve)
		for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete} {
			api.Echo().Add(method, Path+path+"/:id", e.Serve)
		}
	}
}

type callerKey struct{}

// caller is who asks, as [Endpoints.Serve] found out.
func caller(r *http.Request) storage.Principal {
	principal, _ := r.Context().Value(callerKey{}).(storage.Principal)
	return principal
}

// Serve answers a request of the protocol.
func (e *Endpoints) Serve(c echo.Context) error {
	a := &answer{header: http.Header{"Content-Type": {mediaType}}}
	call := rest.CallFrom(c.Request().Context())
	if err := e.answer(a, c.Request(), call); err != nil {
		var said errors.ScimError
		if !stderrors.As(err, &said) {
			call.Err = err
			said = errors.ScimError{Status: http.StatusInternalServerError, Detail: "Something failed here. Try again later."}
			if p := problem.From(err); p.Status == http.StatusServiceUnavailable {
				said.Status, said.Detail = p.Status, "The service is not available now. Try again later."
			}
		}
		a.status = said.Status
		a.body.Reset()
		body, _ := said.MarshalJSON() // strings cannot fail
		a.body.Write(body)
	}
	a.amend()
	return a.send(c.Response())
}

func (e *Endpoints) answer(a *answer, r *http.Request, call *rest.Call) error {
	principal, err := e.admit(a, r)
	if err != nil {
		return err
	}
	call.Principal, call.Kind = principal, storage.APIToken
	ask := r.WithContext(context.WithValue(r.Context(), callerKey{}, principal))
	at := *r.URL
	at.Path, at.RawPath = strings.TrimPrefix(at.Path, strings.TrimSuffix(Path, "/v2")), ""
	ask.URL = &at
	if ask.Method == http.MethodHead {
		ask.Method = http.MethodGet
	}
	if err := ready(ask); err != nil {
		return err
	}
	ours := &failure{}
	e.server.ServeHTTP(a, ask.WithContext(context.WithValue(ask.Context(), failureKey{}, ours)))
	if ours.err != nil {
		return ours.err
	}
	if ask.Method != http.MethodGet && a.status < http.StatusBadRequest {
		e.deps.Revoked(r.Context(), principal.WorkspaceID)
	}
	return nil
}

// admit finds out who asks, and lets in only whose token is for this.
func (e *Endpoints) admit(a *answer, r *http.Request) (storage.Principal, error) {
	refused := func(status int, detail string) error { return errors.ScimError{Status: status, Detail: detail} }
	principal, kind, err := e.deps.Authenticator.Authenticate(r)
	var p *problem.Problem
	switch {
	case stderrors.As(err, &p):
		for name, values := range p.GetHeaders() {
			a.header[name] = values
		}
		return principal, refused(p.Status, "Send a token whose scope is scim: "+p.Detail)
	case err != nil:
		return principal, err
	case kind != storage.APIToken || !principal.Scopes.Provision():
		a.header.Set("WWW-Authenticate", `Bearer realm="hark", error="insufficient_scope", scope="`+string(storage.ScopeProvision)+`"`)
		return principal, refused(http.StatusForbidden, "SCIM takes a token whose scope is scim alone. Create one in the workspace's settings.")
	case !storage.MayProvision(principal):
		return principal, refused(http.StatusForbidden, "The person whose token this is does not manage members any more. Have somebody create another who does.")
	}
	if retry, ok := e.deps.Limits.Allow(limit.Provisioning, principal.CredentialID); !ok {
		seconds := strconv.Itoa(int(retry.Seconds()))
		a.header.Set("Retry-After", seconds)
		return principal, refused(http.StatusTooManyRequests, "Too many requests with this token. Try again in "+seconds+" seconds.")
	}
	return principal, nil
}

// ready reads the body of a request, and makes it what the library takes. A PATCH of which
// nothing is kept becomes a GET.
func ready(r *http.Request) error {
	of := userSchema
	if strings.HasPrefix(r.URL.Path, "/v2/Groups") {
		of = groupSchema
	}
	if r.Method == http.MethodGet || r.Method == http.MethodDelete {
		return nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case stderrors.As(err, &large):
		return errors.ScimError{Status: http.StatusRequestEntityTooLarge, Detail: "A body may have 1 MiB."}
	case err != nil:
		return errors.ScimErrorInvalidSyntax
	}
	var scimErr *errors.ScimError
	something := true
	if r.Method == http.MethodPatch {
		body, something, scimErr = readyPatch(body, of)
	} else {
		body, scimErr = readyResource(body, of)
	}
	if scimErr != nil {
		return *scimErr
	}
	if !something {
		r.Method = http.MethodGet
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}
