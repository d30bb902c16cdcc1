package transcript

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

var (
	vttTiming = regexp.MustCompile(`^(\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3}) --> (\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3})$`)
	vttStamp  = regexp.MustCompile(`<(\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3})>`)
	vttVoice  = regexp.MustCompile(`<v Channel [12]>([^<]|<\d[^<]*>)*</v>`)
	vttEntity = regexp.MustCompile(`&(amp|lt|gt);`)
)

// checkVTT is a validator for the part of WebVTT that we write (W3C WebVTT 1,
// section 4.1): comments, and cues without identifiers or settings whose text
// has escapes, timestamps and voice spans only.
func checkVTT(file string) error {
	if !utf8.ValidString(file) {
		return errors.New("not UTF-8")
	}
	if strings.ContainsAny(file, "\x00\r") {
		return errors.New("NUL or CR")
	}
	blocks := strings.Split(strings.TrimSuffix(file, "\n"), "\n\n")
	if blocks[0] != "WEBVTT" {
		return fmt.Errorf("starts with %q", blocks[0])
	}
	var last int64
	for _, block := range blocks[1:] {
		if strings.HasPrefix(block, "NOTE ") && !strings.Contains(block, "-->") {
			continue
		}
		timing, text, ok := strings.Cut(block, "\n")
		if !ok {
			return fmt.Errorf("cue without text: %q", block)
		}
		m := vttTiming.FindStringSubmatch(timing)
		if m == nil {
			return fmt.Errorf("bad timing %q", timing)
		}
		start, end := stampMS(m[1:5]), stampMS(m[5:9])
		if start < last || end <= start {
			return fmt.Errorf("cue out of order: %q", timing)
		}
		last = start
		if err := checkCueText(text, start, end); err != nil {
			return fmt.Errorf("cue at %d ms: %w", start, err)
		}
	}
	return nil
}

// checkCueText checks what follows a timing line.
func checkCueText(text string, start, end int64) error {
	for _, line := range strings.Split(text, "\n") {
		if strings.TrimSpace(line) == "" {
			return errors.New("empty line")
		}
	}
	for _, m := range vttStamp.FindAllStringSubmatch(text, -1) {
		at := stampMS(m[1:5])
		if at <= start || at >= end {
			return fmt.Errorf("timestamp %s does not follow", m[0])
		}
		start = at
	}
	text = vttVoice.ReplaceAllStringFunc(text, func(voice string) string {
		return voice[len("<v Channel 1>") : len(voice)-len("</v>")]
	})
	text = vttEntity.ReplaceAllString(vttStamp.ReplaceAllString(text, ""), "")
	if strings.ContainsAny(text, "<>&") {
		return fmt.Errorf("unescaped text %q", text)
	}
	return nil
}

func stampMS(hmsm []string) int64 {
	var n [4]int64
	for i, s := range hmsm {
		n[i], _ = strconv.ParseInt(s, 10, 64)
	}
	return (n[0]*3600+n[1]*60+n[2])*1000 + n[3]
}

// FuzzPrint prints transcripts made of anything at all, also such that break
// every invariant, and wants valid captions in order of time that lose no gap.
func FuzzPrint(f *testing.F) {
	f.Add("Hello, world.|--> <b>|a\n\nb", int64(0), int64(120), true, uint8(0))
	f.Add("WEBVTT|NOTE|\u202e\x00", int64(-5000), int64(-7), false, uint8(3))
	f.Add("x|y|z", int64(359_999_999), int64(0), true, uint8(8))
	f.Add("one two three|four five|six|seven eight nine", int64(10), int64(900), false, uint8(0xff))
	f.Fuzz(func(t *testing.T, text string, start, step int64, wordTimes bool, extra uint8) {
		if start > 1<<50 || step > 1<<30 || step < -(1<<30) || len(text) > 1<<12 {
			t.Skip("no clip is centuries long")
		}
		tr := Transcript{LanguageDoubt: extra&1 != 0}
		for i, s := range strings.Split(text, "|") {
			var words []Word
			for j, w := range strings.Split(s, " ") {
				at := start + step*int64(i+j)
				words = append(words, Word{Text: w, StartMS: at, EndMS: at + step/2})
				if extra&2 != 0 && j%3 == 1 {
					tr.Gaps = append(tr.Gaps, Gap{at, at + step*int64(extra>>4), []GapReason{NotDecoded, NotUnderstood, "odd"}[j/3%3]})
				}
			}
			tr.Segments = append(tr.Segments, Segment{StartMS: start, EndMS: start + step, Text: s, Words: words, Channel: i % 3 * int(extra>>2&1)})
		}
		checkPrinted(t, &tr, wordTimes)
	})
}

func checkPrinted(t *testing.T, tr *Transcript, wordTimes bool) {
	var vtt, srt, txt bytes.Buffer
	if err := WriteVTT(&vtt, tr, CaptionOptions{WordTimes: wordTimes}); err != nil {
		t.Fatal(err)
	}
	if err := checkVTT(vtt.String()); err != nil {
		t.Fatalf("%v in\n%q", err, vtt.String())
	}
	if err := errors.Join(WriteSRT(&srt, tr, CaptionOptions{}), WriteText(&txt, tr)); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(srt.String(), "\r\x00<") {
		t.Fatalf("srt lets through %q", srt.String())
	}
	if strings.ContainsAny(txt.String(), "\r\x00\u202e") {
		t.Fatalf("text lets through %q", txt.String())
	}
	if err := checkSRT(srt.String()); err != nil {
		t.Fatalf("%v in\n%q", err, srt.String())
	}
	gaps := Transcript{Gaps: tr.Gaps}
	gaps.AddGaps()
	for _, g := range gaps.Gaps {
		for form, printed := range map[string]*bytes.Buffer{"vtt": &vtt, "srt": &srt, "text": &txt} {
			if !strings.Contains(strings.ReplaceAll(printed.String(), "\n", " "), g.String()) {
				t.Fatalf("%s does without %s:\n%q", form, g, printed.String())
			}
		}
	}
}

var srtTiming = regexp.MustCompile(`(?m)^(\d{2,}):([0-5]\d):([0-5]\d),(\d{3}) --> (\d{2,}):([0-5]\d):([0-5]\d),(\d{3})$`)

// checkSRT wants captions that follow one another.
func checkSRT(file string) error {
	var last int64
	for _, m := range srtTiming.FindAllStringSubmatch(file, -1) {
		start, end := stampMS(m[1:5]), stampMS(m[5:9])
		if start < last || end <= start {
			return fmt.Errorf("caption overlaps the one before, or has no time: %s", m[0])
		}
		last = end
	}
	return nil
}
