package blob_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"hark/storage/blob"
)

// manner is how a store differs from the embedded one: it answers a request
// itself and tells so, or changes it on its way to the embedded one.
type manner func(w http.ResponseWriter, r *http.Request) (answered bool)

// frontend is a proxy before the embedded server, which gives it the manners
// of other stores. It keeps a log of what it was asked.
type frontend struct {
	config blob.Config // of a client that goes through the proxy
	behind blob.Config // of one that does not

	mu    sync.Mutex
	asked []string // method and query of each request
}

func newFrontend(t *testing.T, manners ...manner) *frontend {
	t.Helper()
	return newFrontendOf(t, serve(t, filepath.Join(t.TempDir(), "objects")).Config(), manners...)
}

func newFrontendOf(t *testing.T, behind blob.Config, manners ...manner) *frontend {
	t.Helper()
	target, err := url.Parse(behind.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableCompression: true}
	f := &frontend{config: behind, behind: behind}
	proxy := &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // it is signed
		},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.asked = append(f.asked, r.Method+" "+operation(r))
		f.mu.Unlock()
		for _, m := range manners {
			if m(w, r) {
				return
			}
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.Close()
		transport.CloseIdleConnections()
	})
	f.config.Endpoint = server.URL
	return f
}

// count tells how often an operation was asked for.
func (f *frontend) count(op string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.asked {
		if a == op {
			n++
		}
	}
	return n
}

// operation names what a request asks for by the first word of its query, or
// "object" and "bucket".
func operation(r *http.Request) string {
	for _, sub := range []string{"delete", "uploads", "uploadId", "versions", "versionId", "versioning", "list-type"} {
		if r.URL.Query().Has(sub) {
			return sub
		}
	}
	if strings.Count(strings.Trim(r.URL.Path, "/"), "/") == 0 {
		return "bucket"
	}
	return "object"
}

// refuse answers as S3 does.
func refuse(w http.ResponseWriter, status int, code, message string) bool {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>%s</Message></Error>`, code, message)
	return true
}

// changesAcceptEncoding is what Google's front end does, after the request was
// signed and before the signature is checked.
func changesAcceptEncoding(_ http.ResponseWriter, r *http.Request) bool {
	r.Header.Set("Accept-Encoding", strings.TrimPrefix(r.Header.Get("Accept-Encoding")+",gzip(gfe)", ","))
	return false
}

func noBatchDelete(w http.ResponseWriter, r *http.Request) bool {
	return operation(r) == "delete" && refuse(w, http.StatusNotImplemented, "NotImplemented", "A header you provided implies functionality that is not implemented.")
}

// noBatchSums refuses a batch delete for want of another sum.
func noBatchSums(w http.ResponseWriter, r *http.Request) bool {
	return operation(r) == "delete" && refuse(w, http.StatusBadRequest, "InvalidRequest", "Missing required header for this request: x-amz-checksum-*")
}

func noCopy(w http.ResponseWriter, r *http.Request) bool {
	return r.Header.Get("X-Amz-Copy-Source") != "" && refuse(w, http.StatusNotImplemented, "NotImplemented", "no copies")
}

// busyAtFirst asks for patience at the first of some kinds of request.
func busyAtFirst() manner {
	var seen sync.Map
	return func(w http.ResponseWriter, r *http.Request) bool {
		kind := r.Method + " " + operation(r)
		if kind != "PUT object" && kind != "POST delete" {
			return false
		}
		_, again := seen.LoadOrStore(kind, true)
		return !again && refuse(w, http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
	}
}

// strictDelete answers to the deletion of what is not there with 404.
func strictDelete(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodDelete && strings.HasSuffix(r.URL.Path, "never/was") {
		return refuse(w, http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
	}
	return false
}

// noSums refuses every header of the newer checksums with the given status, as
// R2 (501), B2 (400) and older Ceph do.
func noSums(status int, code string) manner {
	return func(w http.ResponseWriter, r *http.Request) bool {
		for name := range r.Header {
			if strings.HasPrefix(name, "X-Amz-Checksum-") || name == "X-Amz-Sdk-Checksum-Algorithm" || name == "X-Amz-Trailer" ||
				strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
				_, _ = io.Copy(io.Discard, r.Body)
				return refuse(w, status, code, "Unsupported header '"+strings.ToLower(name)+"' received for this API call.")
			}
		}
		return false
	}
}
