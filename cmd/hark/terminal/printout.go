package terminal

import (
	"fmt"
	"io"
	"os"
)

// printout writes a command's answer. It stops at the first write that fails
// and keeps the error, so that a full disk does not end with exit code 0.
type printout struct {
	w   io.Writer
	Err error // of the first write that failed
}

// Stdout prints on standard output.
func Stdout() *printout { return &printout{w: os.Stdout} }

// Printf prints, unless a write failed before.
func (p *printout) Printf(format string, args ...any) {
	if p.Err == nil {
		_, p.Err = fmt.Fprintf(p.w, format, args...)
	}
}

// PrintLine prints one line on standard output.
func PrintLine(text string) error {
	p := Stdout()
	p.Printf("%s\n", text)
	return p.Err
}
