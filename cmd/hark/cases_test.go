package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hark/cmd/hark/bench"
	"hark/media/cliptest"
	"hark/transcribe/wer"
)

// lengthOff is how far a message's length may be from the clip's: encoders pad,
// and lossy ones begin with silence.
const lengthOff = 250 * time.Millisecond

func caseOf(c cliptest.Clip) wer.Case {
	judged := wer.Case{File: c.File, Kind: c.Kind, Text: &c.Text, Errors: c.Errors, Refused: c.Refused}
	if c.Length > 0 {
		judged.DurationMS = &[2]int64{(c.Length - lengthOff).Milliseconds(), (c.Length + lengthOff).Milliseconds()}
	}
	if c.Word != "" {
		judged.Near = []wer.NearWord{{Word: c.Word, MS: c.At.Milliseconds()}}
	}
	return judged
}

// TestHardClips sends clips of all kinds that are hard to hear or to read.
func TestHardClips(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"ffmpeg", "sox"} {
		needCommand(t, program)
	}
	prompts, _ := filepath.Glob(filepath.Join(cliptest.Sounds, "*.g722"))
	need(t, prompts == nil, "no prompts in %s; 'make setup-test' installs them", cliptest.Sounds)
	ctx := within(t, 10*time.Minute)
	clips, err := cliptest.Make(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cases := make([]wer.Case, len(clips))
	for i, c := range clips {
		cases[i] = caseOf(c)
	}
	c := mustClient(t, serve(t, t.TempDir()))
	conv, err := c.FindConversation(ctx, "General")
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := bench.Target{Client: c, Conversation: conv}.Judge(ctx, cases, 2)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		t.Run(c.Kind+"/"+filepath.Base(c.File), func(t *testing.T) {
			if len(wrong[i]) > 0 {
				t.Error(strings.Join(wrong[i], "; "))
			}
		})
	}
}
