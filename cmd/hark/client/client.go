// Package client speaks Hark's HTTP API for the commands, the measurements and
// the end-to-end tests.
package client

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

	"hark/cmd/hark/terminal"
)

// Client speaks Hark's HTTP API. It is safe for concurrent use.
type Client struct {
	Base  string
	Token string
	HTTP  *http.Client
}

// expectContinue is how long a server may take to say that it wants to have a
// body. One that refuses it says so before the body is on its way, when the
// answer is not lost with a connection that it closes.
const expectContinue = 3 * time.Second

// New makes a client of the Hark at an address, with a token. It fails
// where the address is none.
func New(address, token string) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is not an address such as http://127.0.0.1:8080", address)
	}
	u.RawQuery, u.Fragment = "", ""
	site := strings.TrimSuffix(strings.TrimRight(u.String(), "/"), "/v1")
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ExpectContinueTimeout = expectContinue
	return &Client{Base: site + "/v1", Token: token, HTTP: &http.Client{Transport: transport, CheckRedirect: sameSite}}, nil
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
func (c *Client) site() string { return strings.TrimSuffix(c.Base, "/v1") }

// Problem is an RFC 9457 error body.
type Problem struct {
	Status    int    `json:"status"`
	Title     string `json:"title"`
	Detail    string `json:"detail"` // names each field that is wrong
	Code      string `json:"code,omitempty"`
	MessageID string `json:"message_id,omitempty"` // of the message that is there already
}

// Error says what the server said.
func (p *Problem) Error() string {
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	return fmt.Sprintf("%s (status %d)", terminal.Printable(text), p.Status)
}

// Send sends a request and returns the answer, whose status is one of success.
func (c *Client) Send(req *http.Request) (*http.Response, error) {
	req.Header.Set("Authorization", "Bearer "+c.Token)
	resp, err := c.HTTP.Do(req)
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
func (c *Client) refused(resp *http.Response) error {
	if to := resp.Header.Get("Location"); resp.StatusCode < 400 && to != "" {
		return fmt.Errorf("%s sends on to %s; set HARK_URL (--url) to where Hark is", c.site(), to)
	}
	p := &Problem{}
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

// Do sends a request and decodes a JSON answer into out, which may be nil.
func (c *Client) Do(req *http.Request, out any) error {
	resp, err := c.Send(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return c.Decode(resp, out)
}

// Decode reads an answer as JSON into out, which may be nil.
func (c *Client) Decode(resp *http.Response, out any) error {
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
func (c *Client) unreached(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err // its address has what was asked, not where to look
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("no Hark answers at %s; start it by 'hark serve', or say by --url (HARK_URL) where it is", c.site())
	}
	return fmt.Errorf("reach Hark at %s: %w", c.site(), err)
}

// Get asks for a path below /v1 and decodes the answer into out.
func (c *Client) Get(ctx context.Context, path string, query url.Values, out any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Base+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	return c.Do(req, out)
}

// Text gets what is no JSON.
func (c *Client) Text(ctx context.Context, path string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Base+path, nil)
	if err != nil {
		return "", err
	}
	resp, err := c.Send(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

// Delete deletes what is at a path below /v1.
func (c *Client) Delete(ctx context.Context, path string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, c.Base+path, nil)
	if err != nil {
		return err
	}
	return c.Do(req, nil)
}

// Conversation is what the client commands need of one.
type Conversation struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// Message is what the client commands need of one.
type Message struct {
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
func (m *Message) UnmarshalJSON(text []byte) error {
	type known Message
	var read known
	if err := json.Unmarshal(text, &read); err != nil {
		return err
	}
	*m = Message(read)
	m.whole = bytes.Clone(text)
	return nil
}

// MarshalJSON is the API's form.
func (m *Message) MarshalJSON() ([]byte, error) { return m.whole, nil }

// FindConversation takes an id or a title; with neither, the only conversation
// there is.
func (c *Client) FindConversation(ctx context.Context, want string) (Conversation, error) {
	all, err := c.conversations(ctx)
	if err != nil {
		return Conversation{}, err
	}
	found := match(all, want)
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1 && want != "":
		return Conversation{}, fmt.Errorf("%d conversations are called %q; name one by its id:\n%s", len(found), want, listed(found))
	case len(all) == 0:
		return Conversation{}, errors.New("there is no conversation that you are in")
	case want == "":
		return Conversation{}, fmt.Errorf("which conversation? Name one by --conversation:\n%s", listed(all))
	}
	return Conversation{}, fmt.Errorf("no conversation %q; there are:\n%s", want, listed(all))
}

// match returns the conversation of that id or, if there is none, all of that
// title; of titles in another case only if none is the same. An empty name is
// all of them.
func match(all []Conversation, want string) []Conversation {
	for _, is := range []func(Conversation) bool{
		func(c Conversation) bool { return c.ID == want },
		func(c Conversation) bool { return c.Title == want },
		func(c Conversation) bool { return strings.EqualFold(c.Title, want) },
	} {
		found := slices.DeleteFunc(slices.Clone(all), func(c Conversation) bool { return want != "" && !is(c) })
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

func listed(all []Conversation) string {
	lines := make([]string, len(all))
	for i, conv := range all {
		lines[i] = fmt.Sprintf("  %s  %s", conv.ID, terminal.Printable(conv.Title))
	}
	return strings.Join(lines, "\n")
}

// conversations lists those that the caller is in.
func (c *Client) conversations(ctx context.Context) ([]Conversation, error) {
	var all []Conversation
	query := url.Values{"limit": {"100"}}
	for {
		var page struct {
			Items      []Conversation `json:"items"`
			NextCursor string         `json:"next_cursor"`
		}
		if err := c.Get(ctx, "/conversations", query, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.NextCursor == "" {
			return all, nil
		}
		query.Set("cursor", page.NextCursor)
	}
}
