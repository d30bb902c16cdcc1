package mail_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"hark/api/mail"
)

// A mail is sent by each kind of server that may be configured.
func TestSend(t *testing.T) {
	signIn := func(c *mail.Config) { c.Server.User, c.Server.Password = user, password }
	implicit := func(_ *server, s *smtp.Server) { s.TLSConfig.ServerName = "implicit" }
	for name, tc := range map[string]struct {
		server func(*server, *smtp.Server)
		sender func(*mail.Config)
		tls    bool
	}{
		"STARTTLS":              {func(*server, *smtp.Server) {}, nil, true},
		"STARTTLS and password": {func(*server, *smtp.Server) {}, signIn, true},
		"TLS and password":      {implicit, func(c *mail.Config) { signIn(c); c.Server.TLS = true }, true},
		"in the clear":          {func(_ *server, s *smtp.Server) { s.TLSConfig = nil }, func(c *mail.Config) { c.NoTLS = true }, false},
		"in the clear to this machine": {
			func(_ *server, s *smtp.Server) { s.TLSConfig, s.AllowInsecureAuth = nil, true },
			func(c *mail.Config) { signIn(c); c.NoTLS = true }, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, tc.server)
			sender := s.sender(t, tc.sender)
			m := message(t, "ada@example.net", "en", mail.Test{})
			receipt, err := sender.Send(within(t, time.Minute), "id", m)
			if err != nil {
				t.Fatal(err)
			}
			if len(s.all()) != 1 {
				t.Fatalf("%d mails arrived", len(s.all()))
			}
			got := s.all()[0]
			wantUser := ""
			if strings.Contains(name, "password") || strings.Contains(name, "this machine") {
				wantUser = user
			}
			if got.from != "hark@example.org" || got.to != "ada@example.net" || got.by != wantUser || got.tls != tc.tls {
				t.Errorf("from %s to %s, signed in as %q, TLS %v", got.from, got.to, got.by, got.tls)
			}
			if !regexp.MustCompile(`^(\[127\.0\.0\.1\]|[^.\[\]]+(\.[^.]+)+)$`).MatchString(got.greeting) {
				t.Errorf("greeted by %q, which is neither a whole name nor an address", got.greeting)
			}
			if (receipt.TLS != "") != tc.tls || receipt.MessageID != "id@example.org" || receipt.Answer == "" {
				t.Errorf("receipt %+v", receipt)
			}
			r := readMail(t, got.data)
			for header, want := range map[string]string{
				"From": `"Hark" <hark@example.org>`, "To": "<ada@example.net>", "Message-Id": "<id@example.org>",
				"Auto-Submitted": "auto-generated", "Content-Language": "en",
			} {
				if got := r.Get(header); got != want {
					t.Errorf("%s: %s, want %s", header, got, want)
				}
			}
			if date, err := r.Date(); err != nil || time.Since(date) > time.Minute {
				t.Errorf("date %s, %v", date, err)
			}
		})
	}
}

