// Package api is Hark's HTTP API. This folder puts it together and lists every
// address that is answered (routes.go); what answers is in the folders below.
//
// A request comes in through package front, which names, counts and logs it, and
// refuses what is for another host. Calls under /v1 then pass the guards of
// package rest: who asks (package signin finds out), ids, scopes, queries and
// parameters. The endpoint of a noun asks its part of storage as the
// storage.Principal who asks, which decides what they may see, and returns a JSON
// view or an error; package problem turns errors into HTTP.
//
// Recordings come in through package intake, and what is spoken live through package
// recorder; both are streams that nothing holds. Sound goes out in ranges from
// the object store (package sound), and events go out of one hub a node (package
// events). What people open in a browser is in package pages.
//
// Imports run one way. Nouns (account, audit, conversations, events, heard, integrations,
// invitations, live, members, messages, people, profile, scim, search, signin, sound,
// transcripts, usage) import rest and problem, which know no noun; a noun imports another only where its views show that other's. Each noun
// names what it asks of storage; [Records] has them all. A new noun is a folder, a
// field of [Records], a line in newNouns, lines in routes.go and, where it has
// errors of its own, a rule in [New] that makes problems of them.
//
// A node keeps no state that another cannot take over.
package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hark/api/account"
	"hark/api/audit"
	"hark/api/conversations"
	"hark/api/events"
	"hark/api/front"
	"hark/api/health"
	"hark/api/heard"
	"hark/api/intake"
	"hark/api/integrations"
	"hark/api/invitations"
	"hark/api/limit"
	"hark/api/listen"
	"hark/api/live"
	"hark/api/members"
	"hark/api/messages"
	"hark/api/openid"
	"hark/api/pages"
	"hark/api/people"
	"hark/api/problem"
	"hark/api/profile"
	"hark/api/proxy"
	"hark/api/rest"
	"hark/api/scim"
	"hark/api/search"
	"hark/api/security"
	"hark/api/signin"
	"hark/api/sound"
	"hark/api/transcripts"
	"hark/api/usage"
)

// Deps are the parts that the API works with. All but Live, Sounds and Ready are
// required.
type Deps struct {
	Records  Records
	Objects  Objects
	Bus      Bus
	Live     Live                 // nil: nobody can speak here
	Sounds   profile.Sounds       // nil: nobody can say how their name is pronounced
	Registry *prometheus.Registry // metrics are registered here and served at /metrics
	Logger   *slog.Logger

	// Ready names what must work for this node to be of use; see
	// [health.Endpoints].
	Ready map[string]func(context.Context) error
}

// Records is what each noun asks of storage; one database answers all. Whatever a
// principal may not see is storage.ErrNotFound.
type Records struct {
	Account        account.Records
	Audit          audit.Records
	Conversations  conversations.Records
	Drafts         messages.Drafts
	Emails         account.Emails
	Events         events.Records
	Heard          heard.Records
	Identities     signin.Identities
	Intake         intake.Records
	Integrations   integrations.Records
	Invitations    invitations.Records
	Live           live.Records
	Members        conversations.Members
	Messages       messages.Records
	Passkeys       account.Passkeys
	People         people.Records
	Persons        invitations.Persons
	Profiles       profile.Records
	Provisioning   scim.Records
	Providers      scim.Setup
	Roster         members.Records
	Search         search.Records
	SignIn         signin.Records
	SignInPasskeys signin.Passkeys
	Sound          sound.Records
	Transcripts    transcripts.Records
	Usage          usage.Records
	Workspaces     signin.Workspaces
}

// Objects is where sound is kept.
type Objects interface {
	intake.Objects
	sound.Objects
	profile.Objects
}

// Live makes messages of what is spoken over WebRTC (recorder.Recorder).
type Live interface {
	live.Recorder
	Nudge() // has recordings end that may not go on
}

// Bus carries events from all nodes, and calls jobs off.
type Bus interface {
	events.Bus
	heard.Bus
	messages.Bus
	signin.Bus
}

