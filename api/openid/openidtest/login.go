package openidtest

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

var encoding = base64.RawURLEncoding

// Login goes the way of a browser that was sent to the provider: it signs somebody in
// on the login page, and returns where the provider sends the browser back to.
func (p *Provider) Login(address, username string) (back *url.URL, err error) {
	page, err := p.get(address)
	if err != nil {
		return nil, err
	}
	id := page.Query().Get("authRequestID")
	if id == "" { // sent back at once
		return page, nil
	}
	form := url.Values{"id": {id}, "username": {username}, "password": {Password}}
	after, err := p.ask(http.MethodPost, p.Issuer+"/login/username", form)
	if err != nil {
		return nil, err
	}
	return p.get(after.String())
}

func (p *Provider) get(address string) (*url.URL, error) {
	return p.ask(http.MethodGet, address, nil)
}

// ask makes a request, and returns where the answer leads.
func (p *Provider) ask(method, address string, form url.Values) (*url.URL, error) {
	req, err := http.NewRequest(method, address, strings.NewReader(form.Encode())) //nolint:noctx // it waits for a provider in this process
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	to, err := resp.Location()
	if err != nil {
		return nil, fmt.Errorf("%w: %s answers %s", ErrLogin, req.URL.Path, resp.Status)
	}
	return to, nil
}