// What fails is told precisely, and by whom it was refused.
func TestSendFails(t *testing.T) {
	signIn := func(secret string) func(*mail.Config) {
		return func(c *mail.Config) { c.Server.User, c.Server.Password = user, secret }
	}
	for name, tc := range map[string]struct {
		server    func(*server, *smtp.Server)
		sender    func(*mail.Config)
		want      string
		code      int // 0: no answer of the server's
		permanent bool
	}{
		"wrong password":    {nil, signIn("wrong"), "the server refused the connection to 127.0.0.1:", 535, false},
		"no STARTTLS":       {func(_ *server, s *smtp.Server) { s.TLSConfig = nil }, nil, "does not support STARTTLS", 0, false},
		"unknown authority": {nil, func(c *mail.Config) { c.CA = "" }, "certificate signed by unknown authority", 0, false},
		"another's name":    {nil, func(c *mail.Config) { c.Server.Host = "localhost" }, "certificate is", 0, false},
		"TLS to STARTTLS":   {nil, func(c *mail.Config) { c.Server.TLS = true }, "TLS: ", 0, false},
		"no AUTH":           {func(_ *server, s *smtp.Server) { s.TLSConfig = nil }, func(c *mail.Config) { signIn(password)(c); c.NoTLS = true }, "AUTH", 0, false},
		"sender":            {func(s *server, _ *smtp.Server) { s.mail = says(550, "no relay") }, nil, "the server refused the sender: 550", 550, true},
		"no password":       {func(s *server, _ *smtp.Server) { s.mail = says(530, "Authentication required") }, nil, "the server refused the sender: 530", 530, false},
		"recipient":         {func(s *server, _ *smtp.Server) { s.rcpt = says(550, "no such user") }, nil, "the server refused the recipient: 550", 550, true},
		"busy":              {func(s *server, _ *smtp.Server) { s.rcpt = says(450, "greylisted") }, nil, "the server refused the recipient: 450", 450, false},
		"content":           {func(s *server, _ *smtp.Server) { s.data = says(554, "spam") }, nil, "the server refused the mail: 554", 554, true},
		"full":              {func(s *server, _ *smtp.Server) { s.data = says(452, "disk full") }, nil, "the server refused the mail: 452", 452, false},
	} {
		t.Run(name, func(t *testing.T) {
			configure := tc.server
			if configure == nil {
				configure = func(*server, *smtp.Server) {}
			}
			s := serve(t, configure)
			_, err := s.sender(t, tc.sender).Send(within(t, time.Minute), "id", message(t, "ada@example.net", "", mail.Test{}))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got %v, want %q", err, tc.want)
			}
			var refusal *mail.Refusal
			code, permanent := 0, false
			if errors.As(err, &refusal) {
				code, permanent = refusal.Code, refusal.Permanent()
			}
			if code != tc.code || permanent != tc.permanent {
				t.Errorf("code %d, for good %v: %v", code, permanent, err)
			}
			if len(s.all()) > 0 && s.data == nil {
				t.Error("a mail was sent")
			}
		})
	}
}

