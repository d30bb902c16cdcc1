package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// ClientConfig says which Hark the client commands speak to, and as whom.
type ClientConfig struct {
	URL   string `env:"HARK_URL" default:"http://127.0.0.1:8080" help:"Address of Hark."`
	Token secret `env:"HARK_TOKEN" placeholder:"SECRET" help:"API token; make one with 'hark token create'."`
}

// client speaks Hark's HTTP API. It is safe for concurrent use.
type client struct {
	base  string
	token string
	http  *http.Client
}

// expectContinue is how long a server may take to say that it wants to have a
// body. One that refuses it says so before the body is on its way, when the
// answer is not lost with a connection that it closes.
const expectContinue = 3 * time.Second

func (c ClientConfig) open() (*client, error) {
	if c.Token == "" {
		return nil, errors.New("HARK_TOKEN is not set; make a token with 'hark token create' and set it")
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("HARK_URL: %q is not an address such as http://127.0.0.1:8080", c.URL)
	}
	u.RawQuery, u.Fragment = "", ""
	site := strings.TrimSuffix(strings.TrimRight(u.String(), "/"), "/v1")
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ExpectContinueTimeout = expectContinue
	return &client{base: site + "/v1", token: string(c.Token), http: &http.Client{Transport: transport, CheckRedirect: sameSite}}, nil
}

// sameSite follows redirects of questions within a server. One to elsewhere is
// told, since the token is for one server; and what is sent would become a
// question for what is there.
func sameSite(next *http.Request, before []*http.Request) error {
	first := before[0]
	if first.Method != http.MethodGet || next.URL.Scheme != first.URL.Scheme || next.URL.Host != first.URL.Host || len(before) >= 10 {
		return http.ErrUseLastResponse
	}
	return nil
}

// site is the address under which Hark is looked for.
func (c *client) site() string { return strings.TrimSuffix(c.base, "/v1") }

// problem is an RFC 9457 error body.
type problem struct {
	Status    int    `json:"status"`
	Title     string `json:"title"`
	Detail    string `json:"detail"` // names each field that is wrong
	Code      string `json:"code,omitempty"`
	MessageID string `json:"message_id,omitempty"` // of the message that is there already
}

// Error says what the server said.
func (p *problem) Error() string {
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	return fmt.Sprintf("%s (status %d)", printable(text), p.Status)
}

// send sends a request and returns the answer, whose status is one of success.
func (c *client) send(req *http.Request) (*http.Response, error) {
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreached(err)
	}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, c.refused(resp)
}

// refused is the error in an answer that is none of success.
func (c *client) refused(resp *http.Response) error {
	if to := resp.Header.Get("Location"); resp.StatusCode < 400 && to != "" {
		return fmt.Errorf("%s sends on to %s; set HARK_URL (--url) to where Hark is", c.site(), to)
	}
	p := &problem{}
	_ = json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(p) // a proxy's page keeps the status text
	p.Status = resp.StatusCode
	if p.Title == "" {
		p.Title = http.StatusText(resp.StatusCode)
	}
	if resp.StatusCode == http.StatusUnauthorized {
		return fmt.Errorf("%s does not know the token in HARK_TOKEN; make one with 'hark token create' where Hark runs: %w", c.site(), p)
	}
	return p
}

// do sends a request and decodes a JSON answer into out, which may be nil.
func (c *client) do(req *http.Request, out any) error {
	resp, err := c.send(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return c.decode(resp, out)
}

func (c *client) decode(resp *http.Response, out any) error {
	if out == nil {
		_, err := io.Copy(io.Discard, resp.Body)
		return err
	}
	err := json.NewDecoder(resp.Body).Decode(out)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("what answers at %s is not Hark; set HARK_URL (--url) to where Hark is", c.site())
	}
	if err != nil {
		return fmt.Errorf("read answer of %s: %w", c.site(), err)
	}
	return nil
}

// unreached says where no Hark answers, and what to do.
func (c *client) unreached(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err // its address has what was asked, not where to look
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("no Hark answers at %s; start it by 'hark serve', or say by --url (HARK_URL) where it is", c.site())
	}
	return fmt.Errorf("reach Hark at %s: %w", c.site(), err)
}

func (c *client) get(ctx context.Context, path string, query url.Values, out any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	return c.do(req, out)
}

// text gets what is no JSON.
func (c *client) text(ctx context.Context, path string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return "", err
	}
	resp, err := c.send(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

func (c *client) delete(ctx context.Context, path string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, c.base+path, nil)
	if err != nil {
		return err
	}
	return c.do(req, nil)
}

// conversation is what the client commands need of one.
type conversation struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// message is what the client commands need of one.
type message struct {
	ID             string    `json:"id"`
	ConversationID string    `json:"conversation_id"`
	Title          string    `json:"title"`
	State          string    `json:"state"`
	Progress       float64   `json:"progress"`
	DurationMS     int64     `json:"duration_ms"`
	EndReason      string    `json:"end_reason"`
	RecordedAt     time.Time `json:"recorded_at"`
	CreatedAt      time.Time `json:"created_at"`
	Author         struct {
		Name string `json:"name"`
	} `json:"author"`
	Failure *struct {
		Reason string `json:"reason"`
	} `json:"failure"`

	whole json.RawMessage // as the API has it
}

// UnmarshalJSON reads the API's form and keeps it.
func (m *message) UnmarshalJSON(text []byte) error {
	type known message
	var read known
	if err := json.Unmarshal(text, &read); err != nil {
		return err
	}
	*m = message(read)
	m.whole = bytes.Clone(text)
	return nil
}

// MarshalJSON is the API's form.
func (m *message) MarshalJSON() ([]byte, error) { return m.whole, nil }

// findConversation takes an id or a title; with neither, the only conversation
// there is.
func (c *client) findConversation(ctx context.Context, want string) (conversation, error) {
	all, err := c.conversations(ctx)
	if err != nil {
		return conversation{}, err
	}
	found := match(all, want)
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1 && want != "":
		return conversation{}, fmt.Errorf("%d conversations are called %q; name one by its id:\n%s", len(found), want, listed(found))
	case len(all) == 0:
		return conversation{}, errors.New("there is no conversation that you are in")
	case want == "":
		return conversation{}, fmt.Errorf("which conversation? Name one by --conversation:\n%s", listed(all))
	}
	return conversation{}, fmt.Errorf("no conversation %q; there are:\n%s", want, listed(all))
}

// match returns the conversation of that id or, if there is none, all of that
// title; of titles in another case only if none is the same. An empty name is
// all of them.
func match(all []conversation, want string) []conversation {
	for _, is := range []func(conversation) bool{
		func(c conversation) bool { return c.ID == want },
		func(c conversation) bool { return c.Title == want },
		func(c conversation) bool { return strings.EqualFold(c.Title, want) },
	} {
		found := slices.DeleteFunc(slices.Clone(all), func(c conversation) bool { return want != "" && !is(c) })
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

func listed(all []conversation) string {
	lines := make([]string, len(all))
	for i, conv := range all {
		lines[i] = fmt.Sprintf("  %s  %s", conv.ID, printable(conv.Title))
	}
	return strings.Join(lines, "\n")
}

// conversations lists those that the caller is in.
func (c *client) conversations(ctx context.Context) ([]conversation, error) {
	var all []conversation
	query := url.Values{"limit": {"100"}}
	for {
		var page struct {
			Items      []conversation `json:"items"`
			NextCursor string         `json:"next_cursor"`
		}
		if err := c.get(ctx, "/conversations", query, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.NextCursor == "" {
			return all, nil
		}
		query.Set("cursor", page.NextCursor)
	}
}
