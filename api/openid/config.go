package openid

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"

	"hark/api/strictjson"
	"hark/storage"
)

// Config is one provider, as its operator writes it.
type Config struct {
	ID   string `json:"id"`   // in addresses and the audit log, such as keycloak
	Name string `json:"name"` // on buttons; the id when empty

	Issuer           string `json:"issuer"`
	ClientID         string `json:"client_id"`
	ClientSecret     string `json:"client_secret"`      // empty for a public client
	ClientSecretFile string `json:"client_secret_file"` // that holds the secret
	CA               string `json:"ca"`                 // PEM file of certificate authorities; the system's when empty

	Scopes      []string `json:"scopes"`       // openid, profile and email when empty
	GroupsClaim string   `json:"groups_claim"` // groups when empty

	Roles       map[string]storage.Role `json:"roles"`        // by group
	DefaultRole storage.Role            `json:"default_role"` // of whom no group gives a role: member, when empty, or guest
	Join        Join                    `json:"join"`
	Workspace   string                  `json:"workspace"` // id of the workspace that it leads to; the only one when empty

	// ExternalIDClaim is the claim that holds the externalId by which people are
	// provisioned (SCIM), such as sub; empty where nobody is known by it.
	ExternalIDClaim string `json:"external_id_claim"`
}

// Join says who becomes a user without having been invited: nobody when empty.
type Join struct {
	Everyone bool     `json:"everyone"` // whom the provider lets in
	Domains  []string `json:"domains"`  // of verified e-mail addresses
	Groups   []string `json:"groups"`
}

// admits says whether somebody may join.
func (j Join) admits(v storage.Vouched, groups []string) bool {
	at := strings.LastIndexByte(v.Email, '@')
	domain := v.EmailVerified && slices.ContainsFunc(j.Domains, func(one string) bool { return strings.EqualFold(one, v.Email[at+1:]) })
	return j.Everyone || domain || slices.ContainsFunc(j.Groups, func(one string) bool { return slices.Contains(groups, one) })
}

// wantsGroups says whether it matters which groups somebody is in.
func (c Config) wantsGroups() bool { return len(c.Roles) > 0 || len(c.Join.Groups) > 0 }

// idForm is what an id of a provider may be: it stands in addresses.
var idForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// Parse reads the configuration of providers, a JSON array, and the files that it names.
// Its error says all that is wrong, and none of the secrets. No text is no provider.
func Parse(text string) ([]Config, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var raws []json.RawMessage
	if err := strictjson.Unmarshal([]byte(text), &raws); err != nil {
		return nil, fmt.Errorf(`must be a JSON array of providers, such as [{"id": "keycloak", "issuer": "https://…", "client_id": "hark"}]: %w`, err)
	}
	var all []Config
	var problems []error
	for i, raw := range raws {
		c, err := parseOne(raw)
		if err == nil && slices.ContainsFunc(all, func(other Config) bool { return other.ID == c.ID }) {
			err = errors.New("id: another provider has it")
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("provider %s: %w", cmp.Or(c.ID, fmt.Sprintf("number %d", i+1)), err))
		}
		all = append(all, c)
	}
	return all, errors.Join(problems...)
}

// parseOne reads one provider, and fills in what was left out.
func parseOne(raw json.RawMessage) (c Config, err error) {
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		return c, err
	}
	c.Name, c.GroupsClaim, c.DefaultRole = cmp.Or(c.Name, c.ID), cmp.Or(c.GroupsClaim, "groups"), cmp.Or(c.DefaultRole, storage.RoleMember)
	if len(c.Scopes) == 0 {
		c.Scopes = []string{"openid", "profile", "email"}
	}
	var problems []error
	bad := func(field, format string, args ...any) {
		problems = append(problems, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
	}
	c.readSecret(bad)
	c.check(bad)
	return c, errors.Join(problems...)
}

func (c *Config) readSecret(bad func(field, format string, args ...any)) {
	switch {
	case c.ClientSecretFile == "":
		return
	case c.ClientSecret != "":
		bad("client_secret_file", "is set, and client_secret too; leave one out")
		return
	}
	secret, err := os.ReadFile(c.ClientSecretFile)
	if err != nil {
		bad("client_secret_file", "%s", err)
		return
	}
	if c.ClientSecret = strings.TrimRight(string(secret), "\r\n"); c.ClientSecret == "" {
		bad("client_secret_file", "is empty")
	}
}

func (c *Config) check(bad func(field, format string, args ...any)) {
	if !idForm.MatchString(c.ID) {
		bad("id", "must be 1 to 32 small letters, digits and dashes, such as keycloak")
	}
	if name, err := storage.CleanName(c.Name); err != nil || name != c.Name {
		bad("name", "must be a name of up to %d characters", storage.MaxName)
	}
	if err := checkAddress(c.Issuer); err != nil {
		bad("issuer", "%s", err)
	}
	if c.ClientID == "" {
		bad("client_id", "is missing")
	}
	if !slices.Contains(c.Scopes, "openid") {
		bad("scopes", "must contain openid")
	}
	for group, role := range c.Roles {
		if storage.CheckRole(role) != nil {
			bad("roles", "%q of group %q is no role; expected owner, admin, member or guest", role, group)
		}
	}
	if !storage.JoinsAs(c.DefaultRole) {
		bad("default_role", "must be member or guest")
	}
	for _, domain := range c.Join.Domains {
		if domain == "" || strings.ContainsAny(domain, "@* ") {
			bad("join.domains", "%q is no domain, such as example.org", domain)
		}
	}
	if c.CA != "" {
		if _, err := readCA(c.CA); err != nil {
			bad("ca", "%s", err)
		}
	}
}

func readCA(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", path)
	}
	return pool, nil
}

// New makes the providers of a configuration, for a Hark at a public address. Nothing
// is asked of them yet.
func New(all []Config, public string) ([]*Provider, error) {
	var providers []*Provider
	for _, c := range all {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		if c.CA != "" {
			pool, err := readCA(c.CA)
			if err != nil {
				return nil, fmt.Errorf("provider %s: ca: %w", c.ID, err)
			}
			transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
		}
		providers = append(providers, &Provider{
			cfg: c, redirect: public + CallbackPath + c.ID, leaving: public + "/sign-in", turn: make(chan struct{}, 1),
			client: &http.Client{Transport: bounded{transport}, Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error {
				return errors.New("the provider redirects; set its issuer as it names itself")
			}},
		})
	}
	return providers, nil
}

// CallbackPath begins the path of the address to which a provider sends browsers back;
// the provider's id follows.
const CallbackPath = "/sign-in/callback/"

// bounded reads no more of an answer than one may be.
type bounded struct{ http.RoundTripper }

// RoundTrip is that of what it bounds.
func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(req)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxBody), resp.Body}
	}
	return resp, err
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
