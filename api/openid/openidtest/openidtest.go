// Package openidtest runs an OpenID provider for tests: the example server of
// zitadel/oidc, which knows nothing of Hark, with people and clients of the test's. Its
// login page, keys, codes and tokens are its own.
//
// A test can have it change its key, name groups, and, where it is to be a provider
// that lies, change what it signs: [Provider.Forge].
package openidtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// Client is how the provider knows Hark.
type Client struct {
	ID, Secret string
	Redirects  []string // globs of addresses to send browsers back to
	Leaving    []string // the same when their session has ended
}

// Person is somebody who can sign in there; the password of all is [Password].
type Person struct {
	ID, Username, Name, Email string
	Verified                  bool
	Groups                    []string
}

// Password is everybody's.
const Password = "open sesame"

// Provider is one that runs. It is safe for concurrent use.
type Provider struct {
	Issuer string
	server *http.Server
	store  *store

	mu    sync.Mutex
	forge func(claims map[string]any) (alg jose.SignatureAlgorithm)
}

// Start runs a provider on a free port of this machine.
func Start(client Client, people ...Person) (*Provider, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it waits for nothing
	if err != nil {
		return nil, err
	}
	key, err := newKey("first")
	if err != nil {
		return nil, err
	}
	p := &Provider{Issuer: "http://" + listener.Addr().String()}
	p.store = &store{client: client, key: key, people: map[string]Person{}}
	for _, one := range people {
		p.store.people[one.ID] = one
	}
	p.store.Storage = storage.NewStorageWithClients(p.store, map[string]*storage.Client{client.ID: storage.WebClient(client.ID, client.Secret, client.Redirects...)})
	own := exampleop.SetupServer(p.Issuer, p.store, slog.New(slog.DiscardHandler), false)
	p.server = &http.Server{Handler: p.forging(own), ReadHeaderTimeout: time.Minute}
	go func() { _ = p.server.Serve(listener) }()
	return p, nil
}

// Close ends it; it answers no more.
func (p *Provider) Close() error { return p.server.Close() }

// Set changes somebody, or adds them.
func (p *Provider) Set(one Person) {
	p.store.mu.Lock()
	defer p.store.mu.Unlock()
	p.store.people[one.ID] = one
}

// Rotate has it sign with a new key from now on, and forget the one before.
func (p *Provider) Rotate() error {
	key, err := newKey(fmt.Sprint("key of ", time.Now().UnixNano()))
	if err != nil {
		return err
	}
	p.store.mu.Lock()
	defer p.store.mu.Unlock()
	p.store.key = key
	return nil
}

// Forge changes the claims of the ID tokens that it hands out from now on, and signs
// them anew by the algorithm that change returns: empty for its own, "none" for none.
// Nil ends that.
func (p *Provider) Forge(change func(claims map[string]any) jose.SignatureAlgorithm) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forge = change
}

// forging hands out what the provider answers, but for ID tokens that are to be others.
func (p *Provider) forging(own http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		p.mu.Lock()
		change := p.forge
		p.mu.Unlock()
		if change == nil || req.URL.Path != "/oauth/token" {
			own.ServeHTTP(w, req)
			return
		}
		answer := httptest.NewRecorder()
		own.ServeHTTP(answer, req)
		body, err := p.forged(answer.Body.Bytes(), change)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		maps.Copy(w.Header(), answer.Header())
		w.Header().Del("Content-Length")
		w.WriteHeader(answer.Code)
		_, _ = w.Write(body)
	})
}

// forged is a token answer with another ID token.
func (p *Provider) forged(body []byte, change func(map[string]any) jose.SignatureAlgorithm) ([]byte, error) {
	var answer map[string]any
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, err
	}
	token, ok := answer["id_token"].(string)
	if !ok {
		return body, nil
	}
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return nil, err
	}
	claims := map[string]any{}
	decoder := json.NewDecoder(bytes.NewReader(signed.UnsafePayloadWithoutVerification()))
	decoder.UseNumber()
	if err := decoder.Decode(&claims); err != nil {
		return nil, err
	}
	alg := change(claims)
	payload, err := json.Marshal(claims)
	if err != nil {
		return nil, err
	}
	if answer["id_token"], err = p.store.sign(payload, alg); err != nil {
		return nil, err
	}
	return json.Marshal(answer)
}

