package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/textproto"
	"os"
	"slices"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// Receipt says what the server made of a mail that it took.
type Receipt struct {
	MessageID string
	Server    string // host and port
	TLS       string // version, such as "TLS 1.3"; empty for none
	Answer    string // the server's own words
}

// Refusal is an error of an SMTP server that answered.
type Refusal struct {
	Step string // what was refused: "the recipient"
	Code int    // of SMTP, such as 550
	Text string // the server's own words, which may repeat addresses

	connecting bool // it was not asked to take a mail yet
}

// Error is the server's answer.
func (r *Refusal) Error() string {
	return fmt.Sprintf("the server refused %s: %d %s", r.Step, r.Code, r.Text)
}

// Permanent reports whether the server will never take the mail. It may let us in
// another time, with another password say, or with one where it asks for one
// only when it is given a mail.
func (r *Refusal) Permanent() bool {
	return r.Code >= 500 && r.Code < 600 && !r.connecting && !slices.Contains(codesOfSignIn, r.Code)
}

// codesOfSignIn are the answers of a server that wants us to sign in, or to do so
// in another way (RFC 4954, section 6).
var codesOfSignIn = []int{530, 534, 535, 538}

// errWrite is the error of a message that cannot be put into words.
var errWrite = errors.New("the mail cannot be written")

// Send sends a message now, under a Message-ID that begins with id. Its error is a
// [Refusal] when the server answered, and says otherwise at what it failed. Both may
// repeat addresses.
func (s *Sender) Send(ctx context.Context, id string, m Message) (Receipt, error) {
	receipt := Receipt{MessageID: id + "@" + s.domain, Server: s.server.Addr()}
	msg, err := s.compose(receipt.MessageID, m)
	if err != nil {
		return receipt, fmt.Errorf("%w: %w", errWrite, err)
	}
	ctx, cancel := context.WithCancel(ctx) // which closes the connection, if it still is there
	defer cancel()
	client, err := s.connect(ctx, m.To)
	if err == nil {
		if state, ok := client.TLSConnectionState(); ok {
			receipt.TLS = tls.VersionName(state.Version)
		}
		receipt.Answer, err = s.deliver(client, msg, m.To)
	}
	if err == nil {
		_ = client.UpdateDeadline(5 * time.Second) // the mail is taken: whether the goodbye arrives is nothing to us
		_ = client.Quit()
		return receipt, nil
	}
	if ctx.Err() != nil {
		err = errors.Join(context.Cause(ctx), err)
	}
	return receipt, err
}

// connect opens a connection on which mails can be sent. ctx closes it.
func (s *Sender) connect(ctx context.Context, to string) (*smtp.Client, error) {
	what := "the connection to " + s.server.Addr()
	conn, err := s.dial(ctx)
	if err != nil {
		return nil, s.refused(what, err)
	}
	dialed := func(context.Context, string, string) (net.Conn, error) { return conn, nil }
	options := []gomail.Option{
		gomail.WithPort(s.server.Port), gomail.WithTimeout(s.wait), gomail.WithTLSConfig(s.tls),
		gomail.WithDialContextFunc(dialed), gomail.WithTLSPolicy(gomail.TLSMandatory), gomail.WithHELO(greeting(conn)),
	}
	if s.server.TLS || s.noTLS {
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS)) // beyond what the connection has
	}
	if isASCII(to) && isASCII(s.from.Address) {
		options = append(options, gomail.WithoutSMTPUTF8())
	}
	if s.server.User != "" {
		options = append(options, gomail.WithUsername(s.server.User), gomail.WithPassword(s.server.Password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthCramMD5))
	}
	client, err := gomail.NewClient(s.server.Host, options...)
	if err != nil {
		return nil, fmt.Errorf("use %s: %w", s.server.Addr(), err)
	}
	c, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		err = s.refused(what, err)
		if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
			refusal.connecting = true
		}
		return nil, err
	}
	return c, nil
}

