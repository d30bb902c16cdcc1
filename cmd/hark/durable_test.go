package main

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"hark/cmd/hark/instance"
)

// TestSyncedBeforeAcknowledged watches the system calls of one upload: the
// sound, the folders that name it and the database's log must have been synced
// before the 201 is written, or a power cut could take what was acknowledged.
func TestSyncedBeforeAcknowledged(t *testing.T) {
	needCommand(t, "strace")
	data, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	clip := shortSentence.wav(t, t.TempDir())
	trace := filepath.Join(t.TempDir(), "trace")
	hark := launch(t, instance.Config{
		Binary: harkBinary, Data: data,
		Env: []string{"HARK_MODELS=" + modelsFolder(t)},
		Wrap: []string{
			"strace", "-f", "-y", "-s", "48", "-o", trace,
			"-e", "trace=fsync,fdatasync,write,linkat,link,rename,renameat,renameat2",
		},
	})
	t.Cleanup(hark.Kill)
	c := mustClient(t, hark)
	ctx := within(t, 3*time.Minute)
	conv, err := c.FindConversation(ctx, "General")
	if err != nil {
		t.Fatal(err)
	}
	before := lineCount(t, trace)
	msg, err := c.Upload(ctx, conv.ID, clip)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Await(ctx, msg.ID); err != nil {
		t.Fatal(err)
	}
	hark.Kill()

	var file, folder, database bool
	for _, call := range calls(t, trace)[before:] {
		path := syncedPath(call)
		switch {
		case strings.Contains(call, "HTTP/1.1 201"):
			if !file || !folder || !database {
				t.Errorf("acknowledged before all was synced: file %v, folder %v, database %v", file, folder, database)
			}
			return
		case strings.HasPrefix(path, filepath.Join(data, "hark.db")):
			database = true
		case strings.HasPrefix(path, filepath.Join(data, "objects")):
			if info, err := os.Stat(path); err == nil && info.IsDir() {
				folder = true
			} else {
				file = true
			}
		}
	}
	t.Error("no 201 in the trace")
}

var (
	syncCall   = regexp.MustCompile(`f(?:data)?sync\(\d+<([^>]+)>`)
	unfinished = " <unfinished ...>"
)

// syncedPath is the path that a completed fsync or fdatasync names; empty for
// every other call.
func syncedPath(call string) string {
	m := syncCall.FindStringSubmatch(call)
	if m == nil {
		return ""
	}
	return strings.TrimSuffix(m[1], " (deleted)")
}

// calls reads the trace with each call at the place at which it began for a
// write, and at which it ended for a sync: what counts is that the sync is
// over before the answer starts on its way.
func calls(t *testing.T, trace string) []string {
	t.Helper()
	f, err := os.Open(trace)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var lines []string
	pending := map[string]string{} // process to the sync it has begun
	scanner := bufio.NewScanner(f)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		line := scanner.Text()
		pid, call, _ := strings.Cut(line, " ")
		switch {
		case strings.HasSuffix(call, unfinished) && syncCall.MatchString(call):
			pending[pid] = call
			line = ""
		case strings.Contains(call, "sync resumed>"):
			line = pending[pid]
		}
		lines = append(lines, line)
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

func lineCount(t *testing.T, file string) int {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(b), "\n")
}
