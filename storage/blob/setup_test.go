package blob_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/blob"
)

// always answers everything with one refusal.
func always(status int, code string) manner {
	return func(w http.ResponseWriter, _ *http.Request) bool { return refuse(w, status, code, "no") }
}

// A refusal at the start is final, and names what is likely wrong; a store
// that is away, or ill, is waited for.
func TestOpenSaysWhatIsWrong(t *testing.T) {
	plain := newFrontend(t)
	tls := httptest.NewTLSServer(http.NotFoundHandler())
	tls.Config.ErrorLog = quietLog
	t.Cleanup(tls.Close)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "<!doctype html><title>Welcome</title><p>Hello & welcome")
	}))
	t.Cleanup(page.Close)
	gone := httptest.NewServer(nil)
	gone.Close()

	change := func(do func(*blob.Config)) blob.Config {
		c := plain.config
		do(&c)
		return c
	}
	through := func(m manner) blob.Config { return newFrontendOf(t, plain.behind, m).config }
	for _, test := range []struct {
		name    string
		config  blob.Config
		setting blob.Setting // the first that is named
		away    bool
	}{
		{"another's secret", change(func(c *blob.Config) { c.SecretKey = "guess" }), blob.SecretKeySetting, false},
		{"unknown access key", change(func(c *blob.Config) { c.AccessKey = "nobody" }), blob.AccessKeySetting, false},
		{"wrong region", change(func(c *blob.Config) { c.Region = "eu-north-1" }), blob.RegionSetting, false},
		{"bucket with a bad name", change(func(c *blob.Config) { c.Bucket = "No_Bucket" }), blob.BucketSetting, false},
		{"bucket elsewhere", through(always(http.StatusMovedPermanently, "PermanentRedirect")), blob.RegionSetting, false},
		{"expired token", through(always(http.StatusForbidden, "ExpiredToken")), blob.SessionTokenSetting, false},
		{"no bucket and none to be made", through(noBucketToBeMade), blob.BucketSetting, false},
		{"bucket in the host name", through(lostBucket), blob.BucketSetting, false},
		{"no writing", through(denies("PUT object")), blob.BucketSetting, false},
		{"no reading", through(denies("GET object")), blob.BucketSetting, false},
		{"no deleting", through(denies("DELETE object")), blob.BucketSetting, false},
		{"bad encryption key", through(always(http.StatusBadRequest, "KMS.NotFoundException")), blob.EncryptionSetting, false},
		{"https where http is spoken", change(func(c *blob.Config) { c.Endpoint = strings.Replace(c.Endpoint, "http:", "https:", 1) }), blob.EndpointSetting, false},
		{"http where https is spoken", change(func(c *blob.Config) { c.Endpoint = strings.Replace(tls.URL, "https:", "http:", 1) }), blob.EndpointSetting, false},
		{"unknown certificate", change(func(c *blob.Config) { c.Endpoint = tls.URL }), blob.EndpointSetting, false},
		{"a wrong clock", through(always(http.StatusForbidden, "RequestTimeTooSkewed")), "", false},
		{"a web page", change(func(c *blob.Config) { c.Endpoint = page.URL }), blob.EndpointSetting, false},
		{"a forbidden place", through(silentRefusal), blob.AccessKeySetting, false},
		{"nobody there", change(func(c *blob.Config) { c.Endpoint = gone.URL }), "", true},
		{"not ready", through(always(http.StatusServiceUnavailable, "ServiceUnavailable")), "", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := blob.Open(t.Context(), test.config)
			if err == nil {
				t.Fatal("opened")
			}
			if errors.Is(err, storage.ErrUnreachable) != test.away {
				t.Errorf("away: %v", err)
			}
			if !names(err, test.setting) {
				t.Errorf("want %q named: %v", test.setting, err)
			}
		})
	}
}

// names tells whether a setting is the first that an error names, or none is.
func names(err error, s blob.Setting) bool {
	var setup *blob.SetupError
	if !errors.As(err, &setup) {
		return s == ""
	}
	if len(setup.Settings) == 0 {
		return s == ""
	}
	return setup.Settings[0] == s
}

// silentRefusal is a proxy's 403, which has no word of S3 in it.
func silentRefusal(w http.ResponseWriter, _ *http.Request) bool {
	w.WriteHeader(http.StatusForbidden)
	return true
}

