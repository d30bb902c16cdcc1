// Package mail sends Hark's mails: invitations, sign-in links, notices and tests.
//
//	API ── NewJob ──> transaction ── job "mail" ──> Sender.Handle ── SMTP ──> server
//
// A mail is a [Message] in the args of a job of the kind mail: whom it is to, in
// which language, and a [Content], of which there is one type a template. It is added
// in the transaction that wants it sent, under a subject that names its purpose, so
// that a request that is repeated sends no second mail. Words are rendered when it is
// sent; each mail is text and HTML of the same words, without pictures or anything
// that is fetched.
//
// # Once
//
// SMTP cannot say whether a mail was taken when the connection breaks, or the process
// dies, between the end of the mail and the server's answer. Then it is sent again,
// under the same Message-ID, which is derived from the job and what it is to send,
// so that mailboxes and people can tell.
//
// # Failures
//
// An answer of 5xx to the mail, its sender or its recipient is for good, unless it asks for a password; everything
// else is tried again for hours: 4xx, a server that is away or hangs, one that takes no
// password or has no certificate that we trust. A mail that comes too late to be of use
// (a link that has run out) is not sent any more. Why a job failed is kept with it,
// without the addresses that servers like to repeat.
//
// # Secrets
//
// Addresses and links are in the args, which the database erases when the job ends, and
// never in a log or a reason.
package mail

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	netmail "net/mail"
	"os"
	"strings"
	"time"
)

// Config says by which server mails are sent, and from whom.
type Config struct {
	Server Server
	NoTLS  bool          // sends in the clear to a server without TLS; a password is then given to this machine only
	CA     string        // PEM file of the authorities that the server's certificate is trusted by; empty means the system's
	From   string        // such as "Hark <hark@example.org>"
	Wait   time.Duration // how long the server may take for one step; 0 means 2 minutes
}

// Sender sends mails. It is safe for concurrent use. A nil Sender is where no server
// was configured.
type Sender struct {
	server Server
	noTLS  bool
	tls    *tls.Config
	from   *netmail.Address
	domain string // of from
	wait   time.Duration
}

// New makes a sender. It does not look whether the server is there.
func New(cfg Config) (*Sender, error) {
	from, err := netmail.ParseAddress(cfg.From)
	if err != nil || hasControls(cfg.From) {
		return nil, errors.New("the sender is no address such as \"Hark <hark@example.org>\"")
	}
	if from.Address, err = CheckAddress(from.Address); err != nil {
		return nil, fmt.Errorf("the sender: %w", err)
	}
	if cfg.NoTLS && cfg.Server.User != "" && !cfg.Server.here() {
		return nil, errors.New("without TLS the password could be read on the way; only a server on this machine gets it so")
	}
	if cfg.NoTLS && cfg.Server.TLS {
		return nil, errors.New("smtps is TLS, which cannot be done without")
	}
	s := &Sender{
		server: cfg.Server, noTLS: cfg.NoTLS, from: from, wait: cfg.Wait,
		tls: &tls.Config{ServerName: cfg.Server.Host, MinVersion: tls.VersionTLS12},
	}
	s.domain = from.Address[strings.LastIndexByte(from.Address, '@')+1:]
	if s.wait <= 0 {
		s.wait = 2 * time.Minute
	}
	if cfg.CA != "" {
		pem, err := os.ReadFile(cfg.CA)
		if err != nil {
			return nil, fmt.Errorf("certificate authorities: %w", err)
		}
		s.tls.RootCAs = x509.NewCertPool()
		if !s.tls.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("certificate authorities: %s has none", cfg.CA)
		}
	}
	return s, nil
}

// Possible reports whether mails can be sent: a server is configured.
func (s *Sender) Possible() bool { return s != nil }