// key is one that the provider signs with.
type key struct {
	id      string
	private *rsa.PrivateKey
}

func newKey(id string) (key, error) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	return key{id, private}, err
}

// ID names the key.
func (k key) ID() string { return k.id }

// SignatureAlgorithm is that of its signatures.
func (k key) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }

// Key is the private one.
func (k key) Key() any { return k.private }

// public is the part of a key that everybody may have.
type public struct{ key }

// Key is the public one.
func (p public) Key() any { return &p.private.PublicKey }

// Algorithm is that of its signatures.
func (p public) Algorithm() jose.SignatureAlgorithm { return jose.RS256 }

// Use is what the key is for.
func (p public) Use() string { return "sig" }

// store is the example's, with people, groups, keys and addresses of ours.
type store struct {
	*storage.Storage
	client Client

	mu     sync.Mutex
	people map[string]Person
	key    key
}

func (s *store) current() key {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.key
}

func (s *store) sign(payload []byte, alg jose.SignatureAlgorithm) (string, error) {
	with := s.current()
	if alg == "none" {
		encode := func(text []byte) string { return encoding.EncodeToString(text) }
		return encode([]byte(`{"alg":"none"}`)) + "." + encode(payload) + ".", nil
	}
	signing := jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: with.private, KeyID: with.id}}
	if alg == jose.HS256 { // by what everybody knows, as if it were a secret
		signing = jose.SigningKey{Algorithm: alg, Key: with.private.N.Bytes()}
	}
	signer, err := jose.NewSigner(signing, nil)
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// SigningKey is the key that it signs with now.
func (s *store) SigningKey(context.Context) (op.SigningKey, error) { return s.current(), nil }

// KeySet is the keys that its signatures are checked by.
func (s *store) KeySet(context.Context) ([]op.Key, error) { return []op.Key{public{s.current()}}, nil }

// SetUserinfoFromToken is the example's, with groups.
func (s *store) SetUserinfoFromToken(ctx context.Context, info *oidc.UserInfo, tokenID, subject, origin string) error {
	if err := s.Storage.SetUserinfoFromToken(ctx, info, tokenID, subject, origin); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	info.AppendClaims("groups", slices.Clone(s.people[subject].Groups))
	return nil
}

// GetClientByClientID is the example's, with addresses that its ports may differ in.
func (s *store) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	known, err := s.Storage.GetClientByClientID(ctx, id)
	if err != nil {
		return nil, err
	}
	return client{known, s.client}, nil
}

type client struct {
	op.Client
	own Client
}

// RedirectURIGlobs are where it may send browsers back to.
func (c client) RedirectURIGlobs() []string { return c.own.Redirects }

// PostLogoutRedirectURIGlobs are where it may send browsers whose session has ended.
func (c client) PostLogoutRedirectURIGlobs() []string { return c.own.Leaving }

// GetUserByID finds somebody (storage.UserStore).
func (s *store) GetUserByID(id string) *storage.User {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one, ok := s.people[id]; ok {
		return one.user()
	}
	return nil
}

// GetUserByUsername finds somebody (storage.UserStore).
func (s *store) GetUserByUsername(username string) *storage.User {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.people {
		if one.Username == username {
			return one.user()
		}
	}
	return nil
}

// ExampleClientID is the example's own client (storage.UserStore).
func (s *store) ExampleClientID() string { return storage.ServiceUserID }

func (p Person) user() *storage.User {
	first, last, _ := strings.Cut(p.Name, " ")
	return &storage.User{ID: p.ID, Username: p.Username, Password: Password, FirstName: first, LastName: last, Email: p.Email, EmailVerified: p.Verified}
}

// ErrLogin is the error of somebody who is not let in there.
var ErrLogin = errors.New("the provider let nobody in")
