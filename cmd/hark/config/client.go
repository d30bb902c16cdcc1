package config

import (
	"errors"
	"fmt"

	"hark/cmd/hark/client"
)

// ClientConfig says which Hark the client commands speak to, and as whom.
type ClientConfig struct {
	URL   string `env:"HARK_URL" default:"http://127.0.0.1:8080" help:"Address of Hark."`
	Token Secret `env:"HARK_TOKEN" placeholder:"SECRET" help:"API token; create one with 'hark token create'."`
}

// Open makes a client of that Hark.
func (c ClientConfig) Open() (*client.Client, error) {
	if c.Token == "" {
		return nil, errors.New("HARK_TOKEN is not set; make a token with 'hark token create' and set it")
	}
	opened, err := client.New(c.URL, string(c.Token))
	if err != nil {
		return nil, fmt.Errorf("HARK_URL: %w", err)
	}
	return opened, nil
}
