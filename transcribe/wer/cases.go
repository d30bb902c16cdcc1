package wer

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// CasesName is the file that lists the cases of a folder.
const CasesName = "cases.jsonl"

// Case is a recording that is hard to hear or to read, with what is right.
type Case struct {
	File       string     `json:"file"`                  // name within the folder
	Kind       string     `json:"kind"`                  // what is hard about it
	Text       *string    `json:"text,omitempty"`        // what is said, with " | " between two people, one a channel; nil: any words will do
	Errors     int        `json:"errors"`                // most words that may be wrong
	DurationMS *[2]int64  `json:"duration_ms,omitempty"` // least and most; nil: not judged
	Near       []NearWord `json:"near,omitempty"`        // words with their times
	Gaps       [][2]int64 `json:"gaps,omitempty"`        // start and end in milliseconds of stretches of which the transcript says that it lacks them
	Refused    string     `json:"refused,omitempty"`     // part of the sentence with which it is refused; empty: it is taken
	Note       string     `json:"note,omitempty"`        // for people; "'ask not' is near 8.3 s" is read as a Near
}

// NearWord is a word, or several in a row, with about the time at which they begin.
type NearWord struct {
	Word string `json:"word"`
	MS   int64  `json:"ms"`
}

// betweenPeople stands between the texts of two people.
const betweenPeople = " | "

// People are the texts of a case, one a person.
func (c Case) People() []string { return strings.Split(*c.Text, betweenPeople) }

// ReadCases reads the cases of a folder from its cases.jsonl: one JSON object a
// line. Each File of the result is checked to lie within the folder and joined
// with its path.
func ReadCases(dir string) ([]Case, error) {
	f, err := os.Open(filepath.Join(dir, CasesName))
	if err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	defer f.Close()
	cases, err := readLines(f, func(c *Case) string { return c.File })
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.Name(), err)
	}
	for i, c := range cases {
		cases[i].File = filepath.Join(dir, c.File)
		cases[i].Near = append(c.Near, noted(c.Note)...)
	}
	return cases, nil
}

var nearNote = regexp.MustCompile(`'([^']+)' is near ([0-9]+(?:\.[0-9]+)?) s\b`)

// noted reads the times of words that a note tells.
func noted(note string) []NearWord {
	var near []NearWord
	for _, m := range nearNote.FindAllStringSubmatch(note, -1) {
		if s, err := strconv.ParseFloat(m[2], 64); err == nil {
			near = append(near, NearWord{m[1], int64(s * 1000)})
		}
	}
	return near
}
