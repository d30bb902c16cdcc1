package api

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"hark/api/intake"
	"hark/api/messages"
	"hark/api/proxy"
	"hark/media"
)

// frontHost is where the proxies listen, and callerHost where who asks them is:
// addresses of loopback that no other process uses.
var (
	frontHost  = fmt.Sprintf("127.83.%d.%d", os.Getpid()>>8&0xff, os.Getpid()&0xff)
	callerHost = fmt.Sprintf("127.84.%d.%d", os.Getpid()>>8&0xff, os.Getpid()&0xff)
)

const frontPort = "18083"

// proxies are the servers that the README shows, and how each is started with
// what stands there. %[1]s is a folder, %[2]s the host and %[3]s the port to
// listen on, %[4]s the README's block.
var proxies = map[string]struct {
	conf    string
	command []string // with the configuration's path at the end
}{
	"nginx": {nginxConf("server { listen %[2]s:%[3]s;\n%[4]s\n}"), []string{"nginx", "-p", "%[1]s", "-c"}},
	"caddy": {`{
	admin off
	auto_https off
	storage file_system %[1]s
}
http://:%[3]s {
	bind %[2]s
%[4]s
}
`, []string{"caddy", "run", "--adapter", "caddyfile", "--config"}},
	"apache": {`ServerRoot "%[1]s"
ServerName hark.test
Listen %[2]s:%[3]s
PidFile "%[1]s/pid"
ErrorLog /dev/stderr
DefaultRuntimeDir "%[1]s"
User www-data
Group www-data
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule alias_module /usr/lib/apache2/modules/mod_alias.so
LoadModule headers_module /usr/lib/apache2/modules/mod_headers.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
%[4]s
`, []string{"apache2", "-DFOREGROUND", "-f"}},
}

// nginxConf is what stands around the servers of an nginx.
func nginxConf(servers string) string {
	return `daemon off; master_process off; pid %[1]s/pid; error_log stderr;
events {}
http {
  access_log off; client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
` + servers + `
}`
}

// TestProxies sends, hears and follows through each server as the README sets
// it up.
func TestProxies(t *testing.T) {
	for name, p := range proxies {
		t.Run(name, func(t *testing.T) {
			h := newProxied(t, name, p.command[0], "http://hark.test/hark")
			shown := strings.ReplaceAll(inReadme(t, "", name), "127.0.0.1:8080", h.http.Listener.Addr().String())
			front := startFront(t, p.conf, p.command, shown)
			h.owner.through(front, "hark.test")
			h.owner.useProxy("/hark")
			h.owner.through(front, "evil.example")
			h.owner.get("/hark/v1/me").problem(421, "misdirected_request")
		})
	}
}

// newProxied is a Hark for a proxy in front of it. Without the proxy's program
// the test is skipped; nginx may not be missing in CI.
func newProxied(t *testing.T, name, program, publicURL string) *harness {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if name == "nginx" && os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("%s is not installed", program)
	}
	return newHarness(t, options{config: func(c *Config) {
		c.PublicURL = publicURL
		c.TrustedProxies, _ = proxy.ParseTrusted([]string{"127.0.0.1"})
		c.Intake = intake.Config{Limits: media.Limits{MaxBytes: 8 << 20, MaxDuration: 30 * time.Minute}}
	}})
}

// inReadme is the first block of a kind that the README shows, so far indented.
func inReadme(t *testing.T, indent, kind string) string {
	t.Helper()
	readme, err := os.ReadFile("../README.md")
	must(t, err)
	block := regexp.MustCompile("(?ms)^" + indent + "```" + kind + "\n(.*?)^" + indent + "```").FindSubmatch(readme)
	if block == nil {
		t.Fatal("the README does not show it")
	}
	return string(block[1])
}

