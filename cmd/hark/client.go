package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
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

func (c ClientConfig) open() (*client, error) {
	if c.Token == "" {
		return nil, errors.New("HARK_TOKEN is not set; make a token with 'hark token create' and set it")
	}
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" {
		return nil, fmt.Errorf("HARK_URL: %q is not an address such as http://127.0.0.1:8080", c.URL)
	}
	return &client{base: strings.TrimRight(c.URL, "/") + "/v1", token: string(c.Token), http: &http.Client{}}, nil
}

// problem is an RFC 9457 error body.
type problem struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"` // names each field that is wrong
}

// Error says what the server said.
func (p *problem) Error() string {
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	return fmt.Sprintf("%s (status %d)", printable(text), p.Status)
}

// do sends a request and decodes a JSON answer into out, which may be nil.
func (c *client) do(req *http.Request, out any) error {
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := c.http.Do(req)
	if err != nil {
		return c.unreached(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		p := &problem{Status: resp.StatusCode, Title: http.StatusText(resp.StatusCode)}
		_ = json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(p) // a proxy's page keeps the status text
		return p
	}
	if out == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("read answer to %s %s: %w", req.Method, req.URL.Path, err)
	}
	return nil
}

// unreached says what to do when no Hark answers.
func (c *client) unreached(err error) error {
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("reach Hark: %w", err)
	}
	return fmt.Errorf("no Hark answers at %s; start it by 'hark serve', or say by --url (HARK_URL) where it is", strings.TrimSuffix(c.base, "/v1"))
}

func (c *client) get(ctx context.Context, path string, query url.Values, out any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	return c.do(req, out)
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
	Author         struct {
		Name string `json:"name"`
	} `json:"author"`
	Failure *struct {
		Reason string `json:"reason"`
	} `json:"failure"`
}

// findConversation takes an id or a title; with neither, the only conversation
// there is.
func (c *client) findConversation(ctx context.Context, want string) (conversation, error) {
	var all []conversation
	query := url.Values{"limit": {"100"}}
	for {
		var page struct {
			Items      []conversation `json:"items"`
			NextCursor string         `json:"next_cursor"`
		}
		if err := c.get(ctx, "/conversations", query, &page); err != nil {
			return conversation{}, err
		}
		for _, conv := range page.Items {
			if conv.ID == want || (want != "" && strings.EqualFold(conv.Title, want)) {
				return conv, nil
			}
		}
		all = append(all, page.Items...)
		if page.NextCursor == "" {
			break
		}
		query.Set("cursor", page.NextCursor)
	}
	if want == "" && len(all) == 1 {
		return all[0], nil
	}
	var names []string
	for _, conv := range all {
		names = append(names, fmt.Sprintf("  %s  %s", conv.ID, printable(conv.Title)))
	}
	if want == "" {
		return conversation{}, fmt.Errorf("which conversation? Name one by --conversation:\n%s", strings.Join(names, "\n"))
	}
	return conversation{}, fmt.Errorf("no conversation %q; there are:\n%s", want, strings.Join(names, "\n"))
}
