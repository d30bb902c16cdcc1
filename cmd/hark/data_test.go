package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"hark/cmd/hark/bench"
	"hark/cmd/hark/config"
	"hark/cmd/hark/instance"
	"hark/cmd/hark/server"
	"hark/media"
)

// quiet are settings of an instance that loads no model.
var quiet = []string{"HARK_ENGINE=openai", "HARK_OPENAI_URL=http://127.0.0.1:1", "HARK_WEBRTC_UDP=off"}

// TestDataFolderIsItsOwners starts over a folder that others may read, made
// beforehand with a database of an earlier version that holds the keys, by a
// user whose umask lets everybody read: nothing in it is anybody else's when
// Hark has worked in it, and the keys that others could read sign no address.
func TestDataFolderIsItsOwners(t *testing.T) {
	data := t.TempDir()
	leaked := oldInstallation(t, data)
	umask := []string{"sh", "-c", `umask 022; exec "$@"`, "sh"}
	hark := launch(t, instance.Config{Binary: harkBinary, Data: data, Env: quiet, Wrap: umask})
	t.Cleanup(hark.Kill)
	c := mustClient(t, hark)
	ctx := within(t, time.Minute)
	conv, err := c.FindConversation(ctx, "General")
	if err != nil {
		t.Fatal(err)
	}
	msg, err := c.Upload(ctx, conv.ID, silence(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	noneWider(t, data)

	const tenYears = 10 * 365 * 24 * time.Hour
	key := keyOf(t, data)
	for _, forged := range []struct {
		by     string
		key    []byte
		life   time.Duration
		status int
	}{
		{"the key that others could read", leaked, time.Minute, http.StatusUnauthorized},
		{"the key, for ten years", key, tenYears, http.StatusUnauthorized},
		{"the key, for a minute", key, time.Minute, http.StatusOK}, // or nothing is shown by the others
	} {
		if got := hear(ctx, t, hark, msg.ID, forged.key, forged.life); got != forged.status {
			t.Errorf("an address signed by %s is answered %d, want %d", forged.by, got, forged.status)
		}
	}
	logged(t, hark, "others could read the database")

	if err := hark.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(data, config.KeysName)); err != nil {
		t.Fatal(err)
	}
	hark = launch(t, instance.Config{Binary: harkBinary, Data: data, Env: quiet, Wrap: umask})
	t.Cleanup(hark.Kill)
	logged(t, hark, "the key file is gone")
	if got := hear(ctx, t, hark, msg.ID, key, time.Minute); got != http.StatusUnauthorized {
		t.Errorf("with the key file lost, an earlier address is answered %d", got)
	}
	if got := hear(ctx, t, hark, msg.ID, keyOf(t, data), time.Minute); got != http.StatusOK {
		t.Errorf("with a new key file, an address is answered %d", got)
	}
	if _, err := mustClient(t, hark).FindConversation(ctx, "General"); err != nil {
		t.Errorf("with the key file lost, a token: %v", err)
	}
	noneWider(t, data)
}

// TestSigningKeyFile has the keys made of the operator's secret, as every node
// of a Hark makes them.
func TestSigningKeyFile(t *testing.T) {
	data := t.TempDir()
	secret := strings.Repeat("s", 32)
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	hark := launch(t, instance.Config{Binary: harkBinary, Data: data, Env: append(quiet, "HARK_SIGNING_KEY_FILE="+file)})
	t.Cleanup(hark.Kill)
	ctx := within(t, time.Minute)
	c := mustClient(t, hark)
	conv, err := c.FindConversation(ctx, "General")
	if err != nil {
		t.Fatal(err)
	}
	msg, err := c.Upload(ctx, conv.ID, silence(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	if got := hear(ctx, t, hark, msg.ID, mac([]byte(secret), "hark key api signing key"), time.Minute); got != http.StatusOK {
		t.Errorf("an address signed by another node is answered %d", got)
	}
	if _, err := os.Stat(filepath.Join(data, config.KeysName)); !os.IsNotExist(err) {
		t.Errorf("there is a key file beside it: %v", err)
	}
}

// oldInstallation fills a data folder as an earlier version left it under an
// umask of 022, and returns the signing key in its database.
func oldInstallation(t *testing.T, data string) []byte {
	t.Helper()
	db, err := server.OpenRecords(t.Context(), &config.DatabaseConfig{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	key, err := db.SigningKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(data, "live"), 0o755); err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]fs.FileMode{"": 0o755, "hark.db": 0o644, "live": 0o755} {
		if err := os.Chmod(filepath.Join(data, path), mode); err != nil {
			t.Fatal(err)
		}
	}
	return key
}

// noneWider looks for files and folders that are not their owner's alone.
func noneWider(t *testing.T, data string) {
	t.Helper()
	seen := 0
	err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return ignoreMissing(err)
		}
		info, err := d.Info()
		if err != nil {
			return ignoreMissing(err)
		}
		seen++
		if info.Mode().Perm()&^0o600 != 0 && !info.IsDir() || info.Mode().Perm()&^0o700 != 0 {
			t.Errorf("%s has mode %04o", path, info.Mode().Perm())
		}
		return nil
	})
	if err != nil || seen < 20 {
		t.Errorf("%d files seen, %v", seen, err)
	}
}

// ignoreMissing forgets that a file was removed while it was looked for.
func ignoreMissing(err error) error {
	if os.IsNotExist(err) {
		return nil
	}
	return err
}

// keyOf reads the signing key in a data folder's key file.
func keyOf(t *testing.T, data string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(data, config.KeysName))
	if err != nil {
		t.Fatal(err)
	}
	var found map[string]string
	if err := json.Unmarshal(text, &found); err != nil {
		t.Fatal(err)
	}
	key, err := hex.DecodeString(found["api signing key"])
	if err != nil || len(key) != 32 {
		t.Fatalf("the signing key is %q, %v", found["api signing key"], err)
	}
	return key
}

// hear asks for a message's sound by an address that is signed with key, and
// returns the status of the answer.
func hear(ctx context.Context, t *testing.T, hark *instance.Instance, messageID string, key []byte, life time.Duration) int {
	t.Helper()
	c := mustClient(t, hark)
	var tokens struct {
		Items []struct {
			ID      string `json:"id"`
			Current bool   `json:"current"`
		} `json:"items"`
	}
	if err := c.Get(ctx, "/tokens", nil, &tokens); err != nil {
		t.Fatal(err)
	}
	as := ""
	for _, token := range tokens.Items {
		if token.Current {
			as = token.ID
		}
	}
	expires := strconv.FormatInt(time.Now().Add(life).Unix(), 10)
	var signed strings.Builder
	for _, part := range []string{"hark audio 3", messageID, "original", "", expires, as} {
		fmt.Fprintf(&signed, "%d:%s,", len(part), part)
	}
	query := url.Values{
		"format": {"original"}, "expires": {expires}, "as": {as},
		"signature": {base64.RawURLEncoding.EncodeToString(mac(mac(key, "hark audio addresses"), signed.String()))},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Base+"/messages/"+messageID+"/audio?"+query.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// logged looks for words in an instance's log.
func logged(t *testing.T, hark *instance.Instance, words string) {
	t.Helper()
	log, err := os.ReadFile(hark.Log)
	if err != nil || !strings.Contains(string(log), words) {
		t.Errorf("the log does not say %q: %v", words, err)
	}
}

// silence makes a WAV file of so many seconds.
func silence(t *testing.T, seconds int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "silence.wav")
	if err := bench.WriteWAV(path, int64(seconds)*media.SampleRate, func(int64) float64 { return 0 }); err != nil {
		t.Fatal(err)
	}
	return path
}
