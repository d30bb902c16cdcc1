package bus_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"

	"hark/storage"
	"hark/storage/bus"
)

const withJetStream = "jetstream { store_dir: DIR }\n"

// prompt is how soon a server that says no must be heard: none of these waits
// for a time-out.
const prompt = 4 * time.Second

// refusal is the error of connecting, which must come at once.
func refusal(t *testing.T, c bus.Config) error {
	t.Helper()
	c.Logger = quiet()
	if c.Prefix == "" {
		c.Prefix = "hark-test"
	}
	began := time.Now()
	b, err := bus.Connect(t.Context(), c)
	if err == nil {
		_ = b.Close()
		t.Error("connected")
		return nil
	}
	if took := time.Since(began); took > prompt {
		t.Errorf("it took %s to be refused: %v", took, err)
	}
	if errors.Is(err, storage.ErrUnreachable) {
		t.Errorf("taken for a server that is away: %v", err)
	}
	return err
}

func refusedFor(t *testing.T, c bus.Config, want error) {
	t.Helper()
	if err := refusal(t, c); !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

// works does a job, an event and a cancel over a connection.
func works(t *testing.T, c bus.Config) {
	t.Helper()
	b := connect(t, c)
	sub, err := b.SubscribeEvents("w", 1)
	if err != nil {
		t.Fatal(err)
	}
	begun, ended := make(chan string, 1), make(chan error, 1)
	stop := consume(t, b, bus.ConsumeConfig{Interactive: 1}, func(ctx context.Context, d bus.Delivery) bus.Verdict {
		id := d.ID
		begun <- id
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return bus.Done()
	})
	publish(t, b, storage.Interactive, "a")
	receive(t, "job", begun)
	if err := b.PublishEvents(t.Context(), []storage.Event{{WorkspaceID: "w", Type: "t"}}); err != nil {
		t.Fatal(err)
	}
	receive(t, "event", sub.C)
	if err := b.CancelJob(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if err := receive(t, "cancel", ended); !errors.Is(err, bus.ErrCanceled) {
		t.Errorf("ended by %v", err)
	}
	eventually(t, "an empty queue", func() bool { w, p := depth(t, b); return w+p == 0 })
	stop()
}

func TestUserAndPassword(t *testing.T) {
	s := configured(t, withJetStream+`authorization { user: hark, password: "right: @/" }`, nil)
	url := s.ClientURL()
	works(t, bus.Config{URL: url, Auth: bus.Auth{User: "hark", Password: "right: @/"}})
	refusedFor(t, bus.Config{URL: url, Auth: bus.Auth{User: "hark", Password: "wrong"}}, bus.ErrAuth)
	refusedFor(t, bus.Config{URL: url}, bus.ErrAuth)
}

func TestToken(t *testing.T) {
	url := configured(t, withJetStream+`authorization { token: right }`, nil).ClientURL()
	works(t, bus.Config{URL: url, Auth: bus.Auth{Token: "right"}})
	refusedFor(t, bus.Config{URL: url, Auth: bus.Auth{Token: "wrong"}}, bus.ErrAuth)
}

func TestNKey(t *testing.T) {
	pair, seed := newNKey(t, nkeys.CreateUser)
	public, err := pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	url := configured(t, withJetStream+`authorization { users: [{ nkey: `+public+` }] }`, nil).ClientURL()
	works(t, bus.Config{URL: url, Auth: bus.Auth{NKeySeed: seed}})
	_, other := newNKey(t, nkeys.CreateUser)
	refusedFor(t, bus.Config{URL: url, Auth: bus.Auth{NKeySeed: other}}, bus.ErrAuth)
	_, account := newNKey(t, nkeys.CreateAccount)
	for _, bad := range []string{public, account, "SUsesame"} {
		if err := refusal(t, bus.Config{URL: url, Auth: bus.Auth{NKeySeed: bad}}); strings.Contains(fmt.Sprint(err), bad) {
			t.Errorf("%v repeats the seed", err)
		}
	}
}

func newNKey(t *testing.T, create func() (nkeys.KeyPair, error)) (nkeys.KeyPair, string) {
	t.Helper()
	pair, err := create()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	return pair, string(seed)
}

// An operator's server knows accounts by their JWTs; a user brings a file of
// credentials.
func TestCredentialsFile(t *testing.T) {
	operator, _ := newNKey(t, nkeys.CreateOperator)
	account, _ := newNKey(t, nkeys.CreateAccount)
	system, _ := newNKey(t, nkeys.CreateAccount)
	encode := func(pair nkeys.KeyPair, claims func(public string) jwt.Claims, by nkeys.KeyPair) (public, token string) {
		public, err := pair.PublicKey()
		if err != nil {
			t.Fatal(err)
		}
		token, err = claims(public).Encode(by)
		if err != nil {
			t.Fatal(err)
		}
		return public, token
	}
	accountID, accountJWT := encode(account, func(public string) jwt.Claims {
		c := jwt.NewAccountClaims(public)
		c.Limits.DiskStorage, c.Limits.MemoryStorage = 16<<20, 1<<20
		return c
	}, operator)
	systemID, systemJWT := encode(system, func(public string) jwt.Claims { return jwt.NewAccountClaims(public) }, operator)
	_, operatorJWT := encode(operator, func(public string) jwt.Claims {
		c := jwt.NewOperatorClaims(public)
		c.SystemAccount = systemID
		return c
	}, operator)
	url := configured(t, withJetStream+`
		operator: "DIR/operator.jwt"
		resolver: MEMORY
		resolver_preload { `+accountID+`: "`+accountJWT+`", `+systemID+`: "`+systemJWT+`" }`,
		map[string]string{"operator.jwt": operatorJWT}).ClientURL()

	file := filepath.Join(t.TempDir(), "hark.creds")
	user, seed := newNKey(t, nkeys.CreateUser)
	_, userJWT := encode(user, func(public string) jwt.Claims { return jwt.NewUserClaims(public) }, account)
	creds, err := jwt.FormatUserConfig(userJWT, []byte(seed))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, file, string(creds))
	works(t, bus.Config{URL: url, Auth: bus.Auth{CredsFile: file}})

	_, strangerJWT := encode(user, func(public string) jwt.Claims { return jwt.NewUserClaims(public) }, system)
	creds, err = jwt.FormatUserConfig(strangerJWT, []byte(seed))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, file, string(creds))
	refusedFor(t, bus.Config{URL: url, Auth: bus.Auth{CredsFile: file}}, bus.ErrNoJetStream) // the system's own account
	refusedFor(t, bus.Config{URL: url}, bus.ErrAuth)
	_ = refusal(t, bus.Config{URL: url, Auth: bus.Auth{CredsFile: file + "x"}})
}

