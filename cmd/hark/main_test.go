package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"hark/cmd/hark/client"
	"hark/cmd/hark/instance"
	"hark/media/decode/confine"
)

// harkBinary is the program under test, built once for all tests.
var harkBinary string

func TestMain(m *testing.M) {
	confine.Main()
	os.Exit(testMain(m))
}

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "hark-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	harkBinary = filepath.Join(dir, "hark")
	args := append([]string{"build", "-tags", "sqlite_fts5", "-o", harkBinary}, raceFlags...)
	if out, err := exec.Command("go", append(args, ".")...).CombinedOutput(); err != nil { //nolint:noctx // as long as it takes
		fmt.Fprintf(os.Stderr, "build hark: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// need ends the test when a part it needs is missing: as a failure in CI, as a
// skip with its reason elsewhere.
func need(t *testing.T, missing bool, format string, args ...any) {
	t.Helper()
	if !missing {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

func needCommand(t *testing.T, name string) {
	t.Helper()
	_, err := exec.LookPath(name)
	need(t, err != nil, "%s is not installed; 'make setup-test' installs it", name)
}

// modelsFolder is the folder of speech models, which 'make models' fills.
func modelsFolder(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("HARK_MODELS")
	need(t, dir == "", "HARK_MODELS is not set; run the tests by 'make test'")
	_, err := os.Stat(filepath.Join(dir, "moonshine-base-en"))
	need(t, err != nil, "no models in %s; 'make models' fetches them", dir)
	abs, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

// smallModel is for tests that start Hark again and again: it is loaded in half
// the time, and 'make test-models' fetches it.
const smallModel = "HARK_MODEL=moonshine-tiny-en"

// serve starts a Hark over a data folder and stops it at the test's end.
func serve(t *testing.T, data string, env ...string) *instance.Instance {
	t.Helper()
	i := launch(t, instance.Config{Binary: harkBinary, Data: data, Env: append(env, "HARK_MODELS="+modelsFolder(t))})
	t.Cleanup(i.Kill)
	return i
}

func launch(t *testing.T, c instance.Config) *instance.Instance {
	t.Helper()
	i, err := instance.Start(context.Background(), c)
	if err != nil {
		if log, readErr := os.ReadFile(filepath.Join(c.Data, "serve.log")); readErr == nil {
			t.Logf("serve.log:\n%s", log)
		}
		t.Fatal(err)
	}
	return i
}

func mustClient(t *testing.T, i *instance.Instance) *client.Client {
	t.Helper()
	c, err := i.Client()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// within bounds a test's patience with what it asks for.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
