package blob_test

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hark/storage/blob"
	"hark/storage/blob/embedded"
)

func TestRestartFindsObjects(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there", "yet")
	before, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	first, err := embedded.Serve(t.Context(), dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	small, large := noise(1000), noise(6<<20)
	s := open(t, first.Config())
	mustPut(t, s, "w/1/m/1/original", small)
	mustPut(t, s, "w/1/m/2/original", large)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}

	second := serve(t, dir)
	if first.Config().SecretKey != second.Config().SecretKey {
		t.Error("the credentials changed")
	}
	s = open(t, second.Config())
	if !bytes.Equal(mustGet(t, s, "w/1/m/1/original"), small) || !bytes.Equal(mustGet(t, s, "w/1/m/2/original"), large) {
		t.Error("other bytes came back")
	}
	if o, err := s.Stat(t.Context(), "w/1/m/2/original"); err != nil || o.MediaType != "audio/wav" {
		t.Errorf("stat: %+v, %v", o, err)
	}
	if after, err := os.Getwd(); after != before || err != nil {
		t.Errorf("the working directory is now %s, %v", after, err)
	}
}

// Servers that start at once leave the working directory as it was.
func TestServersStartAtOnce(t *testing.T) {
	before, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		var starting sync.WaitGroup
		for range 4 {
			starting.Go(func() {
				e, err := embedded.Serve(t.Context(), t.TempDir(), slog.New(slog.DiscardHandler))
				if err != nil {
					t.Error(err)
					return
				}
				if err := e.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		starting.Wait()
		if after, err := os.Getwd(); after != before || err != nil {
			t.Fatalf("the working directory is now %s, %v", after, err)
		}
	}
}

// Where the file system keeps no attributes they are kept in files, and the
// store behaves the same, after a move of the folder too.
func TestAttributesInFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "objects")
	if err := os.MkdirAll(filepath.Join(dir, "attributes"), 0o700); err != nil {
		t.Fatal(err)
	}
	e, err := embedded.Serve(t.Context(), dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, e.Config())
	for _, size := range []int{10, 11 << 20} {
		mustPut(t, s, fmt.Sprintf("w/1/m/%d/original", size), noise(size))
	}
	if n := unfinished(t, s); n != 0 {
		t.Errorf("%d unfinished uploads", n)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir, dir+"-moved"); err != nil {
		t.Fatal(err)
	}

	s = open(t, serve(t, dir+"-moved").Config())
	for _, size := range []int{10, 11 << 20} {
		key := fmt.Sprintf("w/1/m/%d/original", size)
		if !bytes.Equal(mustGet(t, s, key), noise(size)) {
			t.Errorf("%s: other bytes came back", key)
		}
		if o, err := s.Stat(t.Context(), key); err != nil || o.MediaType != "audio/wav" || o.ETag == "" {
			t.Errorf("stat: %+v, %v", o, err)
		}
		if err := s.Delete(t.Context(), key); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir+"-moved", "attributes", s.Bucket(), "w")); !os.IsNotExist(err) {
		t.Errorf("attributes of deleted objects remain: %v", err)
	}
}

func TestOneProcessAFolder(t *testing.T) {
	dir := t.TempDir()
	serve(t, dir)
	if e, err := embedded.Serve(t.Context(), dir, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("served the same folder twice")
		_ = e.Close()
	}
}

