package blob_test

import (
	"context"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"hark/storage/blob"
)

// versitygw is the S3 server that is embedded, as a program. It is built once
// a run.
var versitygw = sync.OnceValues(func() (bin string, err error) {
	if builtIn, err = os.MkdirTemp("", "hark-versitygw-*"); err != nil {
		return "", err
	}
	bin = filepath.Join(builtIn, "versitygw")
	return bin, exec.CommandContext(context.Background(), "go", "build", "-o", bin, "github.com/versity/versitygw/cmd/versitygw").Run()
})

var builtIn string // the folder that versitygw was built in, when it was

// startVersitygw runs the program over a fresh folder, with versions if asked.
func startVersitygw(t *testing.T, versions bool) blob.Config {
	t.Helper()
	if testing.Short() {
		t.Skip("builds versitygw")
	}
	bin, err := versitygw()
	if err != nil {
		t.Fatalf("build versitygw: %v", err)
	}
	dir, address := t.TempDir(), freeAddress(t)
	for _, sub := range []string{"objects", "meta", "versions"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"--quiet", "--port", address, "posix", "--sidecar", filepath.Join(dir, "meta")}
	if versions {
		args = append(args, "--versioning-dir", filepath.Join(dir, "versions"))
	}
	run(t, address, []string{"ROOT_ACCESS_KEY=hark", "ROOT_SECRET_KEY=not-a-secret"}, bin, append(args, filepath.Join(dir, "objects"))...)
	return blob.Config{
		Endpoint: "http://" + address, Bucket: "hark", AccessKey: "hark", SecretKey: "not-a-secret", PathStyle: true,
		Logger: slog.New(slog.DiscardHandler),
	}
}

// run starts a server, waits until it listens, and stops it when the test ends.
func run(t *testing.T, address string, env []string, name string, args ...string) {
	t.Helper()
	var out logged
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-exited
		if t.Failed() {
			t.Logf("%s:\n%s", filepath.Base(name), &out)
		}
	})
	for ends := time.Now().Add(time.Minute); ; {
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
		if err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-exited:
			t.Fatalf("%s has ended: %s", name, &out)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(ends) {
			t.Fatalf("%s does not listen on %s", name, address)
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func TestVersitygw(t *testing.T) { conform(t, startVersitygw(t, false)) }

// TestMinIO runs where a MinIO is at hand: make stores.
func TestMinIO(t *testing.T) {
	bin := os.Getenv("HARK_TEST_MINIO")
	if bin == "" {
		t.Skip("HARK_TEST_MINIO does not name a MinIO; see make stores")
	}
	address := freeAddress(t)
	run(t, address, []string{"MINIO_ROOT_USER=hark", "MINIO_ROOT_PASSWORD=not-a-secret", "MINIO_BROWSER=off", "MINIO_UPDATE=off"},
		bin, "server", "--quiet", "--address", address, t.TempDir())
	cfg := blob.Config{
		Endpoint: "http://" + address, Bucket: "hark", AccessKey: "hark", SecretKey: "not-a-secret", PathStyle: true,
		Logger: slog.New(slog.DiscardHandler),
	}
	s := conform(t, cfg)
	keepVersions(t, s)
	versionsGo(t, cfg)
	for setting, change := range map[blob.Setting]func(*blob.Config){
		blob.AccessKeySetting: func(c *blob.Config) { c.AccessKey = "nobody" },
		blob.SecretKeySetting: func(c *blob.Config) { c.SecretKey = "guess" },
	} {
		wrong := cfg
		change(&wrong)
		if _, err := blob.Open(t.Context(), wrong); !names(err, setting) {
			t.Errorf("want %s named: %v", setting, err)
		}
	}
}

// keepVersions makes the bucket of a store keep versions.
func keepVersions(t *testing.T, s *blob.Store) {
	t.Helper()
	_, err := s.Client().PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: ptr(s.Bucket()), VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// kept are the versions and delete markers in a bucket, by key.
func kept(t *testing.T, s *blob.Store) (keys []string) {
	t.Helper()
	out, err := s.Client().ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: ptr(s.Bucket())})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range out.Versions {
		keys = append(keys, aws.ToString(v.Key))
	}
	for _, m := range out.DeleteMarkers {
		keys = append(keys, "marker of "+aws.ToString(m.Key))
	}
	return keys
}

// versionsGo checks that what is deleted from a bucket that keeps versions
// leaves nothing, and that nothing else goes with it.
func versionsGo(t *testing.T, cfg blob.Config) {
	t.Helper()
	s := open(t, cfg)
	if got := kept(t, s); len(got) != 0 {
		t.Errorf("after opening: %q", got)
	}
	for _, key := range []string{"w/1", "w/1", "w/2", "w/1x"} {
		mustPut(t, s, key, []byte(key))
	}
	if err := s.Delete(t.Context(), "w/1", "w/2", "never/was"); err != nil {
		t.Error(err)
	}
	if got := strings.Join(kept(t, s), " "); got != "w/1x" {
		t.Errorf("kept: %s", got)
	}
	if err := s.Delete(t.Context(), "w/1x"); err != nil {
		t.Error(err)
	}
}

func TestVersionsAreDeleted(t *testing.T) {
	cfg := startVersitygw(t, true)
	keepVersions(t, open(t, cfg))
	versionsGo(t, cfg)
	if got := kept(t, conform(t, cfg)); len(got) != 0 {
		t.Errorf("kept: %q", got)
	}

	// Where versions may not be deleted that is said at the start.
	for _, operations := range [][]string{{"GET versions"}, {"DELETE versionId", "POST delete"}} {
		f := newFrontendOf(t, cfg, denies(operations...))
		log := new(logged)
		f.config.Logger = log.logger()
		s := open(t, f.config)
		if !log.has("until a lifecycle rule expires noncurrent versions") {
			t.Errorf("not said: %s", log)
		}
		mustPut(t, s, "a", noise(10))
		mustPut(t, s, "b", noise(10))
		if err := s.Delete(t.Context(), "a", "b"); err != nil {
			t.Errorf("delete: %v", err)
		}
		if got := keysOf(t, s, ""); len(got) != 0 {
			t.Errorf("left: %q", got)
		}
	}
}
