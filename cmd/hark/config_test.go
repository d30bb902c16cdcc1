package main

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"hark/cmd/hark/bench"
	"hark/cmd/hark/config"
	"hark/media/whip"
)

var update = flag.Bool("update", false, "rewrite what is generated: the README's configuration table")

// TestReadmeConfiguration keeps the README's table of settings true.
func TestReadmeConfiguration(t *testing.T) {
	const readme, begin, end = "../../README.md", "<!-- settings -->\n", "<!-- /settings -->"
	b, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("the README has no marked table of settings")
	}
	want := before + begin + settingsTable(t) + end + after
	if want == string(b) {
		return
	}
	if !*update {
		t.Fatal("the README's table of settings is not what 'hark serve --help' says; run: go test -tags sqlite_fts5 ./cmd/hark -run TestReadmeConfiguration -update")
	}
	if err := os.WriteFile(readme, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestDeploymentNamesRealSettings keeps the files that deploy Hark from setting
// what no Hark reads.
func TestDeploymentNamesRealSettings(t *testing.T) {
	known := map[string]bool{}
	config.AddSettings(new(cli).parser().Model.Node, known)
	for _, file := range []string{"Dockerfile", "docker-compose.yml"} {
		b, err := os.ReadFile("../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`HARK_[A-Z0-9_]+`).FindAllString(string(b), -1) {
			if !known[name] {
				t.Errorf("%s sets %s, which is no setting", file, name)
			}
		}
	}
}

// settings are the flags of hark serve that a variable of the environment sets.
func settings(t *testing.T) []*kong.Flag {
	t.Helper()
	var flags []*kong.Flag
	for _, node := range new(cli).parser().Model.Children {
		if node.Name != "serve" {
			continue
		}
		for _, f := range node.Flags {
			if len(f.Envs) > 0 {
				flags = append(flags, f)
			}
		}
	}
	return flags
}

func settingsTable(t *testing.T) string {
	t.Helper()
	var table strings.Builder
	table.WriteString("| Variable | Default | What |\n|---|---|---|\n")
	for _, f := range settings(t) {
		value := ""
		if f.Default != "" {
			value = "`" + f.Default + "`"
		}
		help := strings.ReplaceAll(f.Help, "${enum}", strings.ReplaceAll(f.Enum, ",", ", "))
		if config.IsSecret(f) {
			help += " *(secret)*"
		} else if config.HasFile(f) {
			help += " *(may hold a secret)*"
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", f.Envs[0], value, help)
	}
	return table.String()
}

func TestConfigNamesEveryBadValue(t *testing.T) {
	parse := func(args ...string) (config.Config, error) {
		var c cli
		if _, err := c.parser().Parse(append([]string{"serve"}, args...)); err != nil {
			return config.Config{}, err
		}
		return c.Serve.Config, c.Serve.Resolve()
	}
	if _, err := parse(); err != nil {
		t.Errorf("the defaults are refused: %v", err)
	}
	cases := []struct {
		name string
		args []string
		want []string // every one must be named
	}{
		{"address", []string{"--addr=8080"}, []string{"HARK_ADDR"}},
		{"port", []string{"--addr=127.0.0.1:80800"}, []string{"HARK_ADDR"}},
		{"two at once", []string{"--addr=x", "--max-upload-bytes=0"}, []string{"HARK_ADDR", "HARK_MAX_UPLOAD_BYTES"}},
		{"short token", []string{"--bootstrap-token=secret"}, []string{"HARK_BOOTSTRAP_TOKEN"}},
		{"names that cannot be seen", []string{"--workspace-name=\u200b", "--owner-name=" + strings.Repeat("x", 81)}, []string{"HARK_WORKSPACE_NAME", "HARK_OWNER_NAME"}},
		{"no secret", []string{"--signing-key-file=/nowhere/secret"}, []string{"HARK_SIGNING_KEY_FILE", "/nowhere/secret"}},
		{"worker alone", []string{"--role=worker"}, []string{"HARK_DATABASE_URL", "HARK_S3_ENDPOINT", "HARK_NATS_URL"}},
		{"prefix that leads out", []string{"--s3-prefix=../x"}, []string{"HARK_S3_PREFIX"}},
		{"store with half a key", []string{"--s3-endpoint=http://127.0.0.1:1", "--s3-access-key=a"}, []string{"HARK_S3_SECRET_KEY"}},
		{"session token alone", []string{"--s3-session-token=t"}, []string{"HARK_S3_SESSION_TOKEN"}},
		{"store with a path", []string{"--s3-endpoint=https://s3.example.org/hark"}, []string{"HARK_S3_ENDPOINT", "HARK_S3_BUCKET"}},
		{"store with a query", []string{"--s3-endpoint=https://s3.example.org/?region=x"}, []string{"HARK_S3_ENDPOINT"}},
		{"store with keys in its address", []string{"--s3-endpoint=https://key:secret@s3.example.org"}, []string{"HARK_S3_ENDPOINT", "HARK_S3_ACCESS_KEY"}},
		{"store without a host", []string{"--s3-endpoint=https://"}, []string{"HARK_S3_ENDPOINT"}},
		{"unknown encryption", []string{"--s3-sse=ROT13"}, []string{"HARK_S3_SSE"}},
		{"too few connections", []string{"--database-conns=1"}, []string{"HARK_DATABASE_CONNS"}},
		{"strange database", []string{"--database-url=mysql://u:sesame@h/d"}, []string{"HARK_DATABASE_URL"}},
		{"remote engine without address", []string{"--engine=openai"}, []string{"HARK_OPENAI_URL"}},
		{
			"NATS",
			[]string{"--nats-prefix=a.b", "--nats-replicas=6", "--nats-max-bytes=5", "--nats-user=ada", "--nats-cert=c", "--nats-creds=f"},
			[]string{"HARK_NATS_PREFIX", "HARK_NATS_REPLICAS", "HARK_NATS_MAX_BYTES", "HARK_NATS_PASSWORD", "HARK_NATS_KEY", "HARK_NATS_CREDS", "HARK_NATS_URL"},
		},
		{"no places", []string{"--jobs=1"}, []string{"HARK_JOBS"}},
		{"no ffmpeg", []string{"--ffmpeg=/nowhere/ffmpeg"}, []string{"HARK_FFMPEG", "/nowhere/ffmpeg"}},
		{"live ports", []string{"--webrtc-udp=8189", "--webrtc-tcp=x"}, []string{"HARK_WEBRTC_UDP", "HARK_WEBRTC_TCP"}},
		{"public with a port", []string{"--webrtc-public=203.0.113.7:8189"}, []string{"HARK_WEBRTC_PUBLIC"}},
		{"TURN without a user", []string{"--ice-servers=turn:turn.example.org"}, []string{"HARK_ICE_SERVERS"}},
		{"TURN that is none", []string{"--ice-servers=turn:user:sesame@"}, []string{"HARK_ICE_SERVERS"}},
		{"no speakers", []string{"--webrtc-sessions=0", "--webrtc-user-sessions=0"}, []string{"HARK_WEBRTC_SESSIONS", "HARK_WEBRTC_USER_SESSIONS"}},
		{"no connections", []string{"--max-connections=0", "--max-connections-per-address=0"}, []string{"HARK_MAX_CONNECTIONS:", "HARK_MAX_CONNECTIONS_PER_ADDRESS"}},
		{"metrics", []string{"--metrics-addr=9090", "--metrics-token=short"}, []string{"HARK_METRICS_ADDR", "HARK_METRICS_TOKEN"}},
		{"captions from afar", []string{"--captions=on", "--engine=openai", "--openai-url=http://h"}, []string{"HARK_CAPTIONS"}},
		{"hosts that are none", []string{"--hosts=https://voice.example.org", "--trusted-proxies=nginx"}, []string{"HARK_HOSTS", "HARK_TRUSTED_PROXIES"}},
		{"origin with a path", []string{"--cors-origins=https://recorder.example.org/"}, []string{"HARK_CORS_ORIGINS"}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			_, err := parse(tc.args...)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not name %s", err, want)
				}
			}
			if strings.Contains(err.Error(), "sesame") {
				t.Errorf("%q tells a password", err)
			}
		})
	}
}

