package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"hark/storage/bus"
)

// NATSConfig says where jobs and events go, and who we are there.
type NATSConfig struct {
	URL      string `env:"URL" placeholder:"URL" credentials:"" help:"Addresses of NATS servers with JetStream, comma-separated; when empty, one is served in process."`
	Prefix   string `env:"PREFIX" placeholder:"NAME" help:"What the names of this Hark's stream and subjects begin with; its own id when empty, so that several can use one server."`
	Replicas int    `env:"REPLICAS" default:"1" help:"Copies of the job queue in a NATS cluster."`
	MaxBytes int64  `env:"MAX_BYTES" default:"0" help:"Most that the job queue takes on the server's disk, in bytes; 0 means no bound, or what the account's limits leave."`
	User     string `env:"USER" placeholder:"NAME" help:"User to sign in as, with HARK_NATS_PASSWORD."`
	Password secret `env:"PASSWORD" placeholder:"SECRET" help:"The user's password."`
	Token    secret `env:"TOKEN" placeholder:"SECRET" help:"Token to sign in with, instead of a user."`
	NKey     secret `name:"nkey" env:"NKEY" placeholder:"SEED" help:"Seed of an nkey to sign in with, instead of a user; it begins with SU."`
	Creds    string `env:"CREDS" placeholder:"FILE" help:"File of credentials (a JWT and its nkey) to sign in with, instead of a user."`
	CA       string `name:"ca" env:"CA" placeholder:"FILE" help:"PEM file of the authorities that the server's certificate may come from; the system's when empty."`
	Cert     string `env:"CERT" placeholder:"FILE" help:"PEM file of our certificate, for servers that ask for one."`
	Key      string `env:"KEY" placeholder:"FILE" help:"PEM file of its key."`
}

func (c NATSConfig) check(bad func(key, format string, args ...any)) {
	if c.Replicas < 1 || c.Replicas > 5 {
		bad("HARK_NATS_REPLICAS", "%d is not 1 to 5", c.Replicas)
	}
	if c.MaxBytes != 0 && c.MaxBytes < 1<<20 {
		bad("HARK_NATS_MAX_BYTES", "%d is too few; expected 0 or at least %d", c.MaxBytes, 1<<20)
	}
	if c.Prefix != "" {
		if err := bus.CheckPrefix(c.Prefix); err != nil {
			bad("HARK_NATS_PREFIX", "%s", err)
		}
	}
	if (c.User == "") != (c.Password == "") {
		bad("HARK_NATS_USER, HARK_NATS_PASSWORD", "one is set without the other")
	}
	if (c.Cert == "") != (c.Key == "") {
		bad("HARK_NATS_CERT, HARK_NATS_KEY", "one is set without the other")
	}
	ways := 0
	for _, set := range []bool{c.User != "", c.Token != "", c.NKey != "", c.Creds != ""} {
		if set {
			ways++
		}
	}
	if ways > 1 {
		bad("HARK_NATS_USER, HARK_NATS_TOKEN, HARK_NATS_NKEY, HARK_NATS_CREDS", "%d are set; expected one at most", ways)
	}
	if c.URL == "" && (ways > 0 || c.CA != "" || c.Cert != "") {
		bad("HARK_NATS_URL", "is needed with the other settings of NATS; without it the server in process is used, which asks for nothing")
	}
}

// openBus connects to the server of jobs and events, and starts it first where
// it is in process.
func (p *Program) openBus(ctx context.Context) error {
	id, err := p.db.InstanceID(ctx)
	if err != nil {
		return err
	}
	n := p.cfg.NATS
	c := bus.Config{
		URL: n.URL, Name: "hark-" + p.cfg.Role, Prefix: cmp.Or(n.Prefix, "hark-"+id), Replicas: n.Replicas, MaxBytes: n.MaxBytes,
		Auth:   bus.Auth{User: n.User, Password: string(n.Password), Token: string(n.Token), NKeySeed: string(n.NKey), CredsFile: n.Creds},
		TLS:    bus.TLS{CAFile: n.CA, CertFile: n.Cert, KeyFile: n.Key},
		Logger: p.log.With("part", "bus"),
	}
	if c.URL == "" {
		embedded, err := bus.Serve(filepath.Join(p.cfg.Data, "nats"), c.Logger)
		if err != nil {
			return fmt.Errorf("start bus: %w", err)
		}
		p.closers = append(p.closers, embedded.Close)
		c.Embedded = embedded
	}
	err = p.reach(ctx, "bus", func() (err error) {
		p.bus, err = bus.Connect(ctx, c)
		return err
	})
	if err != nil {
		return n.explain(err)
	}
	p.closers = append(p.closers, p.bus.Close)
	return nil
}

// explain names the settings that are likely wrong.
func (c NATSConfig) explain(err error) error {
	if c.URL == "" {
		return err
	}
	for _, hint := range []struct {
		kind error
		what string
	}{
		{bus.ErrFile, "check HARK_NATS_CA, HARK_NATS_CERT and HARK_NATS_KEY, HARK_NATS_CREDS or HARK_NATS_NKEY"},
		{bus.ErrAuth, "check HARK_NATS_USER and HARK_NATS_PASSWORD, HARK_NATS_TOKEN, HARK_NATS_NKEY or HARK_NATS_CREDS, whichever the server asks for"},
		{bus.ErrPermission, "let the user publish to PREFIX.>, $JS.API.> and $JS.ACK.PREFIX-jobs.>, and subscribe to PREFIX.> and _INBOX.>, where PREFIX is HARK_NATS_PREFIX"},
		{bus.ErrTLS, "check HARK_NATS_CA, HARK_NATS_CERT and HARK_NATS_KEY, and the scheme and the host in HARK_NATS_URL (tls:// for a server that wants TLS)"},
		{bus.ErrNoJetStream, "HARK_NATS_URL must name a server that has JetStream enabled (nats-server -js), for the account of the user too"},
		{bus.ErrLimit, "raise the account's limits (Hark needs one stream of at least 1 MiB for each copy, and two consumers), or lower HARK_NATS_MAX_BYTES or HARK_NATS_REPLICAS"},
		{bus.ErrReplicas, "lower HARK_NATS_REPLICAS, or add servers to the cluster"},
		{bus.ErrOverlap, "set HARK_NATS_PREFIX to a name that nobody else on this server uses"},
	} {
		if errors.Is(err, hint.kind) {
			return fmt.Errorf("%w; %s", err, hint.what)
		}
	}
	return fmt.Errorf("%w; check HARK_NATS_URL and the other settings of NATS", err)
}
