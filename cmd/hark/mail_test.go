package main

import (
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"hark/api/mail"
	"hark/cmd/hark/config"
	"hark/cmd/hark/instance"
	"hark/storage"
)

// mailbox is an SMTP server on this machine, without TLS, that refuses eve.
type mailbox struct{ came chan string }

// NewSession implements smtp.Backend.
func (m mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &mailSession{mailbox: m}, nil }

type mailSession struct {
	mailbox
	to string
}

func (*mailSession) Mail(string, *smtp.MailOptions) error { return nil }

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "eve@") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such user " + to}
	}
	s.to = to
	return nil
}

func (s *mailSession) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	s.came <- s.to
	return err
}

func (*mailSession) Reset() {}

func (*mailSession) Logout() error { return nil }

// Hark sends what is in its jobs, and the command tries the server at once and says
// what it answers.
func TestMail(t *testing.T) {
	t.Parallel()
	box := mailbox{make(chan string, 10)}
	served := smtp.NewServer(box)
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- served.Serve(l) }()
	t.Cleanup(func() {
		_ = served.Close()
		if err := <-ended; err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	c := &commands{data: t.TempDir(), dir: t.TempDir()}
	settings := []string{"HARK_SMTP_URL=smtp://" + l.Addr().String(), "HARK_SMTP_TLS=off", "HARK_MAIL_FROM=Hark <hark@example.org>"}
	c.Instance = launch(t, instance.Config{
		Binary: harkBinary, Data: c.data,
		Env: append(settings, "HARK_ENGINE=openai", "HARK_OPENAI_URL=http://127.0.0.1:1", "HARK_WEBRTC_UDP=off"),
	})
	t.Cleanup(c.Kill)

	db, ws, err := (&AdminConfig{DatabaseConfig: config.DatabaseConfig{Data: c.data}}).open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	m, err := mail.NewMessage("ada@example.net", "en", mail.Test{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.AddJob(t.Context(), ws.ID, mail.NewJob("a test", m)); err != nil {
		t.Fatal(err)
	}
	receive := func(want string) {
		t.Helper()
		select {
		case to := <-box.came:
			if to != want {
				t.Errorf("a mail to %s, want %s", to, want)
			}
		case <-time.After(time.Minute):
			t.Fatal("no mail came")
		}
	}
	receive("ada@example.net")

	try := func(address string, more ...string) ran {
		cmd := c.command(within(t, time.Minute), "mail", "test", address)
		cmd.Env = append(append(cmd.Env, settings...), more...)
		return finish(t, cmd)
	}
	if got := try("bob@example.net").want(t, 0); !strings.Contains(got.stdout, l.Addr().String()+" took the mail to bob@example.net, without TLS, and answered:") {
		t.Errorf("printed %q", got.stdout)
	}
	receive("bob@example.net")
	try("eve@example.net").want(t, 1, "no mail was sent: the server refused the recipient: 550 5.1.1 No such user eve@example.net")
	try("bob").want(t, 1, "bob: this is no mail address, such as ada@example.org")
	try("bob@example.net", "HARK_SMTP_TLS=required").want(t, 1, "does not support STARTTLS")
	try("bob@example.net", "HARK_SMTP_URL=").want(t, 1, "no mail server is set; set HARK_SMTP_URL and HARK_MAIL_FROM")
	try("bob@example.net", "HARK_SMTP_URL=smtp://127.0.0.1:1").want(t, 1, "connection refused")
	if jobs := decodeJSON[jobsView](t, c.run(t, "jobs", "--json").want(t, 0)); len(jobs.Failed) > 0 || !slices.ContainsFunc(jobs.Queue, func(q queueView) bool { return q.Kind == storage.Mail }) {
		t.Errorf("jobs %+v", jobs)
	}
}
