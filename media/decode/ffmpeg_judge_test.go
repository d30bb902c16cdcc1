package decode

import (
	"os/exec"
	"testing"

	"hark/media"
)

// TestRuntimeThatDied keeps a machine short of memory from being taken for a
// damaged clip.
func TestRuntimeThatDied(t *testing.T) {
	died := exec.CommandContext(t.Context(), "sh", "-c", "exit 2").Run()
	_, err := judge(died, "runtime: failed to create new OS thread\nfatal error: newosproc", false)
	if _, refused := media.AsRefusal(err); err == nil || refused {
		t.Errorf("got %v", err)
	}
}
