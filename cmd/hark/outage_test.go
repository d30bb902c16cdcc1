package main

import (
	"bytes"
	"net/http"
	"strconv"
	"testing"

	"hark/cmd/hark/instance"
	"hark/storage/storagetest"
)

// TestDatabaseGoesAway takes the database from a Hark that is being used:
// uploads are told when to come again, readiness tells, and all is well when it
// is back, without a restart.
func TestDatabaseGoesAway(t *testing.T) {
	t.Parallel()
	server := storagetest.NewCluster(t)
	hark := serve(t, t.TempDir(), "HARK_DATABASE_URL="+server.URL(), "HARK_DATABASE_CONNS=6")
	c := mustClient(t, hark)
	general, err := c.FindConversation(t.Context(), "General")
	if err != nil {
		t.Fatal(err)
	}
	taken := 0
	works := func() {
		t.Helper()
		if resp := uploadSilence(t, hark, general.ID); resp.StatusCode != http.StatusCreated {
			t.Errorf("upload: %s", resp.Status)
		}
		taken++
		if err := hark.AwaitReady(t.Context()); err != nil {
			t.Error(err)
		}
	}
	away := func() {
		t.Helper()
		resp := uploadSilence(t, hark, general.ID)
		if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); resp.StatusCode != http.StatusServiceUnavailable || err != nil || seconds < 1 {
			t.Errorf("upload: %s, Retry-After %q", resp.Status, resp.Header.Get("Retry-After"))
		}
		if resp := askInstance(t, hark, http.MethodGet, "/readyz", nil); resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("ready: %s", resp.Status)
		}
		if resp := askInstance(t, hark, http.MethodGet, "/healthz", nil); resp.StatusCode != http.StatusOK {
			t.Errorf("alive: %s", resp.Status)
		}
	}

	works()
	server.Stop()
	away()
	server.Start()
	works()
	server.Demote()
	away()
	server.Promote()
	works()
	if listed := countMessages(t, c, general.ID); listed != taken {
		t.Errorf("%d messages are listed of %d that were taken", listed, taken)
	}
}

// uploadSilence sends a clip without a sound in it.
func uploadSilence(t *testing.T, i *instance.Instance, conversation string) *http.Response {
	t.Helper()
	clip := append([]byte("RIFF\xa4\x3e\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x80\x3e\x00\x00"), make([]byte, 16000)...)
	return askInstance(t, i, http.MethodPost, "/v1/conversations/"+conversation+"/messages", clip)
}

// askInstance makes a request, whose body is a clip if it has one.
func askInstance(t *testing.T, i *instance.Instance, method, path string, clip []byte) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, i.URL+path, bytes.NewReader(clip))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+i.Token)
	req.Header.Set("Content-Type", "audio/wav")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp
}
