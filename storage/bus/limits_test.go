package bus_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"hark/storage"
	"hark/storage/bus"
)

func TestNoJetStream(t *testing.T) {
	refusedFor(t, bus.Config{URL: configured(t, "", nil).ClientURL()}, bus.ErrNoJetStream)
	s := configured(t, withJetStream+`accounts { A { users: [{ user: hark, password: right }] }, B { jetstream: enabled } }`, nil)
	refusedFor(t, bus.Config{URL: s.ClientURL(), Auth: bus.Auth{User: "hark", Password: "right"}}, bus.ErrNoJetStream)
}

// An account's limits are kept where the queue can fit in, and named where not.
func TestAccountLimits(t *testing.T) {
	auth := bus.Auth{User: "hark", Password: "right"}
	account := func(limits string) string {
		return configured(t, withJetStream+`accounts { A { users: [{ user: hark, password: right }], jetstream { `+limits+` } } }`, nil).ClientURL()
	}
	for limits, want := range map[string]int64{
		"max_bytes_required: true":                                             64 << 20,
		"max_bytes_required: true, max_file: 8MB":                              8 << 20,
		"max_bytes_required: true, max_file: 1GB, store_max_stream_bytes: 2MB": 2 << 20,
		"max_file: 8MB": -1,
	} {
		t.Run(limits, func(t *testing.T) {
			url := account(limits)
			works(t, bus.Config{URL: url, Auth: auth})
			if got := streamConfig(t, url, auth).MaxBytes; got != want {
				t.Errorf("the queue is bounded to %d bytes, want %d", got, want)
			}
		})
	}
	for _, limits := range []string{
		"max_bytes_required: true, max_file: 1000KB", "max_consumers: 1", "max_file: 0, max_bytes_required: true",
	} {
		t.Run("too little: "+limits, func(t *testing.T) {
			refusedFor(t, bus.Config{URL: account(limits), Auth: auth}, bus.ErrLimit)
		})
	}
	t.Run("too many streams", func(t *testing.T) {
		url := account("max_streams: 1")
		b := connect(t, bus.Config{URL: url, Auth: auth, Prefix: "hark-other"})
		refusedFor(t, bus.Config{URL: url, Auth: auth}, bus.ErrLimit)
		_ = b.Close()
	})
	t.Run("configured", func(t *testing.T) {
		url := account("max_bytes_required: true, max_file: 8MB")
		works(t, bus.Config{URL: url, Auth: auth, MaxBytes: 3 << 20})
		if got := streamConfig(t, url, auth).MaxBytes; got != 3<<20 {
			t.Errorf("the queue is bounded to %d bytes", got)
		}
		refusedFor(t, bus.Config{URL: account("max_file: 8MB"), Auth: auth, MaxBytes: 9 << 20}, bus.ErrLimit)
	})
}

// A server may allow fewer jobs under way at a time than we ask for.
func TestAckPendingLimit(t *testing.T) {
	works(t, bus.Config{URL: configured(t, `jetstream { store_dir: DIR, limits { max_ack_pending: 100 } }`, nil).ClientURL()})
}

// streamConfig is how the job queue is configured on the server.
func streamConfig(t *testing.T, url string, auth bus.Auth) nats.StreamConfig {
	t.Helper()
	conn, err := nats.Connect(url, nats.UserInfo(auth.User, auth.Password))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := conn.JetStream()
	if err != nil {
		t.Fatal(err)
	}
	info, err := js.StreamInfo("hark-test-jobs")
	if err != nil {
		t.Fatal(err)
	}
	return info.Config
}

// The copies of a queue that is there already follow the setting.
func TestReplicas(t *testing.T) {
	refusedFor(t, bus.Config{URL: configured(t, withJetStream, nil).ClientURL(), Replicas: 3}, bus.ErrReplicas)

	servers := cluster(t)
	url := servers[0].ClientURL()
	b := connect(t, bus.Config{URL: url, Replicas: 1})
	publish(t, b, storage.Interactive, "kept")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = connect(t, bus.Config{URL: url, Replicas: 3})
	if got := streamConfig(t, url, bus.Auth{}).Replicas; got != 3 {
		t.Errorf("%d copies", got)
	}
	done := make(chan string, 1)
	stop := consume(t, b, bus.ConsumeConfig{Interactive: 1}, func(_ context.Context, d bus.Delivery) bus.Verdict {
		id := d.ID
		done <- id
		return bus.Done()
	})
	receive(t, "job", done)
	stop()
	_ = b.Close()
}

// cluster is three NATS servers with a leader.
func cluster(t *testing.T) []*server.Server {
	t.Helper()
	var listeners []net.Listener
	ports, routes := make([]int, 3), make([]string, 3)
	for i := range ports {
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listeners = append(listeners, l) // all open at once, so that they differ
		ports[i] = l.Addr().(*net.TCPAddr).Port
		routes[i] = fmt.Sprintf("nats://127.0.0.1:%d", ports[i])
	}
	for _, l := range listeners {
		l.Close()
	}
	var servers []*server.Server
	for i, port := range ports {
		servers = append(servers, started(t, withJetStream+fmt.Sprintf("server_name: n%d\ncluster { name: c, host: 127.0.0.1, port: %d, routes: [%s] }",
			i, port, strings.Join(routes, ", ")), nil))
	}
	eventually(t, "a leader of all three", func() bool {
		return slices.ContainsFunc(servers, func(s *server.Server) bool { return len(s.JetStreamClusterPeers()) == 3 })
	})
	return servers
}