// startFront runs a proxy until the test ends.
func startFront(t *testing.T, conf string, command []string, shown string) *http.Client {
	t.Helper()
	dir, err := os.MkdirTemp("", "hark-proxy-*") // its workers may be other users
	must(t, err)
	must(t, os.Chmod(dir, 0o755)) //nolint:gosec // as above
	path := filepath.Join(dir, "conf")
	must(t, os.WriteFile(path, fmt.Appendf(nil, conf, dir, frontHost, frontPort, shown), 0o644)) //nolint:gosec // as above
	args := []string{}
	for _, arg := range append(command[1:len(command):len(command)], path) {
		args = append(args, strings.ReplaceAll(arg, "%[1]s", dir))
	}
	cmd := exec.CommandContext(t.Context(), command[0], args...)
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	var said lockedBuffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // with its workers
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	must(t, cmd.Start())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	t.Cleanup(func() {
		<-ended // the test's context has
		_ = os.RemoveAll(dir)
		if t.Failed() {
			t.Logf("%s said:\n%s", command[0], said.String())
		}
	})
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(callerHost)}}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, "tcp", net.JoinHostPort(frontHost, frontPort))
	}
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		conn, err := dial(t.Context(), "", "")
		if err == nil {
			conn.Close()
			tick.Stop()
			break
		}
		select {
		case <-ended:
			t.Fatalf("%s ended: %s", command[0], said.String())
		case <-tick.C:
		}
	}
	transport := &http.Transport{DialContext: dial}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// through has c ask a proxy for a host.
func (c *client) through(front *http.Client, host string) {
	c.http = &http.Client{Transport: hostTransport{host: host, next: front.Transport}}
}

// useProxy is what people do behind a proxy, below a path of it.
func (c *client) useProxy(below string) {
	t := c.t
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	at := c.json("POST", below+"/v1/conversations", map[string]any{"title": "Behind"}).want(201).header.Get("Location")

	// Events come as they happen, and recordings that proxies find large.
	req, err := http.NewRequestWithContext(ctx, "GET", c.harness.http.URL+below+"/v1/events", nil)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+c.token)
	events, err := c.http.Do(req)
	must(t, err)
	defer events.Body.Close()
	lines := bufio.NewScanner(events.Body)
	until := func(wanted string) {
		for lines.Scan() {
			if strings.Contains(lines.Text(), wanted) {
				return
			}
		}
		t.Fatalf("no %q in the events: %v", wanted, lines.Err())
	}
	until("listening")
	clip := sine(2 * time.Minute)
	m := decode[messages.Message](c.send("POST", at+"/messages", bytes.NewReader(clip)).want(201))
	until("message.created")

	if a := c.get(m.Links.Self+"/audio", "Range", "bytes=-1000").want(206); !bytes.Equal(a.body, clip[len(clip)-1000:]) {
		t.Errorf("%d bytes of %s", len(a.body), a.header.Get("Content-Range"))
	}
	list := c.get(at+"/messages", "Accept-Encoding", "gzip").want(200)
	if !bytes.Contains(list.plain(), []byte(m.ID)) {
		t.Errorf("%v: %s", list.header, list.body)
	}
	c.get(at+"/messages", "If-None-Match", list.header.Get("Etag"), "Accept-Encoding", "gzip").want(304)
	if a := c.send("HEAD", m.Links.Self, nil).want(200); a.header.Get("Content-Length") == "" && a.header.Get("Transfer-Encoding") != "" {
		t.Errorf("%v", a.header)
	}
	c.get(below + "/").want(200)
	c.get(below).want(200)
	c.get(below + "/v1/me/").want(200)

	// Who asks is known, and who only says that they are another is not.
	c.get(below+"/v1/users", "X-Forwarded-For", "203.0.113.7", "Forwarded", "for=203.0.113.7;host=evil.example", "X-Forwarded-Host", "evil.example").want(200)
	if log := c.log.String(); !strings.Contains(log, `"remote":"`+callerHost+`"`) || strings.Contains(log, `"remote":"127.0.0.1"`) || strings.Contains(log, "203.0.113.7") {
		t.Error("the log does not hold who asked")
	}
}
