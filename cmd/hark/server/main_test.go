package server

import (
	"os"
	"testing"

	"hark/media/decode/confine"
)

func TestMain(m *testing.M) {
	confine.Main() // does not return in a confined child
	os.Exit(m.Run())
}
