package api

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"hark/api/messages"
	"hark/api/rest"
	"hark/storage"
)

// asked is a body, before whose first byte something happens. It is read when
// the server asks for it, which it does once it has let its sender in.
type asked struct {
	io.Reader
	before func()
}

func (a *asked) Read(p []byte) (int, error) {
	if a.before != nil {
		a.before()
		a.before = nil
	}
	return a.Reader.Read(p)
}

// sendLate sends a body that comes when something has happened.
func (c *client) sendLate(method, path, mediaType string, body []byte, before func()) *answer {
	c.t.Helper()
	transport := c.http.Transport.(*http.Transport).Clone()
	transport.ExpectContinueTimeout = time.Minute
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.harness.http.URL+path, &asked{Reader: bytes.NewReader(body), before: before})
	must(c.t, err)
	req.ContentLength = int64(len(body))
	for name, value := range map[string]string{"Authorization": "Bearer " + c.token, "Content-Type": mediaType, "Expect": "100-continue"} {
		req.Header.Set(name, value)
	}
	resp, err := transport.RoundTrip(req)
	must(c.t, err)
	defer resp.Body.Close()
	read, err := io.ReadAll(resp.Body)
	must(c.t, err)
	return &answer{t: c.t, status: resp.StatusCode, header: resp.Header, body: read, address: path}
}

// Whoever is let in and then kept out does nothing more with what is still on
// its way: a body may be sent for hours.
func TestEndedWhileSending(t *testing.T) {
	h := newHarness(t)
	for name, end := range map[string]func(*client){
		"revoked":  func(c *client) { must(t, h.db.RevokeToken(t.Context(), h.owner.principal, c.principal.CredentialID)) },
		"disabled": func(c *client) { must(t, h.db.DisableUser(t.Context(), c.principal.WorkspaceID, c.principal.UserID)) },
	} {
		for what, send := range map[string]func(c *client, talk string, before func()) *answer{
			"recording": func(c *client, talk string, before func()) *answer {
				return c.sendLate("POST", "/v1/conversations/"+talk+"/messages", "audio/wav", sine(time.Second), before)
			},
			"member": func(c *client, talk string, before func()) *answer {
				body := []byte(`{"user_id": "` + h.user("Nell", storage.RoleMember).principal.UserID + `"}`)
				return c.sendLate("POST", "/v1/conversations/"+talk+"/members", "application/json", body, before)
			},
		} {
			t.Run(name+" "+what, func(t *testing.T) {
				mia := h.user("Mia", storage.RoleMember)
				talk := h.owner.conversation(mia)
				objects := h.objs.count()
				sent := send(mia, talk, func() { end(mia) })
				sent.t = t
				sent.problem(http.StatusUnauthorized, "unauthorized")
				if list := decode[rest.Page[messages.Message]](h.owner.get("/v1/conversations/" + talk + "/messages").want(200)); len(list.Items) != 0 {
					t.Errorf("%d messages were sent", len(list.Items))
				}
				if n := decode[struct{ Items []any }](h.owner.get("/v1/conversations/" + talk + "/members").want(200)); len(n.Items) != 2 {
					t.Errorf("%d are in it", len(n.Items))
				}
				if n := h.objs.count(); n != objects {
					t.Errorf("%d objects are left", n-objects)
				}
			})
		}
	}
}
