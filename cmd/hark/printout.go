package main

import (
	"fmt"
	"io"
	"os"
)

// printout writes a command's answer. It stops at the first write that fails
// and keeps the error, so that a full disk does not end with exit code 0.
type printout struct {
	w   io.Writer
	err error // of the first write that failed
}

// onStdout prints on standard output.
func onStdout() *printout { return &printout{w: os.Stdout} }

func (p *printout) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

// printLine prints one line on standard output.
func printLine(text string) error {
	p := onStdout()
	p.printf("%s\n", text)
	return p.err
}
