package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"hark/storage/blob"
)

// S3Config says where objects are.
type S3Config struct {
	Endpoint     string `env:"ENDPOINT" placeholder:"URL" help:"Endpoint of an S3-compatible store; when empty, one runs in process over the data folder."`
	Region       string `env:"REGION" default:"us-east-1" help:"Region."`
	Bucket       string `env:"BUCKET" default:"hark" help:"Bucket; created if missing."`
	Prefix       string `env:"PREFIX" placeholder:"PREFIX" help:"Prefix of every object key, such as hark or team/hark, for a shared bucket; nothing outside it is read, listed or deleted."`
	AccessKey    string `env:"ACCESS_KEY" placeholder:"KEY" credentials:"" help:"Access key; when empty, the machine's credentials are used: AWS_* variables, a profile, a pod or instance role."`
	SecretKey    Secret `env:"SECRET_KEY" placeholder:"SECRET" help:"Secret key."`
	SessionToken Secret `env:"SESSION_TOKEN" placeholder:"SECRET" help:"Session token of a temporary access key."`
	SSE          string `name:"sse" env:"SSE" placeholder:"MODE" help:"Server-side encryption: AES256, aws:kms, or aws:kms: and a key id; the bucket's default when empty."`
	PathStyle    bool   `env:"PATH_STYLE" default:"true" negatable:"" help:"Use path-style addresses instead of the bucket as host name."`
}

// check names what is wrong, and cleans the prefix.
func (c *S3Config) check(bad func(key, format string, args ...any)) {
	checkURL(bad, "HARK_S3_ENDPOINT", c.Endpoint, "http", "https")
	if u, err := url.Parse(c.Endpoint); err == nil && c.Endpoint != "" {
		c.checkEndpoint(bad, u)
	}
	if c.Bucket == "" {
		bad("HARK_S3_BUCKET", "is empty")
	}
	prefix, err := blob.CleanPrefix(c.Prefix)
	if err != nil {
		bad("HARK_S3_PREFIX", "%s", err)
	}
	c.Prefix = prefix
	if (c.AccessKey == "") != (c.SecretKey == "") {
		bad("HARK_S3_ACCESS_KEY, HARK_S3_SECRET_KEY", "one is set without the other; set both, or neither to use the keys that the machine offers")
	}
	if c.SessionToken != "" && c.AccessKey == "" {
		bad("HARK_S3_SESSION_TOKEN", "is set without the access key that it belongs to")
	}
	if _, err := blob.ParseEncryption(c.SSE); err != nil {
		bad("HARK_S3_SSE", "%s", err)
	}
}

// checkEndpoint refuses what an address of a store must not hold. The value is
// not shown: it may hold a password.
func (c *S3Config) checkEndpoint(bad func(key, format string, args ...any), u *url.URL) {
	const key = "HARK_S3_ENDPOINT"
	switch {
	case u.User != nil:
		bad(key, "holds a user or password; set HARK_S3_ACCESS_KEY and HARK_S3_SECRET_KEY instead")
	case u.Hostname() == "":
		bad(key, "names no host; expected https://HOST or https://HOST:PORT")
	case strings.Trim(u.Path, "/") != "":
		bad(key, "holds a path, which S3 has no place for; set HARK_S3_BUCKET to the bucket and HARK_S3_PREFIX to a folder in it")
	case u.RawQuery != "" || u.Fragment != "":
		bad(key, "holds a query; expected https://HOST or https://HOST:PORT")
	default:
		c.Endpoint = strings.TrimRight(c.Endpoint, "/?#")
	}
}

// Store is the configuration of the Store, outside when an endpoint is set.
func (c *S3Config) Store(log *slog.Logger) (blob.Config, error) {
	encryption, err := blob.ParseEncryption(c.SSE)
	return blob.Config{
		Endpoint: c.Endpoint, Region: c.Region, Bucket: c.Bucket, Prefix: c.Prefix, PathStyle: c.PathStyle,
		AccessKey: c.AccessKey, SecretKey: string(c.SecretKey), SessionToken: string(c.SessionToken),
		Encryption: encryption, Logger: log,
	}, err
}

// Explain adds to a store's refusal the settings that are likely wrong.
func (c *S3Config) Explain(err error) error {
	var setup *blob.SetupError
	if !errors.As(err, &setup) || len(setup.Settings) == 0 {
		return err
	}
	names := make([]string, len(setup.Settings))
	for i, s := range setup.Settings {
		names[i] = "HARK_S3_" + strings.ToUpper(string(s))
	}
	return fmt.Errorf("%w (check %s)", err, strings.Join(names, ", "))
}
