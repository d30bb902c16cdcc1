package server

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"hark/cmd/hark/config"
	"hark/storage/storagetest"
)

// A NATS server that says no is not waited for, and what it says names the
// settings that are likely wrong. Its own id keeps a Hark's names apart.
func TestNATSRefusalNamesTheSetting(t *testing.T) {
	start := func(o server.Options) string {
		o.Host, o.Port, o.NoSigs, o.NoLog, o.StoreDir = "127.0.0.1", server.RANDOM_PORT, true, true, t.TempDir()
		s, err := server.NewServer(&o)
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		t.Cleanup(func() {
			s.Shutdown()
			s.WaitForShutdown()
		})
		if !s.ReadyForConnections(30 * time.Second) {
			t.Fatal("NATS server is not ready")
		}
		return s.ClientURL()
	}
	p := &Program{db: storagetest.New(t), log: slog.New(slog.DiscardHandler)}
	locked := start(server.Options{JetStream: true, Username: "hark", Password: "right"})
	for setting, c := range map[string]config.NATSConfig{
		"HARK_NATS_PASSWORD": {URL: locked, User: "hark", Password: "sesame", Replicas: 1},
		"HARK_NATS_REPLICAS": {URL: locked, User: "hark", Password: "right", Replicas: 3},
		"HARK_NATS_URL":      {URL: start(server.Options{}), Replicas: 1},
		"HARK_NATS_CA":       {URL: locked, User: "hark", Password: "right", Replicas: 1, CA: "config_nats_test.go"},
	} {
		p.cfg.NATS = c
		began := time.Now()
		err := p.openBus(t.Context())
		if err == nil || !strings.Contains(err.Error(), setting) || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s: %v", setting, err)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s: it took %s", setting, took)
		}
	}
	p.cfg.NATS = config.NATSConfig{URL: locked, User: "hark", Password: "right", Replicas: 1}
	if err := p.openBus(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}
