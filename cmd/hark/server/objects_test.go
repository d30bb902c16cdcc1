package server

import (
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"hark/cmd/hark/config"
	"hark/storage/blob"
	"hark/storage/blob/embedded"
)

// A store that refuses what was set ends the start at once, and the setting
// that is likely wrong is named.
func TestStoreRefusalNamesTheSetting(t *testing.T) {
	quiet := slog.New(slog.DiscardHandler)
	store, err := embedded.Serve(t.Context(), t.TempDir(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	c := store.Config()
	p := &Program{log: quiet}
	p.cfg.S3 = config.S3Config{Endpoint: c.Endpoint, Region: c.Region, Bucket: c.Bucket, AccessKey: c.AccessKey, SecretKey: "guess", PathStyle: true}
	if err := p.openObjects(t.Context()); err == nil || !strings.Contains(err.Error(), "(check HARK_S3_SECRET_KEY") {
		t.Errorf("open: %v", err)
	}
	p.cfg.S3.SecretKey = config.Secret(c.SecretKey)
	if err := p.openObjects(t.Context()); err != nil {
		t.Error(err)
	}
}

// What blob calls a setting is one.
func TestStoreSettingsExist(t *testing.T) {
	known := map[string]bool{}
	for field := range reflect.TypeFor[config.S3Config]().Fields() {
		known[field.Tag.Get("env")] = true
	}
	for _, s := range []blob.Setting{
		blob.EndpointSetting, blob.RegionSetting, blob.BucketSetting, blob.PrefixSetting, blob.AccessKeySetting,
		blob.SecretKeySetting, blob.SessionTokenSetting, blob.PathStyleSetting, blob.EncryptionSetting,
	} {
		if !known[strings.ToUpper(string(s))] {
			t.Errorf("there is no HARK_S3_%s", strings.ToUpper(string(s)))
		}
	}
}
