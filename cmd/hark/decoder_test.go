package main

import (
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestDecoderIsTriedAtStart starts Hark with what is no ffmpeg, and with
// confinement that the machine does not give: both are refused at once, by the
// setting's name.
func TestDecoderIsTriedAtStart(t *testing.T) {
	needCommand(t, "unshare")
	needCommand(t, "setpriv")
	// A machine of its own without namespaces, in which nobody has any power.
	const without = `echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --bounding-set -all --inh-caps -all --no-new-privs "$0" serve`
	for name, c := range map[string]struct {
		args []string
		env  string
		want []string
	}{
		"no ffmpeg":       {[]string{harkBinary, "serve"}, "HARK_FFMPEG=/bin/true", []string{"HARK_FFMPEG", "not an ffmpeg"}},
		"not confined":    {[]string{"unshare", "-Ur", "sh", "-c", without, harkBinary}, "HARK_CONFINE=require", []string{"HARK_CONFINE", "without empty root, own processes, own network"}},
		"no such setting": {[]string{harkBinary, "serve"}, "HARK_CONFINE=maybe", []string{"auto", "require"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(within(t, time.Minute), c.args[0], c.args[1:]...)
			cmd.Env = []string{"PATH=/usr/bin:/bin:/usr/sbin:/sbin", "HARK_DATA=" + t.TempDir() + "/data", "HARK_ADDR=127.0.0.1:0", c.env}
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Fatalf("Hark ended well: %s", out)
			}
			for _, word := range c.want {
				if !strings.Contains(string(out), word) {
					t.Errorf("%q is not in %s", word, out)
				}
			}
		})
	}
}

// TestConfinementIsFull starts Hark where all walls are demanded, and asks it.
func TestConfinementIsFull(t *testing.T) {
	hark := serve(t, t.TempDir(), "HARK_CONFINE=require")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, hark.URL+"/readyz", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Parts map[string]struct{ Status string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Parts["decoding"].Status != "ok" {
		t.Errorf("%+v, %v", answer, err)
	}
}

// A node whose ffmpeg is of no use does not start, and names the setting.
func TestStartTriesFFmpeg(t *testing.T) {
	t.Parallel()
	ffmpeg, err := exec.LookPath("ffmpeg")
	need(t, err != nil, "ffmpeg is not installed; 'make setup-test' installs it")
	start := func(ffmpeg string) string {
		cmd := exec.CommandContext(within(t, 30*time.Second), harkBinary, "serve")
		cmd.Env = []string{
			"PATH=/usr/bin:/bin", "HARK_DATA=" + t.TempDir(), "HARK_ADDR=nowhere.invalid:1", "HARK_WEBRTC_UDP=off",
			"HARK_ENGINE=openai", "HARK_OPENAI_URL=http://127.0.0.1:1", "HARK_FFMPEG=" + ffmpeg,
		}
		out, err := cmd.CombinedOutput()
		if err == nil {
			t.Error("it started")
		}
		return string(out)
	}
	// This one gets as far as listening, where the test stops it.
	if out := start(ffmpeg); !strings.Contains(out, "ffmpeg check passed") || !strings.Contains(out, "HARK_ADDR") {
		t.Errorf("a good ffmpeg: %s", out)
	}
	if out := start("/bin/true"); !strings.Contains(out, "HARK_FFMPEG") || strings.Contains(out, "HARK_ADDR") {
		t.Errorf("no ffmpeg: %s", out)
	}
}
