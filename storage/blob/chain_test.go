package blob_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"hark/storage/blob"
)

// onlyKeysFrom leaves this machine no credentials but those of the variables.
func onlyKeysFrom(t *testing.T, variables ...string) {
	t.Helper()
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	nowhere := filepath.Join(t.TempDir(), "none")
	for _, v := range append([]string{
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=" + nowhere, "AWS_SHARED_CREDENTIALS_FILE=" + nowhere,
	}, variables...) {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
}

// withoutKeys is a store's configuration and the keys that it does not name.
func withoutKeys(c blob.Config) (_ blob.Config, access, secret string) {
	access, secret = c.AccessKey, c.SecretKey
	c.AccessKey, c.SecretKey = "", ""
	return c, access, secret
}

func TestKeysOfTheMachine(t *testing.T) {
	cfg, access, secret := withoutKeys(serve(t, t.TempDir()).Config())
	profile := filepath.Join(t.TempDir(), "credentials")
	text := fmt.Sprintf("[default]\naws_access_key_id=no\naws_secret_access_key=no\n[hark]\naws_access_key_id=%s\naws_secret_access_key=%s\n", access, secret)
	if err := os.WriteFile(profile, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, variables := range map[string][]string{
		"variables": {"AWS_ACCESS_KEY_ID=" + access, "AWS_SECRET_ACCESS_KEY=" + secret},
		"profile":   {"AWS_SHARED_CREDENTIALS_FILE=" + profile, "AWS_PROFILE=hark"},
	} {
		t.Run(name, func(t *testing.T) {
			onlyKeysFrom(t, variables...)
			mustPut(t, open(t, cfg), "a", noise(10))
		})
	}
	for name, variables := range map[string][]string{
		"none":            nil,
		"unknown profile": {"AWS_SHARED_CREDENTIALS_FILE=" + profile, "AWS_PROFILE=nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			onlyKeysFrom(t, variables...)
			if _, err := blob.Open(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "this machine offers none") {
				t.Errorf("open: %v", err)
			}
		})
	}
	cfg.AccessKey = access
	if _, err := blob.Open(t.Context(), cfg); err == nil {
		t.Error("opened with half a key")
	}
}

// signWithoutToken signs a request for the embedded server, which knows no
// session tokens.
func signWithoutToken(t *testing.T, r *http.Request, cfg blob.Config) {
	t.Helper()
	for _, name := range []string{"X-Amz-Security-Token", "Authorization", "Accept-Encoding"} {
		r.Header.Del(name)
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	keys := aws.Credentials{AccessKeyID: cfg.AccessKey, SecretAccessKey: cfg.SecretKey}
	if err := signer.SignHTTP(r.Context(), keys, r, r.Header.Get("X-Amz-Content-Sha256"), "s3", cfg.Region, time.Now()); err != nil {
		t.Error(err)
	}
}

// A pod's or instance's role hands out keys that expire. They are renewed
// before that, and when the store says that they have expired all the same.
func TestKeysThatExpire(t *testing.T) {
	var issued, good atomic.Int64 // the last token handed out, the first that is good
	behind := serve(t, t.TempDir()).Config()
	f := newFrontendOf(t, behind, func(w http.ResponseWriter, r *http.Request) bool {
		var n int64
		if _, err := fmt.Sscanf(r.Header.Get("X-Amz-Security-Token"), "token-%d", &n); err != nil || n < good.Load() {
			return refuse(w, http.StatusForbidden, "ExpiredToken", "The provided token has expired.")
		}
		signWithoutToken(t, r, behind)
		return false
	})
	cfg, access, secret := withoutKeys(f.config)
	var life atomic.Int64 // seconds
	life.Store(10)        // shorter than keys are renewed ahead
	role := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "pod" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = fmt.Fprintf(w, `{"AccessKeyId":%q,"SecretAccessKey":%q,"Token":"token-%d","Expiration":%q}`,
			access, secret, issued.Add(1), time.Now().Add(time.Duration(life.Load())*time.Second).UTC().Format(time.RFC3339))
	}))
	role.Config.SetKeepAlivesEnabled(false)
	t.Cleanup(role.Close)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("pod"), 0o600); err != nil {
		t.Fatal(err)
	}
	onlyKeysFrom(t, "AWS_CONTAINER_CREDENTIALS_FULL_URI="+role.URL, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE="+token)

	s := open(t, cfg)
	mustPut(t, s, "a", noise(10))
	before := issued.Load()
	mustPut(t, s, "b", noise(10))
	if issued.Load() == before {
		t.Error("keys about to expire were not renewed")
	}

	life.Store(3600)
	mustPut(t, s, "c", noise(10))
	before = issued.Load()
	mustPut(t, s, "d", noise(10))
	if issued.Load() != before {
		t.Error("good keys were renewed")
	}
	good.Store(before + 1)
	mustPut(t, s, "e", noise(10))
	if got := keysOf(t, s, ""); len(got) != 5 || issued.Load() != before+1 {
		t.Errorf("%q, %d tokens", got, issued.Load()-before)
	}
}
