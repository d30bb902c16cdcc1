package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"hark/cmd/hark/client"
	"hark/cmd/hark/terminal"
	"hark/transcribe/wer"
)

type casesCmd struct {
	config
	Parallel int    `default:"2" help:"How many are sent at once."`
	Dir      string `arg:"" type:"existingdir" help:"Folder of recordings and cases.jsonl: file, kind, text, errors, duration_ms, near, gaps, refused."`
}

// Run sends each case through a whole Hark and says what was wrong with it.
func (b *casesCmd) Run(ctx context.Context) error {
	cases, err := wer.ReadCases(b.Dir)
	if err != nil {
		return err
	}
	if len(cases) == 0 {
		return fmt.Errorf("no cases in %s", b.Dir)
	}
	// A length that a recording only declares must not be over what people have set.
	target, end, err := b.start(ctx, "HARK_MAX_DURATION=4h")
	if err != nil {
		return err
	}
	defer end()
	found, err := target.Judge(ctx, cases, b.Parallel)
	if err != nil {
		return err
	}
	out := terminal.Stdout()
	right := 0
	for i, c := range cases {
		result := "FAIL"
		if len(found[i]) == 0 {
			result = "pass"
			right++
		}
		line := fmt.Sprintf("%s  %-18s  %-26s  %s", result, c.Kind, filepath.Base(c.File), strings.Join(found[i], "; "))
		out.Printf("%s\n", strings.TrimRight(line, " "))
	}
	out.Printf("%d of %d\n", right, len(cases))
	if out.Err == nil && right < len(cases) {
		return fmt.Errorf("%d cases are not right", len(cases)-right)
	}
	return out.Err
}

// Judge sends cases, several at once, and returns what is wrong with each.
func (t Target) Judge(ctx context.Context, cases []wer.Case, parallel int) ([][]string, error) {
	wrong := make([][]string, len(cases))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(parallel, 1))
	for i, c := range cases {
		group.Go(func() (err error) {
			if wrong[i], err = t.judgeOne(ctx, c); err != nil {
				return fmt.Errorf("%s: %w", c.File, err)
			}
			return nil
		})
	}
	return wrong, group.Wait()
}

// judgeOne sends a case. An error says that the measurement failed, and not
// that the case did.
func (t Target) judgeOne(ctx context.Context, c wer.Case) ([]string, error) {
	msg, err := t.Client.Upload(ctx, t.Conversation.ID, c.File)
	if err == nil {
		msg, err = t.Client.Await(ctx, msg.ID)
	}
	var refused *client.Problem
	var failed *client.FailedError
	switch {
	case errors.As(err, &refused), errors.As(err, &failed):
		if c.Refused != "" && refused != nil && strings.Contains(err.Error(), c.Refused) {
			return nil, nil // while the sender is there, who can send something else
		}
		return []string{err.Error()}, nil
	case err != nil:
		return nil, err
	}
	heard, err := t.Client.Transcript(ctx, msg.ID)
	if err != nil {
		return nil, err
	}
	return c.Judge(msg.DurationMS, &heard), nil
}
