package decode

import (
	"os"
	"testing"

	"hark/media/decode/confine"
)

// plain decodes for every test that sets nothing, so that this machine's
// confinement is checked once.
var plain = New(Config{})

func TestMain(m *testing.M) {
	confine.Main()
	os.Exit(m.Run())
}
