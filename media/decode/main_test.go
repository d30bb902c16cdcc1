package decode

import (
	"os"
	"testing"
)

// plain decodes for every test that sets nothing, so that this machine's
// confinement is checked once.
var plain = New(Config{})

func TestMain(m *testing.M) {
	SandboxMain()
	helperMain()
	os.Exit(m.Run())
}
