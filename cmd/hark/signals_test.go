package main

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"hark/cmd/hark/instance"
)

// A terminal that is closed sends SIGHUP, often twice; it must not end Hark in
// the middle of something. Nor must a reader of its output that goes away.
func TestStopsInOrderWhenTheTerminalCloses(t *testing.T) {
	t.Parallel()
	hark := launch(t, instance.Config{
		Binary: harkBinary, Data: t.TempDir(), Env: []string{"HARK_MODELS=" + modelsFolder(t)},
		Wrap: []string{"env", "--default-signal=HUP"}, // who runs the tests may ignore it
	})
	t.Cleanup(hark.Kill)
	for range 2 {
		if err := hark.Cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	if err := hark.Cmd.Wait(); err != nil {
		t.Errorf("SIGHUP: %v", err)
	}
	log, err := os.ReadFile(hark.Log)
	if err != nil || !strings.Contains(string(log), "msg=stopping") {
		t.Errorf("no orderly stop in the log (%v):\n%s", err, log)
	}
}

func TestOutlivesItsReader(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), harkBinary, "serve")
	cmd.Env = append(os.Environ(), "HARK_DATA="+t.TempDir(), "HARK_MODELS="+modelsFolder(t), "HARK_ADDR=127.0.0.1:0", "HARK_WEBRTC_UDP=off", "HARK_LOG_LEVEL=debug")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	for lines.Scan() && !strings.Contains(lines.Text(), "msg=serving") {
	}
	stdout.Close()
	stderr.Close()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil { // it logs that it stops, to nobody
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ended by %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Error("it did not stop")
	}
}
