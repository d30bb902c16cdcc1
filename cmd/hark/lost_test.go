package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hark/cmd/hark/config"
	"hark/cmd/hark/instance"
	"hark/cmd/hark/server"
	"hark/storage/blob"
	"hark/storage/reconcile"
	"hark/transcribe/wer"
)

// TestLostDatabase runs the commands of the README's drill: the database goes,
// nothing of the object store does, and every message plays and is found again.
func TestLostDatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	clip := shortSentence.wav(t, dir)
	d := &drill{t: t, dir: dir, data: filepath.Join(dir, "data")}
	for _, folder := range []string{"data", "bin"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(harkBinary, filepath.Join(dir, "bin", "hark")); err != nil {
		t.Fatal(err)
	}
	ctx := within(t, 5*time.Minute)

	d.serve(false)
	c := mustClient(t, d.hark)
	conv, err := c.FindConversation(ctx, "General")
	if err != nil {
		t.Fatal(err)
	}
	var sent []string
	for range 2 {
		msg, err := c.Upload(ctx, conv.ID, clip)
		if err != nil {
			t.Fatal(err)
		}
		sent = append(sent, msg.ID)
	}
	for _, id := range sent {
		if _, err := c.Await(ctx, id); err != nil {
			t.Fatal(err)
		}
	}
	late, err := c.Upload(ctx, conv.ID, clip) // acknowledged, and killed before it is transcribed
	if err != nil {
		t.Fatal(err)
	}
	d.hark.Kill()
	d.remember()

	for _, line := range drillLines(t) {
		d.run(ctx, line)
	}

	c = mustClient(t, d.hark)
	for _, id := range append(sent, late.ID) {
		msg, err := c.Await(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		// Killed between its transcript and its manifest, it is ready before its rendition is.
		awaitRendition(ctx, t, c, msg)
		findWord(t, c, id, "weasels")
		heard, err := c.Transcript(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if n := wer.Score(shortSentence.text, heard.Text()); n.Rate() > 0.34 {
			t.Errorf("heard %q", heard.Text())
		}
	}
	if n := countMessages(t, c, conv.ID); n < len(sent) || n > len(sent)+1 { // the late one may be in "Recovered"
		t.Errorf("%d messages are in their conversation", n)
	}
}

// drill is a Hark whose database is lost, as the README's commands find it.
type drill struct {
	t         *testing.T
	dir, data string
	hark      *instance.Instance
	objects   []string // that must be there
	restored  bool
}

// run does a line of the README.
func (d *drill) run(ctx context.Context, line string) {
	d.t.Helper()
	d.t.Log("$ " + line)
	switch {
	case strings.HasPrefix(line, "bin/hark serve"):
		d.serve(!d.restored)
	case strings.HasPrefix(line, "curl"):
		d.notReady(ctx)
	case strings.HasPrefix(line, "kill"):
		if err := d.hark.Stop(); err != nil {
			d.t.Fatal(err)
		}
		d.sweep(ctx)
	default:
		out, err := d.shell(ctx, line)
		if err != nil {
			d.t.Fatalf("%v\n%s", err, out)
		}
		d.t.Logf("%s", out)
		d.restored = d.restored || line == "bin/hark reindex"
		if want := map[string]string{"bin/hark reindex": "Restored 3 messages", "bin/hark user sign-in": "/sign-in?code="}[line]; !strings.Contains(out, want) {
			d.t.Errorf("it does not say %q", want)
		}
	}
}

func (d *drill) serve(unready bool) {
	d.t.Helper()
	d.hark = launch(d.t, instance.Config{Binary: harkBinary, Data: d.data, Env: []string{"HARK_MODELS=" + modelsFolder(d.t)}, Unready: unready})
	d.t.Cleanup(d.hark.Kill)
}

func (d *drill) shell(ctx context.Context, line string) (string, error) {
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Dir = d.dir
	cmd.Env = append(os.Environ(), "HARK_DATA=data")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// notReady wants the reason to be told.
func (d *drill) notReady(ctx context.Context) {
	d.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.hark.URL+"/readyz", nil)
	if err != nil {
		d.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(body), "hark reindex") {
		d.t.Errorf("/readyz: %s: %s", resp.Status, body)
	}
	log, err := os.ReadFile(d.hark.Log)
	if err != nil {
		d.t.Fatal(err)
	}
	if !strings.Contains(string(log), "do not belong together") {
		d.t.Error("the log does not say so")
	}
}

// stores opens what the stopped Hark has.
func (d *drill) stores(ctx context.Context) *server.Stores {
	d.t.Helper()
	stores, err := server.OpenStores(ctx, &config.StoresConfig{DatabaseConfig: config.DatabaseConfig{Data: d.data}, S3: config.S3Config{Bucket: "hark"}})
	if err != nil {
		d.t.Fatal(err)
	}
	return stores
}

// remember lists the objects that must not go.
func (d *drill) remember() {
	d.t.Helper()
	stores := d.stores(d.t.Context())
	d.objects = listKeys(d.t, stores)
	if err := stores.Close(); err != nil {
		d.t.Fatal(err)
	}
	if len(d.objects) < 9 {
		d.t.Fatalf("only %d objects: nothing is tested", len(d.objects))
	}
}

// sweep makes the empty database's sweep of a day on which everything is old,
// and the same by command: nothing goes.
func (d *drill) sweep(ctx context.Context) {
	d.t.Helper()
	stores := d.stores(ctx)
	var refused *reconcile.Disagreement
	if _, err := stores.Sweep(ctx, time.Now().Add(7*24*time.Hour)); !errors.As(err, &refused) {
		d.t.Errorf("the sweep says %v", err)
	}
	left := listKeys(d.t, stores)
	if err := stores.Close(); err != nil {
		d.t.Fatal(err)
	}
	for _, key := range d.objects {
		if !slices.Contains(left, key) {
			d.t.Errorf("%s is gone", key)
		}
	}
	if out, err := d.shell(ctx, "bin/hark orphans remove --unknown --yes"); err == nil || !strings.Contains(out, "hark reindex") {
		d.t.Errorf("orphans remove: %v\n%s", err, out)
	}
}

func listKeys(t *testing.T, stores *server.Stores) (keys []string) {
	t.Helper()
	err := stores.Objects.List(t.Context(), "", func(o blob.Object) error {
		keys = append(keys, o.Key)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// drillLines are the commands of the README's drill, without their comments.
func drillLines(t *testing.T) (lines []string) {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "<!-- drill -->\n```sh\n")
	block, _, found := strings.Cut(rest, "```\n<!-- /drill -->")
	if !found {
		t.Fatal("the README has no marked drill")
	}
	for line := range strings.Lines(block) {
		line, _, _ = strings.Cut(line, " #")
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}

// TestNodesWithAStoreEach starts a second node on the database of the first,
// with an object store of its own: it is refused before it takes a job.
func TestNodesWithAStoreEach(t *testing.T) {
	t.Parallel()
	shared := t.TempDir()
	first := launch(t, instance.Config{Binary: harkBinary, Data: shared, Env: quiet})
	first.Kill()
	second := t.TempDir()
	_, err := instance.Start(t.Context(), instance.Config{
		Binary: harkBinary, Data: second, Env: append(quiet, "HARK_DATABASE_URL=sqlite://"+filepath.Join(shared, "hark.db")),
	})
	if err == nil {
		t.Fatal("the second node started")
	}
	log, err := os.ReadFile(filepath.Join(second, "serve.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"belongs to the object store", "HARK_S3_ENDPOINT", "HARK_S3_PREFIX"} {
		if !strings.Contains(string(log), want) {
			t.Errorf("%q is not in: %s", want, log)
		}
	}
}
