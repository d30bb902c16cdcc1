package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"hark/cmd/hark/config"
)

func TestUnknownSettings(t *testing.T) {
	got := config.UnknownSettings(new(cli).parser().Model.Node, []string{
		"HARK_DATABSE_URL=postgres://hark:sesame@h/d", "HARK_OPENAI_KEY_FIEL=/run/secrets/key", "HARK_=",
		"HARK_DATA=/var/lib/hark", "HARK_URL=http://h", "HARK_S3_SECRET_KEY_FILE=/f", "HARK_NATS_URL=nats://h", "SHARK_X=1", "hark_data=x",
		"HARK_PORT=tcp://10.0.0.1:8080", "HARK_PORT_8080_TCP_ADDR=10.0.0.1", "HARK_SERVICE_HOST=10.0.0.1", "HARK_API_SERVICE_PORT_HTTP=80",
	})
	want := []config.UnknownSetting{
		{Name: "HARK_", Nearest: "HARK_URL"},
		{Name: "HARK_DATABSE_URL", Nearest: "HARK_DATABASE_URL"},
		{Name: "HARK_OPENAI_KEY_FIEL", Nearest: "HARK_OPENAI_KEY_FILE"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Every command tells of a setting that it does not know, and not its value.
func TestEveryCommandWarnsOfUnknownSettings(t *testing.T) {
	for _, args := range [][]string{{"version"}, {"user", "list"}, {"search", "word"}} {
		cmd := exec.CommandContext(t.Context(), harkBinary, args...)
		cmd.Env = []string{"HARK_DATA=" + t.TempDir(), "HARK_URL=http://127.0.0.1:1", "HARK_TOKEN=x", "HARK_DATABSE_URL=sesame"}
		out, _ := cmd.CombinedOutput() // some fail, for want of a Hark
		line := string(out)
		if !strings.Contains(line, "level=WARN") || !strings.Contains(line, "name=HARK_DATABSE_URL nearest=HARK_DATABASE_URL") || strings.Contains(line, "sesame") {
			t.Errorf("%v: %s", args, out)
		}
	}
}
