// Package api is Hark's HTTP face: routes, who asks, errors as RFC 9457
// problems, and the OpenAPI 3.1 description that is made from the code.
//
// A request passes [Server].observe (request id, access log, metrics, panics)
// and [Server].checkHost, then its route. The calls under /v1 are huma operations, so that their
// parameters are checked and described in one place; each goes through
// authenticate, which makes a storage.Actor of a bearer token, a session
// cookie or a signed address, and refuses ids that cannot be ids. Handlers are
// short: they call storage with that actor, which scopes everything, and
// return a record's JSON view or an error. [problemOf] turns every error into
// HTTP, with words for the caller; the private cause goes to the log.
//
// Text that answers GET or HEAD is held until it is whole ([entity]), so that
// it leaves with its length, an entity tag, and compressed.
//
// Sound goes through without being held: recordings in through package
// intake, what is spoken live through package recorder, clips out in ranges
// from the object store. Server-sent events are
// woken by the bus and read from the database, so that a stream that resumes
// neither loses nor repeats an event.
//
// JSON is read one way (package strictjson), and so are queries: a name that is
// not known, or comes twice, is refused.
//
// Limits: JSON bodies 64 KiB; pages of 100; what a clip may be is
// [Config].Limits. A node keeps no state that another cannot take over.
package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"hark/api/coding"
	"hark/api/intake"
	"hark/api/proxy"
)

// Deps are the parts that the API works with. All but Live and Ready are
// required.
type Deps struct {
	DB       database
	Objects  objects
	Bus      bus
	Live     live                 // nil: nobody can speak here
	Registry *prometheus.Registry // metrics are registered here and served at /metrics
	Logger   *slog.Logger

	// Ready names what must work for this node to be of use; see [Operations].
	Ready map[string]func(context.Context) error
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

	// SessionTTL is how long a browser stays signed in; 0 means 30 days.
	SessionTTL time.Duration
	// SignedURLTTL is how long a signed address plays; 0 means 15 minutes.
	SignedURLTTL time.Duration
	// Heartbeat is the pause between signs of life on an event stream, on
	// each of which it also looks for what the bus lost and whether its
	// credential still holds, as it does before each event; 0 means 15 s.
	Heartbeat time.Duration
	// StallTimeout is how long a caller may take to send the next bytes of a
	// body; 0 means 30 s. Package listen bounds the answers.
	StallTimeout time.Duration
}

// Server answers HTTP. It is safe for concurrent use.
type Server struct {
	Deps
	cfg    Config
	public *url.URL
	base   string // path of the public address, without a slash at its end; before all paths that callers are told

	echo   *echo.Echo
	huma   huma.API
	intake *intake.Intake
	signer signer

	security *securityLog
	csrf     *http.CrossOriginProtection
	packer   *coding.Packer

	eventIDs eventIDs
	metrics  *metrics

	streams    context.Context // ends when event streams are to end
	endStreams context.CancelFunc
}

// New makes a [Server] and registers its metrics. It fails when the
// configuration cannot work.
func New(deps Deps, cfg Config) (*Server, error) {
	public, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	s := &Server{
		Deps:   deps,
		cfg:    cfg,
		public: public,
		base:   strings.TrimRight(public.EscapedPath(), "/"),
		signer: signer{key: derive(cfg.SigningKey, "audio addresses"), life: cfg.SignedURLTTL},
		csrf:   http.NewCrossOriginProtection(),

		security: newSecurityLog(deps.Logger),
		intake: intake.New(intake.Deps{
			Messages: deps.DB, Objects: deps.Objects, Jobs: deps.Bus, Logger: deps.Logger,
		}, cfg.Intake),
	}
	if err := s.csrf.AddTrustedOrigin(public.Scheme + "://" + public.Host); err != nil {
		return nil, fmt.Errorf("trust the public address: %w", err)
	}
	if s.metrics, err = newMetrics(deps.Registry, s.intake.InFlight); err != nil {
		return nil, err
	}
	if s.packer, err = coding.NewPacker(); err != nil {
		return nil, err
	}
	if s.eventIDs, err = newEventIDs(cfg.SigningKey); err != nil {
		return nil, err
	}
	s.streams, s.endStreams = context.WithCancel(context.Background())
	if err := errors.Join(s.route(), s.checkBase()); err != nil {
		return nil, err
	}
	return s, nil
}

// complete fills in the defaults and checks what was given.
func (c *Config) complete() (*url.URL, error) {
	var problems []error
	public, err := CheckPublicURL(c.PublicURL)
	if err != nil {
		problems = append(problems, fmt.Errorf("public address: %w", err))
	}
	if len(c.SigningKey) < 32 {
		problems = append(problems, fmt.Errorf("signing key must be 32 bytes or more, and has %d", len(c.SigningKey)))
	}
	for _, origin := range c.CORSOrigins {
		if err := CheckOrigin(origin); err != nil {
			problems = append(problems, fmt.Errorf("origins: %w", err))
		}
	}
	for _, name := range c.Hosts {
		if err := CheckHost(name); err != nil {
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
	return public, errors.Join(problems...)
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.echo.ServeHTTP(w, s.belowBase(s.cfg.TrustedProxies.Request(r)))
}

// EndStreams ends the event streams, whose listeners resume on another node or
// after the restart. Without it a graceful stop would wait for them for ever.
func (s *Server) EndStreams() { s.endStreams() }

// HTTPServer returns an http.Server for s with the time-outs that the handlers
// count on: headers must come soon, while bodies are bounded by their own
// deadlines, which move on as bytes do, and answers by the listener that it is
// to serve (see package listen). Its Shutdown ends the event streams.
func (s *Server) HTTPServer(addr string) *http.Server {
	srv := newHTTPServer(addr, s, s.Logger)
	srv.RegisterOnShutdown(s.EndStreams)
	return srv
}

// HTTPServer returns an http.Server for o alone.
func (o Operations) HTTPServer(addr string) *http.Server {
	return newHTTPServer(addr, o.Handler(), o.Logger)
}

func newHTTPServer(addr string, handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Addr:              addr,
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