func TestTLS(t *testing.T) {
	ca, dir := newAuthority(t), t.TempDir()
	serverCert, serverKey := ca.issue(t)
	clientCert, clientKey := ca.issue(t)
	other := newAuthority(t)
	strangerCert, strangerKey := other.issue(t)
	for name, content := range map[string]string{
		"ca": ca.pem, "cert": clientCert, "key": clientKey, "other": other.pem, "stranger": strangerCert, "stranger-key": strangerKey,
	} {
		writeFile(t, filepath.Join(dir, name), content)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	files := map[string]string{"cert": serverCert, "key": serverKey, "ca": ca.pem}

	url := configured(t, withJetStream+`tls { cert_file: "DIR/cert", key_file: "DIR/key" }`, files).ClientURL()
	works(t, bus.Config{URL: url, TLS: bus.TLS{CAFile: in("ca")}})
	refusedFor(t, bus.Config{URL: url}, bus.ErrTLS)
	refusedFor(t, bus.Config{URL: url, TLS: bus.TLS{CAFile: in("other")}}, bus.ErrTLS)
	_ = refusal(t, bus.Config{URL: url, TLS: bus.TLS{CAFile: in("key")}})

	url = configured(t, withJetStream+`tls { cert_file: "DIR/cert", key_file: "DIR/key", ca_file: "DIR/ca", verify: true }`, files).ClientURL()
	works(t, bus.Config{URL: url, TLS: bus.TLS{CAFile: in("ca"), CertFile: in("cert"), KeyFile: in("key")}})
	refusedFor(t, bus.Config{URL: url, TLS: bus.TLS{CAFile: in("ca")}}, bus.ErrTLS)
	refusedFor(t, bus.Config{URL: url, TLS: bus.TLS{CAFile: in("ca"), CertFile: in("stranger"), KeyFile: in("stranger-key")}}, bus.ErrTLS)

	plain := configured(t, withJetStream, nil).ClientURL()
	refusedFor(t, bus.Config{URL: plain, TLS: bus.TLS{CAFile: in("ca")}}, bus.ErrTLS)
}

// A user that may use just the subjects that the package documents can do all;
// with one of them less, it is told at once which.
func TestPermissions(t *testing.T) {
	server := func(publish, subscribe []string) string {
		return configured(t, withJetStream+fmt.Sprintf(`authorization { users: [{ user: hark, password: right, permissions: { publish: ["%s"], subscribe: ["%s"] } }] }`,
			strings.Join(publish, `", "`), strings.Join(subscribe, `", "`)), nil).ClientURL()
	}
	publish := []string{"hark-test.>", "$JS.API.>", "$JS.ACK.hark-test-jobs.>"}
	subscribe := []string{"hark-test.>", "_INBOX.>"}
	auth := bus.Auth{User: "hark", Password: "right"}
	works(t, bus.Config{URL: server(publish, subscribe), Auth: auth})
	without := func(all []string, i int) []string {
		some := append([]string{"other.>"}, all[:i]...)
		return append(some, all[i+1:]...)
	}
	for i, subject := range publish {
		t.Run("publish "+subject, func(t *testing.T) {
			refusedFor(t, bus.Config{URL: server(without(publish, i), subscribe), Auth: auth}, bus.ErrPermission)
		})
	}
	for i, subject := range subscribe {
		t.Run("subscribe "+subject, func(t *testing.T) {
			refusedFor(t, bus.Config{URL: server(publish, without(subscribe, i)), Auth: auth}, bus.ErrPermission)
		})
	}
}

// A password that is changed on the server first and here later, or the other
// way round, is an outage and not the end.
func TestPasswordChangedMeanwhile(t *testing.T) {
	conf := withJetStream + `authorization { user: hark, password: %s }`
	s := configured(t, fmt.Sprintf(conf, "right"), nil)
	port := fmt.Sprintf("\nport: %d", s.Addr().(*net.TCPAddr).Port)
	b := connect(t, bus.Config{URL: s.ClientURL(), Auth: bus.Auth{User: "hark", Password: "right"}})
	stopExternal(s)
	s = configured(t, fmt.Sprintf(conf, "other")+port, nil)
	refused := func() bool {
		v, err := s.Varz(nil)
		return err == nil && v.TotalConnections >= 3
	}
	eventually(t, "three attempts with the old password", refused)
	stopExternal(s)
	configured(t, fmt.Sprintf(conf, "right")+port, nil)
	eventually(t, "a connection again", b.Connected)
}
