package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hark/cmd/hark/config"
	"hark/cmd/hark/instance"
	"hark/cmd/hark/server"
	"hark/storage"
)

// TestOrphansCommands lists, removes and puts back an object that no record
// has, beside one of somebody else's.
func TestOrphansCommands(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	launch(t, instance.Config{Binary: harkBinary, Data: data, Env: quiet}).Kill()
	orphan := storage.NewOriginalKey(storage.NewID(), storage.NewID())
	stores, err := server.OpenStores(t.Context(), &config.StoresConfig{DatabaseConfig: config.DatabaseConfig{Data: data}, S3: config.S3Config{Bucket: "hark"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{orphan, "dump.sql"} {
		if _, err := stores.Objects.Put(t.Context(), key, "audio/wav", strings.NewReader("sound"), 5); err != nil {
			t.Fatal(err)
		}
		old := time.Now().Add(-72 * time.Hour)
		if err := os.Chtimes(filepath.Join(data, "objects", "objects", "hark", key), old, old); err != nil {
			t.Fatal(err)
		}
	}
	if err := stores.Close(); err != nil {
		t.Fatal(err)
	}
	ctx := within(t, time.Minute)
	for _, step := range []struct {
		args  string
		says  string
		fails bool
	}{
		{"orphans list", orphan, false},
		{"orphans list --json", `"kind":"orphan"`, false},
		{"orphans remove", "--yes", true}, // nobody answers
		{"orphans remove --yes", "Removed 1 objects", false},
		{"orphans list", "0 objects: 0 orphans", false},
		{"orphans restore", "Put back 1 objects", false},
		{"orphans list", "1 objects: 0 orphans", false}, // it is young again
	} {
		out, err := harkCommand(ctx, data, strings.Fields(step.args)...)
		if (err != nil) != step.fails || !strings.Contains(out, step.says) || strings.Contains(out, "dump.sql") {
			t.Errorf("hark %s: %v\n%s", step.args, err, out)
		}
	}
	hark := launch(t, instance.Config{Binary: harkBinary, Data: data, Env: quiet})
	t.Cleanup(hark.Kill)
	if out, err := harkCommand(ctx, data, "reindex"); err == nil || !strings.Contains(out, "stop it") {
		t.Errorf("beside a server, reindex: %v\n%s", err, out)
	}
	if out, err := harkCommand(ctx, filepath.Join(data, "mistyped"), "reindex"); err == nil || !strings.Contains(out, "HARK_DATA") {
		t.Errorf("in a folder that is not there, reindex: %v\n%s", err, out)
	}
}

// harkCommand runs a command over a data folder and returns all that it prints.
func harkCommand(ctx context.Context, data string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, harkBinary, args...)
	cmd.Env = append(os.Environ(), "HARK_DATA="+data)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
