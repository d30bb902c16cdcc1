package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"unicode"

	"hark/cmd/hark/terminal"
)

// printID prints what was done away with, for programs: people know it already.
func printID(id string, asJSON bool) error {
	if asJSON {
		return printJSON(map[string]string{"id": id})
	}
	return nil
}

// printJSON prints a value to standard output. What would steer a terminal, and
// may stand raw in JSON, is escaped.
func printJSON(v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	var out strings.Builder
	for _, r := range b.String() {
		if r != '\n' && (unicode.IsControl(r) || terminal.Printable(string(r)) == "") {
			fmt.Fprintf(&out, `\u%04x`, r)
			continue
		}
		out.WriteRune(r)
	}
	_, err := os.Stdout.WriteString(out.String())
	return err
}
