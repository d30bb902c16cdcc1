package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"hark/api/account"
	"hark/api/audit"
	"hark/cmd/hark/instance"
	"hark/storage"
)

// inbox is an SMTP server on this machine, without TLS, that keeps what comes.
type inbox struct{ came chan string }

// NewSession implements smtp.Backend.
func (b inbox) NewSession(*smtp.Conn) (smtp.Session, error) { return inboxSession{b}, nil }

type inboxSession struct{ inbox }

func (inboxSession) Mail(string, *smtp.MailOptions) error { return nil }
func (inboxSession) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (inboxSession) Reset()                               {}
func (inboxSession) Logout() error                        { return nil }

func (s inboxSession) Data(r io.Reader) error {
	mail, err := io.ReadAll(quotedprintable.NewReader(r)) // headers and boundaries are left as they are
	s.came <- string(mail)
	return err
}

func openInbox(t *testing.T) (b inbox, address string) {
	t.Helper()
	b = inbox{make(chan string, 10)}
	served := smtp.NewServer(b)
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
	return b, l.Addr().String()
}

// person is somebody with a browser, as far as forms and cookies go.
type person struct {
	t    *testing.T
	base string
	http *http.Client
}

func newPerson(t *testing.T, base string) person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return person{t, base, &http.Client{Jar: jar}}
}

func (p person) do(method, path, contentType, body string) (status int, answer string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.base+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := p.http.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	read, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, string(read)
}

func (p person) signIn(values url.Values) int {
	p.t.Helper()
	status, _ := p.do("POST", "/sign-in", "application/x-www-form-urlencoded", values.Encode())
	return status
}

var signInLink = regexp.MustCompile(`https?://\S+/sign-in\?code=([0-9A-Za-z_]+)`)

// TestAccounts goes the whole way: an address set on the server, a link by mail, a
// password, and what the server does when it stops right after a wrong one.
func TestAccounts(t *testing.T) {
	t.Parallel()
	box, smtpAddress := openInbox(t)
	c := &commands{data: t.TempDir(), dir: t.TempDir()}
	c.Instance = launch(t, instance.Config{
		Binary: harkBinary, Data: c.data,
		Env: []string{
			"HARK_SMTP_URL=smtp://" + smtpAddress, "HARK_SMTP_TLS=off", "HARK_MAIL_FROM=Hark <hark@example.org>",
			"HARK_ENGINE=openai", "HARK_OPENAI_URL=http://127.0.0.1:1", "HARK_WEBRTC_UDP=off",
		},
	})
	t.Cleanup(c.Kill)
	receive := func() string {
		t.Helper()
		select {
		case mail := <-box.came:
			return mail
		case <-time.After(time.Minute):
			t.Fatal("no mail came")
			return ""
		}
	}

	c.run(t, "user", "add", "Ada").want(t, 0)
	c.run(t, "user", "add", "Bob").want(t, 0)
	c.run(t, "user", "set-email", "ada", "Ada@example.net").want(t, 0)
	c.run(t, "user", "set-email", "bob", "ADA@example.net").want(t, 1, "ADA@example.net is another account's address")
	c.run(t, "user", "set-email", "bob", "bob").want(t, 1, "this is no mail address")
	users := decodeJSON[[]listedUser](t, c.run(t, "user", "list", "--json").want(t, 0))
	if i := slices.IndexFunc(users, func(u listedUser) bool { return u.Name == "Ada" }); i < 0 || users[i].Email != "Ada@example.net" {
		t.Errorf("users %+v", users)
	}
	if printed := c.run(t, "user", "list").want(t, 0).stdout; !strings.Contains(printed, "Ada@example.net") {
		t.Errorf("printed %q", printed)
	}

	ada := newPerson(t, c.URL)
	if status := ada.signIn(url.Values{"email": {"ada@example.net"}, "way": {"mail"}}); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	link := signInLink.FindStringSubmatch(receive())
	if link == nil {
		t.Fatal("the mail has no link")
	}
	if status := ada.signIn(url.Values{"code": {link[1]}}); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	if told := receive(); !strings.Contains(told, "New sign-in to your account") || !strings.Contains(told, "/settings") {
		t.Errorf("told is %s", told)
	}
	status, answer := ada.do("PATCH", "/v1/account", "application/json", `{"password": "harbour wall at seven"}`)
	var now account.Account
	if err := json.Unmarshal([]byte(answer), &now); err != nil || status != http.StatusOK || !now.HasPassword || !now.CanMail {
		t.Fatalf("%d, %s", status, answer)
	}
	if status := ada.signIn(url.Values{"email": {"ada@example.net"}, "password": {"harbour wall at seven"}}); status != http.StatusOK {
		t.Errorf("status %d", status)
	}

	reset := c.run(t, "user", "reset-password", "ada").want(t, 0).stdout
	if !strings.Contains(reset, "/sign-in?code=hark_") || !strings.Contains(reset, "to=%2Fsettings") {
		t.Errorf("printed %q", reset)
	}
	if status, _ := ada.do("GET", "/v1/me", "", ""); status != http.StatusUnauthorized {
		t.Errorf("after a reset: %d", status)
	}
	if status := ada.signIn(url.Values{"email": {"ada@example.net"}, "password": {"harbour wall at seven"}}); status != http.StatusForbidden {
		t.Errorf("status %d", status)
	}
	if err := c.Stop(); err != nil { // right after the answer
		t.Error(err)
	}
	failed := decodeJSON[[]audit.AuditEntry](t, c.run(t, "audit", "list", "--action", string(storage.AuditSignInFailed), "--json").want(t, 0))
	if len(failed) != 1 || failed[0].Details["method"] != "password" || failed[0].Target == nil {
		t.Errorf("recorded are %+v", failed)
	}
	log, err := os.ReadFile(c.Log)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(bytes.ToLower(log), []byte("ada@example.net")) || bytes.Contains(log, []byte("harbour wall")) || bytes.Contains(log, []byte(link[1])) {
		t.Error("a secret is in the log")
	}
}