func noBucketToBeMade(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodPut {
		return refuse(w, http.StatusForbidden, "AccessDenied", "Access Denied")
	}
	return refuse(w, http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
}

// lostBucket takes the first part of the key for the bucket, as a store does
// that expects the bucket in the path and finds it in the host's name.
func lostBucket(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet {
		_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><ListAllMyBucketsResult></ListAllMyBucketsResult>`)
		return true
	}
	return refuse(w, http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
}

// denies lets a key do all but some operations.
func denies(operations ...string) manner {
	return func(w http.ResponseWriter, r *http.Request) bool {
		return slices.Contains(operations, r.Method+" "+operation(r)) && refuse(w, http.StatusForbidden, "AccessDenied", "Access Denied")
	}
}

// A key that may do nothing with the bucket, not even list it, is enough for
// what is done with objects.
func TestObjectsAreAllThatIsNeeded(t *testing.T) {
	behind := newFrontend(t)
	mustPut(t, open(t, behind.config), "w/1", noise(10)) // makes the bucket
	f := newFrontendOf(t, behind.behind, denies("HEAD bucket", "PUT bucket", "GET uploads", "GET versions", "GET versioning"))
	conform(t, f.config)

	f = newFrontendOf(t, behind.behind, denies("HEAD bucket", "PUT bucket", "GET bucket", "GET list-type", "GET uploads"))
	log := new(logged)
	f.config.Logger = log.logger()
	s := open(t, f.config)
	if !log.has("objects cannot be listed") {
		t.Errorf("not said: %s", log)
	}
	mustPut(t, s, "w/2", noise(6<<20))
	if got := mustGet(t, s, "w/2"); !bytes.Equal(got, noise(6<<20)) {
		t.Error("other bytes came back")
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
	if err := s.Delete(t.Context(), "w/1", "w/2"); err != nil {
		t.Errorf("delete: %v", err)
	}
	if err := s.List(t.Context(), "", func(blob.Object) error { return nil }); err == nil {
		t.Error("a list that was refused is an empty one")
	}
	for range 2 {
		if n, err := s.AbortStale(t.Context(), "", time.Now(), anyKey); n != 0 || err != nil {
			t.Errorf("abort: %d, %v", n, err)
		}
	}
	if f.count("GET uploads") != 1 || !log.has("unfinished uploads") {
		t.Errorf("%d times asked for uploads; %s", f.count("GET uploads"), log)
	}
}

// A store that stops to keep objects is not ready, and is again when it keeps
// them again.
func TestRefusedPutIsNotReady(t *testing.T) {
	var full atomic.Bool
	f := newFrontend(t, func(w http.ResponseWriter, r *http.Request) bool {
		return full.Load() && r.Method == http.MethodPut && refuse(w, http.StatusForbidden, "AccessDenied", "Access Denied")
	})
	log := new(logged)
	f.config.Logger = log.logger()
	s := open(t, f.config)
	full.Store(true)
	for range 2 {
		if _, err := s.Put(t.Context(), "a", "audio/wav", bytes.NewReader(noise(10)), 10); err == nil {
			t.Error("kept")
		}
	}
	if err := s.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "s3:PutObject") {
		t.Errorf("ping: %v", err)
	}
	if n := strings.Count(log.String(), "rejects writes"); n != 1 {
		t.Errorf("logged %d times: %s", n, log)
	}
	full.Store(false)
	for range 2 {
		if err := s.Ping(t.Context()); err != nil {
			t.Errorf("ping: %v", err)
		}
	}
	mustPut(t, s, "a", noise(10))
	if !log.has("accepts writes again") {
		t.Errorf("not said: %s", log)
	}
}

// A bucket that wants encryption asked for gets it with all that is kept.
func TestEncryptionIsAskedFor(t *testing.T) {
	wants := func(mode, key string) manner {
		return func(w http.ResponseWriter, r *http.Request) bool {
			begins := r.Method == http.MethodPut && operation(r) == "object" || r.Method == http.MethodPost && operation(r) == "uploads"
			given := r.Header.Get("X-Amz-Server-Side-Encryption") == mode && r.Header.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id") == key
			return begins && !given && refuse(w, http.StatusForbidden, "AccessDenied", "Access Denied")
		}
	}
	for _, test := range []struct{ setting, mode, key string }{
		{"AES256", "AES256", ""},
		{"aws:kms", "aws:kms", ""},
		{"aws:kms:dsse", "aws:kms:dsse", ""},
		{"aws:kms:arn:aws:kms:eu-north-1:1:key/2", "aws:kms", "arn:aws:kms:eu-north-1:1:key/2"},
	} {
		f := newFrontend(t, wants(test.mode, test.key))
		if _, err := blob.Open(t.Context(), f.config); err == nil || !strings.Contains(err.Error(), "s3:PutObject") {
			t.Errorf("opened without encryption: %v", err)
		}
		var err error
		if f.config.Encryption, err = blob.ParseEncryption(test.setting); err != nil {
			t.Fatal(err)
		}
		s := open(t, f.config)
		mustPut(t, s, "small", noise(10))
		mustPut(t, s, "large", noise(5<<20+1))
		if err := s.Copy(t.Context(), "small", "copy"); err != nil {
			t.Error(err)
		}
	}
	for _, s := range []string{"aes256", "aws:kms:", "aws", "AES256:x"} {
		if _, err := blob.ParseEncryption(s); err == nil {
			t.Errorf("%q was taken", s)
		}
	}
}
