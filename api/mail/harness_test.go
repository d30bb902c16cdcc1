package mail_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	netmail "net/mail"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"hark/api/mail"
)

const (
	user     = "hark@example.org"
	password = "right/horse@battery"
)

// delivery is a mail that the server was given.
type delivery struct {
	from, to string
	data     []byte
	by       string // who signed in, if anybody
	greeting string // the name that was given with EHLO
	tls      bool
}

// server is an SMTP server, which answers what the test says.
type server struct {
	mail, rcpt, data func() error // nil for taking it; data is asked when all of the mail is there

	host string
	port int
	ca   string // file that its certificate is trusted by

	mu    sync.Mutex
	taken []delivery // what it was given, whatever it answered
	came  chan delivery
}

// serve starts a server on a port of its own.
func serve(t *testing.T, configure func(s *server, smtp *smtp.Server)) *server {
	t.Helper()
	s := &server{came: make(chan delivery, 10)}
	certified := httptest.NewTLSServer(nil) // which has a certificate of 127.0.0.1
	certified.Close()
	s.ca = filepath.Join(t.TempDir(), "ca.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certified.Certificate().Raw})
	if err := os.WriteFile(s.ca, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	served := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &session{server: s, conn: c}, nil }))
	served.Domain, served.ErrorLog = "mail.example.org", log.New(io.Discard, "", 0)
	served.TLSConfig = &tls.Config{Certificates: certified.TLS.Certificates, MinVersion: tls.VersionTLS12}
	configure(s, served)
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.host, s.port = "127.0.0.1", l.Addr().(*net.TCPAddr).Port
	if served.TLSConfig != nil && served.TLSConfig.ServerName == "implicit" {
		l = tls.NewListener(l, served.TLSConfig)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = served.Serve(l)
	}()
	t.Cleanup(func() {
		_ = served.Close()
		<-ended
	})
	return s
}

// plain is a server with STARTTLS that takes all, and asks for nothing.
func plain(t *testing.T) *server { return serve(t, func(*server, *smtp.Server) {}) }

// sender is a sender by the server.
func (s *server) sender(t *testing.T, change func(*mail.Config)) *mail.Sender {
	t.Helper()
	cfg := mail.Config{
		Server: mail.Server{Host: s.host, Port: s.port}, CA: s.ca, From: "Hark <hark@example.org>", Wait: 20 * time.Second,
	}
	if change != nil {
		change(&cfg)
	}
	sender, err := mail.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return sender
}

// all are the mails that the server was given.
func (s *server) all() []delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken
}

// session implements smtp.AuthSession.
type session struct {
	*server
	conn *smtp.Conn
	now  delivery
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, secret string) error {
		if username != user || secret != password {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "Credentials of " + username + " are wrong"}
		}
		s.now.by = username
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.now.from = from
	return answer(s.mail)
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.now.to = to
	return answer(s.rcpt)
}

func (s *session) Data(r io.Reader) (err error) {
	if s.now.data, err = io.ReadAll(r); err != nil {
		return err
	}
	_, s.now.tls = s.conn.TLSConnectionState()
	s.now.greeting = s.conn.Hostname()
	s.mu.Lock()
	s.taken = append(s.taken, s.now)
	s.mu.Unlock()
	s.came <- s.now
	return answer(s.data)
}

func (*session) Reset() {}

func (*session) Logout() error { return nil }

func answer(how func() error) error {
	if how == nil {
		return nil
	}
	return how()
}

// says has a server answer with a code and a text.
func says(code int, text string) func() error {
	return func() error {
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: text}
	}
}

// read is a mail as its reader has it.
type read struct {
	netmail.Header
	subject    string
	text, html string
}

func readMail(t *testing.T, data []byte) (r read) {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%v in\n%s", err, data)
	}
	r.Header = m.Header
	if r.subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		t.Fatal(err)
	}
	typ, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || typ != "multipart/alternative" {
		t.Fatalf("a mail of type %s: %v", typ, err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return r
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		switch typ, params, _ := mime.ParseMediaType(p.Header.Get("Content-Type")); {
		case typ == "text/plain" && params["charset"] == "UTF-8" && r.html == "": // the last is the one to show
			r.text = string(body)
		case typ == "text/html" && params["charset"] == "UTF-8":
			r.html = string(body)
		default:
			t.Errorf("a part of type %s", typ)
		}
	}
}

func message(t *testing.T, to, language string, c mail.Content) mail.Message {
	t.Helper()
	m, err := mail.NewMessage(to, language, c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// within is a context for what takes no longer than that.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
