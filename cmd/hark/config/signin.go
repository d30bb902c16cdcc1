package config

import (
	"fmt"

	"hark/api/openid"
)

// SignInConfig says by which providers people can sign in.
type SignInConfig struct {
	CreateWorkspaces bool `env:"HARK_CREATE_WORKSPACES" default:"false" help:"Whether people with an address may create workspaces in the app; else who runs the server does, with 'hark workspace create'."`

	OpenID Secret `name:"oidc" env:"HARK_OIDC" placeholder:"JSON" help:"OpenID providers to sign in by, as a JSON array; see 'Single sign-on' in the README. Best in a file that HARK_OIDC_FILE names."`
}

// Providers are those that are configured.
func (c SignInConfig) Providers() ([]openid.Config, error) {
	all, err := openid.Parse(string(c.OpenID))
	if err != nil {
		return nil, fmt.Errorf("HARK_OIDC: %w", err)
	}
	return all, nil
}

func (c SignInConfig) check(bad func(key, format string, args ...any)) {
	if _, err := openid.Parse(string(c.OpenID)); err != nil {
		bad("HARK_OIDC", "%s", err)
	}
}
