// Package terminal prints for people: tables, progress, and other people's text
// without what would steer a terminal.
package terminal

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"golang.org/x/sys/unix"
	"golang.org/x/text/width"
)

// WidthOf is how many columns the terminal has that f is; 0 where f is
// none, or one that takes no control sequences.
func WidthOf(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil || os.Getenv("TERM") == "dumb" {
		return 0
	}
	if size.Col == 0 {
		return 80 // it does not say
	}
	return int(size.Col)
}

// IsTerminal reports whether somebody may be looking at what f prints.
func IsTerminal(f *os.File) bool {
	_, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	return err == nil
}

// CanBold reports whether text for f may be printed bold (https://no-color.org).
func CanBold(f *os.File) bool { return os.Getenv("NO_COLOR") == "" && WidthOf(f) > 0 }

// Printable is a line of other people's text without what would steer the
// terminal: control characters are taken out, C1 ones too, and what reorders or
// breaks the line is.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r), r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return -1
		}
		return r
	}, s)
}

// PrintableLines is printable for text of several lines.
func PrintableLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = Printable(line)
	}
	return strings.Join(lines, "\n")
}

// columns is how many columns of a terminal printable text takes.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += columnsOf(r)
	}
	return n
}

func columnsOf(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case width.LookupRune(r).Kind() == width.EastAsianWide, width.LookupRune(r).Kind() == width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// fit is s cut or filled to n columns.
func fit(s string, n int) string {
	var b strings.Builder
	for _, r := range s {
		w := columnsOf(r)
		if w > n {
			break
		}
		b.WriteRune(r)
		n -= w
	}
	return b.String() + strings.Repeat(" ", n)
}

// Table prints rows in columns. What is in its cells may be other people's
// text.
type Table [][]string

// Add adds a row.
func (t *Table) Add(cells ...string) {
	for i, cell := range cells {
		cells[i] = Printable(cell)
	}
	*t = append(*t, cells)
}

// Print prints the rows, each as long as it needs to be.
func (t *Table) Print(w io.Writer) error {
	var widths []int
	for _, row := range *t {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], columns(cell))
		}
	}
	for _, row := range *t {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(fit(cell, widths[i]) + "  ")
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(line.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}
