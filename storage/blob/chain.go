package blob

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// renewAhead is how long before temporary credentials expire new ones are
// asked for.
const renewAhead = time.Minute

// findFor is how long the machine may take at the start to offer keys.
const findFor = 10 * time.Second

var errHalfKey = errors.New("access key and secret key must be set together")

// keyring gives the keys that requests are signed with.
type keyring struct {
	static aws.CredentialsProvider // nil: the machine's
	cached *aws.CredentialsCache
}

// openKeys returns the keys that cfg names, or, where it names none, what the
// machine offers, in the order of Amazon's own tools: AWS_* variables, shared
// profile files, a web identity or pod role, a container's role, the
// instance's role. Temporary credentials are renewed as they expire.
func openKeys(ctx context.Context, cfg Config) (keyring, error) {
	switch {
	case (cfg.AccessKey == "") != (cfg.SecretKey == ""):
		return keyring{}, errHalfKey
	case cfg.AccessKey != "":
		return keyring{static: credentials.NewStaticCredentialsProvider(cfg.AccessKey, cfg.SecretKey, cfg.SessionToken)}, nil
	}
	machine, err := config.LoadDefaultConfig(ctx,
		config.WithDefaultRegion(cfg.Region),
		config.WithCredentialsCacheOptions(func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = renewAhead }))
	if err != nil {
		return keyring{}, noKeys(err)
	}
	cached, ok := machine.Credentials.(*aws.CredentialsCache)
	if !ok {
		return keyring{}, noKeys(fmt.Errorf("credentials of kind %T", machine.Credentials))
	}
	ctx, cancel := context.WithTimeout(ctx, findFor)
	defer cancel()
	k := keyring{cached: cached}
	_, err = k.Retrieve(ctx)
	return k, err
}

// Retrieve implements aws.CredentialsProvider.
func (k keyring) Retrieve(ctx context.Context) (aws.Credentials, error) {
	if k.static != nil {
		return k.static.Retrieve(ctx)
	}
	keys, err := k.cached.Retrieve(ctx)
	if err != nil {
		err = noKeys(err)
	}
	return keys, err
}

func noKeys(err error) error {
	return &SetupError{
		Settings: []Setting{AccessKeySetting, SecretKeySetting},
		Hint:     "no keys are set, and this machine offers none (AWS_* variables, profile, pod or instance role)",
		Err:      err,
	}
}

// renews makes a request that was refused for expired credentials of the
// machine be sent again with new ones.
func (k keyring) renews(err error) aws.Ternary {
	if k.cached == nil || !slices.Contains([]string{"ExpiredToken", "InvalidToken", "TokenRefreshRequired"}, errorCode(err)) {
		return aws.UnknownTernary
	}
	k.cached.Invalidate()
	return aws.TrueTernary
}
