package main

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"strconv"
	"strings"

	"hark/cmd/hark/client"
	"hark/cmd/hark/config"
	"hark/cmd/hark/terminal"
)

type searchCmd struct {
	config.ClientConfig
	Conversation string   `short:"c" placeholder:"ID|TITLE" help:"Search one conversation only."`
	Limit        int      `short:"n" default:"20" help:"Hits to print."`
	Sort         string   `enum:"relevance,newest" default:"relevance" help:"Order of hits (${enum})."`
	JSON         bool     `name:"json" help:"Print the answer as GET /v1/search gives it, and nothing else."`
	Words        []string `arg:"" help:"Words; \"a phrase\"; prefix*; -without (after --)."`
}

// searchAnswer is what the terminal shows of an answer to a search.
type searchAnswer struct {
	Hits []struct {
		Message client.Message `json:"message"`
		Snippet struct {
			Text  string `json:"text"`
			Marks []struct {
				Start int `json:"start"`
				End   int `json:"end"`
			} `json:"marks"`
		} `json:"snippet"`
		StartMS int64 `json:"start_ms"`
	} `json:"hits"`
	Total     int    `json:"total"`
	Capped    bool   `json:"total_is_capped"`
	Corrected string `json:"corrected"`

	whole json.RawMessage // as the API has it
}

// Help is what 'hark search --help' says beside its flags.
func (searchCmd) Help() string {
	return "Exit codes: 0 found, 1 nothing found, 2 failed or asked wrongly, 130 interrupted."
}

// Run prints each hit with its place, its author and its snippet.
func (s *searchCmd) Run(ctx context.Context) error {
	answer, err := s.ask(ctx)
	if err != nil {
		return &codedError{exitUsage, err}
	}
	if s.JSON {
		err = printJSON(answer.whole)
	} else {
		err = s.print(answer)
	}
	if err != nil {
		return &codedError{exitUsage, err}
	}
	if len(answer.Hits) == 0 {
		return &codedError{code: exitFailed}
	}
	return nil
}

func (s *searchCmd) ask(ctx context.Context) (answer searchAnswer, err error) {
	c, err := s.Open()
	if err != nil {
		return answer, err
	}
	query := url.Values{"q": {strings.Join(s.Words, " ")}, "limit": {strconv.Itoa(s.Limit)}, "sort": {s.Sort}}
	if s.Conversation != "" {
		conv, err := c.FindConversation(ctx, s.Conversation)
		if err != nil {
			return answer, err
		}
		query.Set("conversation", conv.ID)
	}
	if err := c.Get(ctx, "/search", query, &answer.whole); err != nil {
		return answer, err
	}
	return answer, json.Unmarshal(answer.whole, &answer)
}

func (s *searchCmd) print(answer searchAnswer) error {
	out := terminal.Stdout()
	if answer.Corrected != "" {
		out.Printf("Nothing has %q; searched for %q instead.\n", strings.Join(s.Words, " "), answer.Corrected)
	}
	bold := terminal.CanBold(os.Stdout)
	for _, hit := range answer.Hits {
		var marks [][2]int
		for _, m := range hit.Snippet.Marks {
			marks = append(marks, [2]int{m.Start, m.End})
		}
		out.Printf("%s at %s  %s, %s\n    %s\n", hit.Message.ID, clock(hit.StartMS), terminal.Printable(hit.Message.Author.Name),
			hit.Message.RecordedAt.Local().Format("2 Jan 2006 15:04"), highlight(hit.Snippet.Text, marks, bold))
	}
	more := ""
	if answer.Capped {
		more = " or more"
	}
	out.Printf("%d%s found\n", answer.Total, more)
	return out.Err
}

// highlight marks the half-open code point ranges of text, which are ordered
// and do not overlap: bold on a terminal, in brackets elsewhere.
func highlight(text string, marks [][2]int, bold bool) string {
	open, end := "[", "]"
	if bold {
		open, end = "\x1b[1m", "\x1b[0m"
	}
	runes := []rune(text)
	var b strings.Builder
	at := 0
	for _, m := range marks {
		if m[0] < at || m[1] > len(runes) || m[0] >= m[1] {
			continue
		}
		b.WriteString(terminal.Printable(string(runes[at:m[0]])))
		b.WriteString(open + terminal.Printable(string(runes[m[0]:m[1]])) + end)
		at = m[1]
	}
	b.WriteString(terminal.Printable(string(runes[at:])))
	return b.String()
}
