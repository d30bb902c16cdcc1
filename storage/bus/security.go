package bus

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// Auth says who we are to the server. Its zero value is nobody; what the
// address itself says counts then.
type Auth struct {
	User, Password string // both, or neither
	Token          string
	NKeySeed       string // the secret half of an nkey, which begins with SU
	CredsFile      string // file with a JWT and its nkey, read again at each connection
}

// TLS names PEM files. Its zero value is a plain connection, unless the server
// or a tls:// address asks for a secure one, which is then checked by the
// system's authorities.
type TLS struct {
	CAFile   string // authorities that the server's certificate may come from
	CertFile string // our certificate, for servers that ask for one
	KeyFile  string // its key
}

var errUserSeed = errors.New("it is not the seed of a user, which begins with SU")

// options are those of the connection. Files are read, so that what is wrong
// with them shows now.
func (a Auth) options() ([]nats.Option, error) {
	var opts []nats.Option
	if a.User != "" {
		opts = append(opts, nats.UserInfo(a.User, a.Password))
	}
	if a.Token != "" {
		opts = append(opts, nats.Token(a.Token))
	}
	if a.NKeySeed != "" {
		pair, err := nkeys.FromSeed([]byte(a.NKeySeed))
		if err != nil {
			return nil, fmt.Errorf("read the nkey: %w", errUserSeed) // the cause may repeat it
		}
		public, err := pair.PublicKey()
		if err != nil || !nkeys.IsValidPublicUserKey(public) {
			return nil, fmt.Errorf("read the nkey: %w", errUserSeed)
		}
		opts = append(opts, nats.Nkey(public, pair.Sign))
	}
	if a.CredsFile != "" {
		if _, err := os.ReadFile(a.CredsFile); err != nil {
			return nil, fmt.Errorf("read the credentials: %w", err)
		}
		opts = append(opts, nats.UserCredentials(a.CredsFile))
	}
	return opts, nil
}

func (t TLS) options() ([]nats.Option, error) {
	if t == (TLS{}) {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read the certificate authorities: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read the certificate authorities: %s holds no PEM certificate", t.CAFile)
		}
	}
	opts := []nats.Option{nats.Secure(c)}
	if t.CertFile != "" || t.KeyFile != "" {
		// The library reads the pair again at each connection.
		if _, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile); err != nil {
			return nil, fmt.Errorf("read our certificate: %w", err)
		}
		opts = append(opts, nats.ClientCert(t.CertFile, t.KeyFile))
	}
	return opts, nil
}