// dial makes a connection that ends with ctx.
func (s *Sender) dial(ctx context.Context) (net.Conn, error) {
	dialing, cancel := context.WithTimeout(ctx, s.wait)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(dialing, "tcp", s.server.Addr())
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	heard := &bounded{Conn: conn, left: maxHeard}
	if !s.server.TLS {
		return heard, nil
	}
	secure := tls.Client(heard, s.tls)
	if err := secure.HandshakeContext(dialing); err != nil {
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return secure, nil
}

// maxHeard is how many bytes a server may say on one connection, with what TLS
// adds: a hundred times what any does.
const maxHeard = 1 << 20

var errTooMuch = errors.New("the server says more than any mail server does")

// bounded is a connection on which only so much is heard: answers may have any
// number of lines, and are read whole. Before TLS they may be anybody's.
type bounded struct {
	net.Conn
	left int // bytes
}

// Read fails once too much was said.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, errTooMuch
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// greeting is the name by which a server is greeted: this machine's where it is a
// whole one and else, as in a container, its address (RFC 5321, section 4.1.3).
// Many servers take no mail from who gives half a name, or localhost.
func greeting(conn net.Conn) string {
	if name, err := os.Hostname(); err == nil && isWholeName(name) {
		return name
	}
	local, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return "localhost"
	}
	addr := local.Addr().Unmap().WithZone("")
	if addr.Is4() {
		return "[" + addr.String() + "]"
	}
	return "[IPv6:" + addr.String() + "]"
}

// isWholeName says whether a host's name may have a meaning to others.
func isWholeName(name string) bool {
	host, domain, _ := strings.Cut(strings.TrimSuffix(name, "."), ".")
	return host != "" && host != "localhost" && domain != "" && domain != "localdomain" && domain != "local"
}

// deliver hands a mail over. What it returns is the server's answer.
func (s *Sender) deliver(client *smtp.Client, msg *gomail.Msg, to string) (string, error) {
	steps := []struct {
		what string
		do   func() error
	}{
		{"the sender", func() error { return client.Mail("<" + s.from.Address + ">") }},
		{"the recipient", func() error { return client.Rcpt("<" + to + ">") }},
	}
	for _, step := range steps {
		if err := errors.Join(client.UpdateDeadline(s.wait), step.do()); err != nil {
			return "", s.refused(step.what, err)
		}
	}
	_ = client.UpdateDeadline(s.wait)
	w, err := client.Data()
	if err != nil {
		return "", s.refused("the mail", err)
	}
	if _, err := msg.WriteTo(w); err != nil {
		return "", s.refused("the mail", err)
	}
	_ = client.UpdateDeadline(s.wait)
	if err := w.Close(); err != nil {
		return "", s.refused("the mail", err)
	}
	if answered, ok := w.(*smtp.DataCloser); ok {
		return answered.ServerResponse(), nil
	}
	return "", nil
}

// refused is the error of a step: a Refusal if the server answered.
func (s *Sender) refused(step string, err error) error {
	var answer *textproto.Error
	if errors.As(err, &answer) {
		return &Refusal{Step: step, Code: answer.Code, Text: answer.Msg}
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return fmt.Errorf("%s: the server did not answer within %s: %w", step, s.wait, err)
	}
	return fmt.Errorf("%s: %w", step, err)
}

// compose writes a mail.
func (s *Sender) compose(messageID string, m Message) (*gomail.Msg, error) {
	content, err := m.content()
	if err != nil {
		return nil, err
	}
	r, err := render(m.Language, content)
	if err != nil {
		return nil, err
	}
	to, err := CheckAddress(m.To)
	if err != nil {
		return nil, err
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(s.from)
	if err := msg.To(to); err != nil {
		return nil, err
	}
	msg.Subject(r.Subject)
	msg.SetDate()
	msg.SetMessageIDWithValue(messageID)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nobody's absence is announced to it
	msg.SetGenHeader("Content-Language", r.Language)
	msg.SetBodyString(gomail.TypeTextPlain, r.text)
	msg.AddAlternativeString(gomail.TypeTextHTML, r.html)
	return msg, nil
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > 0x7e })
}
