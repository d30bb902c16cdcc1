package config

import (
	"errors"
	"fmt"

	"hark/storage/bus"
)

// NATSConfig says where jobs and events go, and who we are there.
type NATSConfig struct {
	URL      string `env:"URL" placeholder:"URL" credentials:"" help:"NATS servers with JetStream, comma-separated; when empty, one runs in process."`
	Prefix   string `env:"PREFIX" placeholder:"NAME" help:"Prefix of this Hark's stream and subjects; its own id when empty, so that several can share a server."`
	Replicas int    `env:"REPLICAS" default:"1" help:"Replicas of the job queue in a NATS cluster."`
	MaxBytes int64  `env:"MAX_BYTES" default:"0" help:"Maximum size of the job queue on the server's disk, in bytes; 0 means no limit, or what the account's limits leave."`
	User     string `env:"USER" placeholder:"NAME" help:"User name, with HARK_NATS_PASSWORD."`
	Password Secret `env:"PASSWORD" placeholder:"SECRET" help:"Password of HARK_NATS_USER."`
	Token    Secret `env:"TOKEN" placeholder:"SECRET" help:"Token, instead of a user."`
	NKey     Secret `name:"nkey" env:"NKEY" placeholder:"SEED" help:"Seed of an nkey, instead of a user; it begins with SU."`
	Creds    string `env:"CREDS" placeholder:"FILE" help:"Credentials file (a JWT and its nkey), instead of a user."`
	CA       string `name:"ca" env:"CA" placeholder:"FILE" help:"PEM file of certificate authorities for the server; the system's when empty."`
	Cert     string `env:"CERT" placeholder:"FILE" help:"PEM file of the client certificate, for servers that require one."`
	Key      string `env:"KEY" placeholder:"FILE" help:"PEM file of the client certificate's key."`
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

// Explain names the settings that are likely wrong.
func (c NATSConfig) Explain(err error) error {
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