// Config says how the API presents itself and what it bounds.
type Config struct {
	// PublicURL is where callers reach this service, such as
	// https://hark.example.org or https://example.org/hark; with https cookies
	// are marked Secure. With a path, addresses are answered below it and, for
	// proxies that take it off, without it.
	PublicURL string
	// SigningKey signs the short-lived addresses of sound and seals the ids of
	// events: 32 random bytes, the same on all nodes and kept over restarts.
	SigningKey []byte
	// Version of the program, for the API description.
	Version string
	// Limits bounds what one person may ask for in a time.
	Limits limit.Config
	// Intake bounds the recordings that are taken in.
	Intake intake.Config

	// CORSOrigins are the origins whose pages may use the API with a token, such
	// as https://recorder.example.org; "*" means all.
	CORSOrigins []string

	// MetricsToken lets its bearer read /metrics and the parts of /readyz; empty
	// means that only this machine may.
	MetricsToken string
	// Hosts are the names under which requests are answered beside the public
	// one, localhost and addresses, such as that of a service in a cluster; "*"
	// means all.
	Hosts []string
	// TrustedProxies are believed when they say whom they ask for; nil means
	// nobody is.
	TrustedProxies proxy.Trusted

	// Mail says whether mail can be sent: links to sign in by, invitations and notices.
	Mail bool
	// CreateWorkspaces says whether people may create workspaces.
	CreateWorkspaces bool
	// OpenID are the providers by which people can sign in.
	OpenID []openid.Config
	// SessionTTL is how long a browser stays signed in; 0 means 30 days.
	SessionTTL time.Duration
	// SignedURLTTL is how long a signed address plays; 0 means 15 minutes.
	SignedURLTTL time.Duration
	// Heartbeat is the pause between signs of life on event streams; 0 means 15 s.
	// At each, events that the bus lost are looked for, and credentials are checked
	// as they are before each event.
	Heartbeat time.Duration
	// EventsKept is how long events are kept for sure; a stream that resumes from
	// before begins with a reset. 0 means for ever.
	EventsKept time.Duration
	// StallTimeout is how long a caller may take to send the next bytes of a
	// body; 0 means 30 s. Package listen bounds the answers.
	StallTimeout time.Duration
}

// Server answers HTTP. It is safe for concurrent use.
type Server struct {
	api    *rest.API
	front  *front.Front
	hub    *events.Hub
	signin *signin.Endpoints
	log    *slog.Logger
}

// New makes a [Server] and registers its metrics. It fails when the
// configuration cannot work.
func New(deps Deps, cfg Config) (*Server, error) {
	public, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	securityLog, limits := security.New(deps.Logger), rest.NewLimits(cfg.Limits)
	n, err := newNouns(deps, cfg, public, securityLog, limits)
	if err != nil {
		return nil, err
	}
	api := rest.New(rest.Config{
		Authenticator: n.signin, Limits: limits, Logger: deps.Logger, Description: description(cfg, public),
		Problems: []problem.Rule{messages.Problem, live.Problem, events.Problem, account.Problem, signin.Problem},
	})
	outer, err := front.New(front.Deps{
		API: api, Security: securityLog, Registry: deps.Registry, Logger: deps.Logger, NotFound: n.app.NotFound,
	}, front.Config{
		PublicURL: public, CORSOrigins: cfg.CORSOrigins, Hosts: cfg.Hosts, TrustedProxies: cfg.TrustedProxies, StallTimeout: cfg.StallTimeout,
	})
	if err != nil {
		return nil, err
	}
	api.Add(n.calls()...)
	docs, err := pages.NewDocs(api)
	if err != nil {
		return nil, err
	}
	operators := health.Endpoints{Registry: deps.Registry, Logger: deps.Logger, Token: cfg.MetricsToken, Ready: deps.Ready}
	n.addPages(api, docs, operators)
	if err := outer.CheckBase(); err != nil {
		return nil, err
	}
	return &Server{api: api, front: outer, hub: n.hub, signin: n.signin, log: deps.Logger}, nil
}

// complete fills in the defaults and checks what was given.
func (c *Config) complete() (rest.PublicURL, error) {
	var problems []error
	public, err := rest.ParsePublicURL(c.PublicURL)
	if err != nil {
		problems = append(problems, fmt.Errorf("public address: %w", err))
	}
	if len(c.SigningKey) < 32 {
		problems = append(problems, fmt.Errorf("signing key must be 32 bytes or more, and has %d", len(c.SigningKey)))
	}
	for _, origin := range c.CORSOrigins {
		if err := front.CheckOrigin(origin); err != nil {
			problems = append(problems, fmt.Errorf("origins: %w", err))
		}
	}
	for _, name := range c.Hosts {
		if err := front.CheckHost(name); err != nil {
			problems = append(problems, fmt.Errorf("hosts: %w", err))
		}
	}
	for _, d := range []struct {
		value *time.Duration
		or    time.Duration
	}{
		{&c.SessionTTL, 30 * 24 * time.Hour},
		{&c.SignedURLTTL, 15 * time.Minute},
		{&c.Heartbeat, 15 * time.Second},
		{&c.StallTimeout, 30 * time.Second},
	} {
		if *d.value <= 0 {
			*d.value = d.or
		}
	}
	c.Intake.StallTimeout = c.StallTimeout
	return public, errors.Join(problems...)
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.front.ServeHTTP(w, r) }

// Finish waits for what goes on when its answer was sent, until ctx ends: failed
// sign-ins to be recorded, and links to be mailed. To be called when no request comes
// any more.
func (s *Server) Finish(ctx context.Context) error { return s.signin.Finish(ctx) }

// HTTPServer returns an http.Server for s with the time-outs that the handlers
// count on (see [listen.HTTPServer]). Its Shutdown ends the event streams, whose
// listeners resume on another node or after the restart; it would wait for them
// for ever.
func (s *Server) HTTPServer(addr string) *http.Server {
	srv := listen.HTTPServer(addr, s, s.log)
	srv.RegisterOnShutdown(s.hub.End)
	return srv
}
