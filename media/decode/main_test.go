package decode

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	SandboxMain()
	probeMain()
	os.Exit(m.Run())
}
