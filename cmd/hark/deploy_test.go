package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

func readDeployment(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// longestStop is how long a Hark takes to stop by default, its engines too.
func longestStop(t *testing.T) time.Duration {
	t.Helper()
	c, err := parsed(t, "serve")
	if err != nil {
		t.Fatal(err)
	}
	return c.Serve.ShutdownGrace + 10*time.Second
}

// TestCompose holds what docker-compose.yml promises: no password that is known
// to all, services that may do nothing but their work, versions that are exact,
// and time to stop in order.
func TestCompose(t *testing.T) {
	compose := readDeployment(t, "../../docker-compose.yml")
	for _, m := range regexp.MustCompile(`(?m)^\s+(\S*(?:PASSWORD|SECRET_KEY|NATS_TOKEN)): (.*)$`).FindAllStringSubmatch(compose, -1) {
		if !strings.HasPrefix(m[2], "${") || !strings.Contains(m[2], ":?") {
			t.Errorf("%s has a value that was not asked for: %s", m[1], m[2])
		}
	}
	_, services, _ := strings.Cut(compose, "\nservices:\n")
	services, _, _ = strings.Cut(services, "\nnetworks:\n")
	all := regexp.MustCompile(`(?m)^  [a-z0-9]+:\n(?:    .*\n|\n|  #.*\n)+`).FindAllString(services, -1)
	if len(all) != 5 {
		t.Errorf("%d services are found", len(all))
	}
	for _, service := range all {
		if !strings.Contains(service, "<<: *confined") && !strings.Contains(service, "<<: *hark\n") {
			t.Errorf("it is not confined:\n%s", service)
		}
	}
	for _, image := range regexp.MustCompile(`(?m)^    image: (.*)$`).FindAllStringSubmatch(services, -1) {
		if !regexp.MustCompile(`:v?\d+\.\d+(\.\d+)?(-[a-z]+)?$|@sha256:`).MatchString(image[1]) {
			t.Errorf("%s names no exact version", image[1])
		}
	}
	grace := regexp.MustCompile(`(?s)x-hark:.*?stop_grace_period: (\S+)`).FindStringSubmatch(compose)
	if d, err := time.ParseDuration(grace[1]); err != nil || d < longestStop(t) {
		t.Errorf("Hark is killed after %s (%v), and may take %s to stop", grace[1], err, longestStop(t))
	}
}

// TestSystemdUnit has systemd read the unit, and holds that there is time to
// stop in order.
func TestSystemdUnit(t *testing.T) {
	needCommand(t, "systemd-analyze")
	unit := readDeployment(t, "hark.service")
	for _, want := range []string{"StateDirectoryMode=0700", "UMask=0077", "KillMode=mixed", "NoNewPrivileges=yes"} {
		if !strings.Contains(unit, "\n"+want+"\n") {
			t.Errorf("there is no %s", want)
		}
	}
	stop := regexp.MustCompile(`TimeoutStopSec=(\d+)`).FindStringSubmatch(unit)
	if s, err := strconv.Atoi(stop[1]); err != nil || time.Duration(s)*time.Second < longestStop(t) {
		t.Errorf("Hark is killed after %s s (%v), and may take %s to stop", stop[1], err, longestStop(t))
	}
	// Here the program is somewhere else, and there is no user hark.
	unit = strings.NewReplacer("/usr/local/bin/hark", harkBinary, "User=hark", "User=daemon", "Group=hark\n", "").Replace(unit)
	path := filepath.Join(t.TempDir(), "hark.service")
	if err := os.WriteFile(path, []byte(unit), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", "--man=no", "--recursive-errors=no", path).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("systemd does not take the unit: %v\n%s", err, out)
	}
}