// A server that is away, that hangs, or that goes away in the middle holds nobody up
// for longer than it may.
func TestServerThatHangs(t *testing.T) {
	silent := func(t *testing.T) (host string, port int) {
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return "127.0.0.1", l.Addr().(*net.TCPAddr).Port
	}
	m := message(t, "ada@example.net", "", mail.Test{})
	t.Run("away", func(t *testing.T) {
		s := plain(t)
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s.port = l.Addr().(*net.TCPAddr).Port
		_ = l.Close()
		if _, err := s.sender(t, nil).Send(within(t, time.Minute), "id", m); err == nil || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("got %v", err)
		}
	})
	for name, implicit := range map[string]bool{"before the greeting": false, "in the handshake": true} {
		t.Run(name, func(t *testing.T) {
			s := plain(t)
			s.host, s.port = silent(t)
			sender := s.sender(t, func(c *mail.Config) { c.Wait, c.Server.TLS = 200*time.Millisecond, implicit })
			if _, err := sender.Send(within(t, time.Minute), "id", m); err == nil || !strings.Contains(err.Error(), "did not answer within 200ms") {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("before it has taken the mail", func(t *testing.T) {
		end := make(chan struct{})
		s := serve(t, func(s *server, _ *smtp.Server) { s.data = func() error { <-end; return nil } })
		defer close(end)
		sender := s.sender(t, func(c *mail.Config) { c.Wait = 500 * time.Millisecond })
		if _, err := sender.Send(within(t, time.Minute), "id", m); err == nil || !strings.Contains(err.Error(), "the mail: the server did not answer within 500ms") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("until we stop", func(t *testing.T) {
		end := make(chan struct{})
		s := serve(t, func(s *server, _ *smtp.Server) { s.data = func() error { <-end; return nil } })
		defer close(end)
		ctx, stop := context.WithCancelCause(t.Context())
		go func() {
			<-s.came
			stop(errors.New("shutting down"))
		}()
		if _, err := s.sender(t, nil).Send(ctx, "id", m); err == nil || !strings.Contains(err.Error(), "shutting down") {
			t.Errorf("got %v", err)
		}
	})
}

// A server that does not stop talking is not listened to for ever: what it says is
// kept in memory until it ends.
func TestServerThatTalksOn(t *testing.T) {
	for name, line := range map[string]string{"lines": "250-mail.example.org\r\n", "one line": strings.Repeat("x", 1000)} {
		t.Run(name, func(t *testing.T) {
			l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			said := make(chan int, 1)
			go func() {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				_, err = conn.Write([]byte("220 mail.example.org\r\n"))
				n := 0
				for n < 50<<20 && err == nil {
					_, err = conn.Write([]byte(line))
					n += len(line)
				}
				said <- n
			}()
			t.Cleanup(func() { _ = l.Close() })
			s := plain(t)
			s.port = l.Addr().(*net.TCPAddr).Port
			_, err = s.sender(t, nil).Send(within(t, time.Minute), "id", message(t, "ada@example.net", "", mail.Test{}))
			if err == nil || !strings.Contains(err.Error(), "says more than any mail server does") {
				t.Errorf("got %v", err)
			}
			if n := <-said; n >= 50<<20 {
				t.Error("all of it was heard")
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	good := mail.Config{Server: mail.Server{Host: "mail.example.org", Port: 587}, From: "Hark <hark@example.org>"}
	if _, err := mail.New(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*mail.Config){
		"no sender":             func(c *mail.Config) { c.From = "" },
		"sender of two lines":   func(c *mail.Config) { c.From = "Hark <hark@example.org>\r\nBcc: eve@example.org" },
		"sender without domain": func(c *mail.Config) { c.From = "hark" },
		"password in the clear": func(c *mail.Config) { c.NoTLS, c.Server.User, c.Server.Password = true, "a", "b" },
		"TLS without TLS":       func(c *mail.Config) { c.NoTLS, c.Server.TLS = true, true },
		"no file":               func(c *mail.Config) { c.CA = "/nowhere/ca.pem" },
		"no certificate":        func(c *mail.Config) { c.CA = "send_test.go" },
	} {
		cfg := good
		change(&cfg)
		if _, err := mail.New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	var none *mail.Sender
	if none.Possible() {
		t.Error("mails are possible without a server")
	}
}

func TestParseServer(t *testing.T) {
	for address, want := range map[string]mail.Server{
		"smtp://mail.example.org":                    {Host: "mail.example.org", Port: 587},
		"smtps://mail.example.org/":                  {Host: "mail.example.org", Port: 465, TLS: true},
		"smtp://hark%40example.org:a%2Fb@[::1]:2525": {Host: "::1", Port: 2525, User: "hark@example.org", Password: "a/b"},
		"smtps://hark:secret@mail.example.org:465":   {Host: "mail.example.org", Port: 465, TLS: true, User: "hark", Password: "secret"},
		"smtp://localhost:25":                        {Host: "localhost", Port: 25},
	} {
		if got, err := mail.ParseServer(address); err != nil || got != want {
			t.Errorf("%s is %+v, %v", address, got, err)
		}
	}
	for _, address := range []string{
		"", "mail.example.org:587", "http://mail.example.org", "smtp://", "smtp://mail.example.org:0", "smtp://mail.example.org:70000",
		"smtp://hark@mail.example.org", "smtp://:secret@mail.example.org", "smtp://mail.example.org/path", "smtp://mail.example.org?tls=off",
		"smtp://hark:secret/slash@mail.example.org", "smtp://hark:sec ret@mail.example.org:port",
	} {
		got, err := mail.ParseServer(address)
		if err == nil {
			t.Errorf("%q is %+v", address, got)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the password is in %q", address, err)
		}
	}
}

// The versions of TLS that are taken are those without known holes.
func TestOldTLSIsRefused(t *testing.T) {
	s := serve(t, func(_ *server, s *smtp.Server) {
		s.TLSConfig.MinVersion, s.TLSConfig.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	})
	_, err := s.sender(t, nil).Send(within(t, time.Minute), "id", message(t, "ada@example.net", "", mail.Test{}))
	if err == nil || !slices.ContainsFunc([]string{"protocol version", "tls:"}, func(w string) bool { return strings.Contains(err.Error(), w) }) {
		t.Errorf("got %v", err)
	}
}