// A client that does many things at once opens connections that it then has
// no use for. Closing the server does not wait for their first request.
func TestCloseDespiteUnusedConnections(t *testing.T) {
	e, err := embedded.Serve(t.Context(), t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, e.Config())
	var calls sync.WaitGroup
	for i := range 100 {
		calls.Go(func() {
			if _, err := s.Put(t.Context(), fmt.Sprintf("w/1/m/%d/original", i), "audio/wav", bytes.NewReader(noise(100)), 100); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	if err := e.Close(); err != nil { // it gives waiting up with an error
		t.Error(err)
	}
}

func TestOnlyWithCredentials(t *testing.T) {
	dir := t.TempDir()
	e := serve(t, dir)
	mustPut(t, open(t, e.Config()), "w/1/secret", noise(100))

	info, err := os.Stat(filepath.Join(dir, "credentials.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("credentials: %v, %v", info, err)
	}
	info, err = os.Stat(filepath.Join(dir, "objects", "hark", "w", "1", "secret"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("object: %v, %v", info, err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.Config().Endpoint+"/hark/w/1/secret", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("without credentials: %s", res.Status)
	}
	stranger := e.Config()
	stranger.SecretKey = "guess"
	if _, err := blob.Open(t.Context(), stranger); err == nil {
		t.Error("a wrong secret was taken")
	}
}

func TestDamagedCredentials(t *testing.T) {
	for _, text := range []string{"", "{", `{"access_key":"a"}`} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "credentials.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if e, err := embedded.Serve(t.Context(), dir, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("served with credentials %q", text)
			_ = e.Close()
		}
	}
}

// A bit that flips on the disk is noticed by whoever reads the object.
func TestRotIsNoticed(t *testing.T) {
	dir := t.TempDir()
	s := open(t, serve(t, dir).Config())
	for key, size := range map[string]int{"small": 1000, "large": 11 << 20} {
		mustPut(t, s, key, noise(size))
		f, err := os.OpenFile(filepath.Join(dir, "objects", s.Bucket(), key), os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte("rot"), 500); err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
		body, _, err := s.Get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(body); err == nil {
			t.Errorf("%s: the rot went unnoticed", key)
		}
		_ = body.Close()
	}
}

// A client that dies in the middle of a put leaves nothing.
func TestClientDiesDuringPut(t *testing.T) {
	dir := t.TempDir()
	e := serve(t, dir)
	s := open(t, e.Config())
	proxy := cutOff(t, strings.TrimPrefix(e.Config().Endpoint, "http://"), 100_000)
	cfg := e.Config()
	cfg.Endpoint = proxy
	dying, err := blob.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	dying.SetPatience(5 * time.Second)
	if _, err := dying.Put(t.Context(), "a", "audio/wav", bytes.NewReader(noise(1<<20)), -1); err == nil {
		t.Error("put through a cut line")
	}
	if err := s.List(t.Context(), "", func(o blob.Object) error { return fmt.Errorf("kept %+v", o) }); err != nil {
		t.Error(err)
	}
}

// cutOff forwards connections to an address and cuts each after limit bytes
// on the way there.
func cutOff(t *testing.T, to string, limit int64) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := new(net.Dialer).DialContext(t.Context(), "tcp", to)
			if err != nil {
				_ = near.Close()
				continue
			}
			go func() { _, _ = io.Copy(near, far); _ = near.Close() }()
			go func() { _, _ = io.CopyN(far, near, limit); _ = far.Close(); _ = near.Close() }()
		}
	}()
	return "http://" + l.Addr().String()
}

func TestLostStore(t *testing.T) {
	dir := t.TempDir()
	e := serve(t, dir)
	s := open(t, e.Config())
	mustPut(t, s, "a", noise(100))
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	if err := s.Ping(t.Context()); err == nil {
		t.Error("ping answered")
	}
	if _, _, err := s.Get(t.Context(), "a"); err == nil {
		t.Error("get answered")
	}
	if _, err := s.Put(t.Context(), "b", "audio/wav", bytes.NewReader(noise(6<<20)), -1); err == nil {
		t.Error("put answered")
	}
	if took := time.Since(started); took > 20*time.Second {
		t.Errorf("it took %v to notice", took)
	}
}

// A store that takes a request and then says nothing, or stops talking in the
// middle of an object, is given up.
func TestSilentStore(t *testing.T) {
	f := newFrontend(t, func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case strings.HasSuffix(r.URL.Path, "half"):
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "12345")
			_ = http.NewResponseController(w).Flush()
		case !strings.HasSuffix(r.URL.Path, "silent"):
			return false
		}
		<-r.Context().Done() // the client hangs up
		return true
	})
	s := open(t, f.config)
	s.SetPatience(200 * time.Millisecond)

	if _, err := s.Stat(t.Context(), "silent"); err == nil {
		t.Error("stat answered")
	}
	if _, _, err := s.Get(t.Context(), "silent"); err == nil || !strings.Contains(err.Error(), "silent") {
		t.Errorf("get: %v", err)
	}
	body, _, err := s.Get(t.Context(), "half")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(body); err == nil || !strings.Contains(err.Error(), "stopped sending") {
		t.Errorf("read: %v", err)
	}
	_ = body.Close()
}

// Whatever the length of an upload, it takes the memory of a few parts.
func TestMemoryOfLongUpload(t *testing.T) {
	if testing.Short() {
		t.Skip("uploads 200 MB")
	}
	s := newStore(t)
	mustPut(t, s, "warm/up", noise(16<<20))
	const size = 200 << 20
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	watch := &memoryWatch{from: io.LimitReader(repeat(noise(1<<20)), size)}
	if n, err := s.Put(t.Context(), "long", "audio/wav", watch, -1); n != size || err != nil {
		t.Fatalf("put: %d, %v", n, err)
	}
	grew := int64(watch.peak) - int64(before.HeapInuse)
	t.Logf("heap grew by %d MiB at the most", grew>>20)
	if grew > 96<<20 {
		t.Errorf("heap grew by %d MiB", grew>>20)
	}
}

type memoryWatch struct {
	from io.Reader
	read int
	peak uint64
}

func (w *memoryWatch) Read(p []byte) (int, error) {
	n, err := w.from.Read(p)
	if w.read += n; w.read > 4<<20 {
		w.read = 0
		var now runtime.MemStats
		runtime.ReadMemStats(&now)
		w.peak = max(w.peak, now.HeapInuse)
	}
	return n, err
}

func repeat(data []byte) io.Reader {
	var at int
	return readerFunc(func(p []byte) (int, error) {
		n := copy(p, data[at:])
		at = (at + n) % len(data)
		return n, nil
	})
}

// What Put sends is what the oldest S3 servers understand: a plain body of
// known length with the sum in a header.
func TestPutSpeaksPlainS3(t *testing.T) {
	var puts atomic.Int32
	f := newFrontend(t, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut || operation(r) == "bucket" {
			return false
		}
		puts.Add(1)
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		sum := md5.Sum(body)
		if got := r.Header.Get("Content-Md5"); got != base64.StdEncoding.EncodeToString(sum[:]) {
			t.Errorf("sum %q of %d bytes", got, len(body))
		}
		for name := range r.Header {
			if strings.HasPrefix(name, "X-Amz-Checksum") || name == "X-Amz-Trailer" || name == "Content-Encoding" {
				t.Errorf("a header that not all servers know: %s", name)
			}
		}
		return false
	})
	s := open(t, f.config)
	puts.Store(0)
	mustPut(t, s, "small", noise(100))
	mustPut(t, s, "large", noise(5<<20+1))
	if n := puts.Load(); n != 3 {
		t.Errorf("%d bodies, want one and two parts", n)
	}
}

// A server that is closed before it takes connections ends too, also where
// the processors have other work.
func TestCloseRightAfterServe(t *testing.T) {
	var done atomic.Bool
	defer done.Store(true)
	for range 2 * runtime.NumCPU() {
		go func() {
			for !done.Load() {
			}
		}()
	}
	for range 40 {
		e, err := embedded.Serve(t.Context(), t.TempDir(), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