func TestICEServers(t *testing.T) {
	got, err := config.ParseICEServers([]string{"stun:stun.example.org:3478", "turn:ada:s%40me@turn.example.org:3478?transport=udp"}, false)
	if err != nil {
		t.Fatal(err)
	}
	want := []whip.ICEServer{
		{URLs: []string{"stun:stun.example.org:3478"}},
		{URLs: []string{"turn:turn.example.org:3478?transport=udp"}, Username: "ada", Credential: "s@me"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	got, err = config.ParseICEServers([]string{"turns:turn.example.org"}, true)
	if want := []whip.ICEServer{{URLs: []string{"turns:turn.example.org"}}}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("with a shared secret: %+v, %v", got, err)
	}
}

// Live recordings come in where HTTP does, unless it is said where.
func TestLivePortsBesideHTTP(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:8080": "127.0.0.1:8189", "[::1]:80": "[::1]:8189", ":8080": ":8189", "0.0.0.0:8080": "0.0.0.0:8189",
	} {
		c, err := parsed(t, "serve", "--addr="+addr, "--webrtc-tcp=off")
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Serve.Resolve(); err != nil {
			t.Fatal(err)
		}
		if c.Serve.Live.UDP != want || c.Serve.Live.TCP != config.Off {
			t.Errorf("beside %s: %s and %s", addr, c.Serve.Live.UDP, c.Serve.Live.TCP)
		}
	}
	c, err := parsed(t, "serve")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Serve.Resolve(); err != nil {
		t.Fatal(err)
	}
	if c.Serve.Live.UDP != "127.0.0.1:8189" || c.Serve.Live.TCP != "127.0.0.1:8189" {
		t.Errorf("by default: %s and %s", c.Serve.Live.UDP, c.Serve.Live.TCP)
	}
}

func TestReadPrompts(t *testing.T) {
	text := "; comment: no prompt\nno-such-prompt: " + strings.Repeat("word ", 30) + "\n"
	prompts, err := bench.ReadPrompts(strings.NewReader(text), 10, 0)
	if err != nil || len(prompts) != 0 {
		t.Errorf("a prompt without sound is taken: %v %v", prompts, err)
	}
}

func TestHighlight(t *testing.T) {
	cases := []struct {
		text  string
		marks [][2]int
		want  string
	}{
		{"the harbour wall", [][2]int{{4, 11}}, "the [harbour] wall"},
		{"grüß Gott 👋 da", [][2]int{{5, 9}, {12, 14}}, "grüß [Gott] 👋 [da]"},
		{"no marks", nil, "no marks"},
		{"lying marks", [][2]int{{5, 99}, {-1, 2}, {3, 3}}, "lying marks"},
		{"esc \x1b[31mape", [][2]int{{0, 3}}, "[esc] [31mape"},
	}
	for _, tc := range cases {
		if got := highlight(tc.text, tc.marks, false); got != tc.want {
			t.Errorf("highlight(%q, %v) = %q, want %q", tc.text, tc.marks, got, tc.want)
		}
	}
}
