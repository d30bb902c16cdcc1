package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"hark/transcribe/wer"
)

// Where Debian's packages asterisk-core-sounds-en and -en-g722 put the prompts
// and their words.
const (
	promptSounds = "/usr/share/asterisk/sounds/en"
	promptWords  = "/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz"
)

type benchPromptsCmd struct {
	MinLength int    `default:"90" help:"Characters of the shortest sentence taken."`
	FFmpeg    string `name:"ffmpeg" env:"HARK_FFMPEG" default:"ffmpeg" help:"The ffmpeg that turns G.722 into WAV."`
	Dir       string `arg:"" help:"Folder to make."`
}

// Run writes a WAV a prompt and the manifest.
func (b *benchPromptsCmd) Run(ctx context.Context) error {
	f, err := os.Open(promptWords)
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("the prompts are not installed: apt-get install asterisk-core-sounds-en asterisk-core-sounds-en-g722")
	}
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("read %s: %w", promptWords, err)
	}
	prompts, err := readPrompts(text, b.MinLength)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(b.Dir, 0o755); err != nil {
		return err
	}
	manifest, err := os.Create(filepath.Join(b.Dir, wer.ManifestName))
	if err != nil {
		return err
	}
	defer manifest.Close()
	lines := json.NewEncoder(manifest)
	for _, p := range prompts {
		name := strings.ReplaceAll(p.name, "/", "-") + ".wav"
		source := filepath.Join(promptSounds, p.name+".g722")
		out, err := exec.CommandContext(ctx, b.FFmpeg, "-nostdin", "-v", "error", "-y", "-f", "g722", "-i", source, filepath.Join(b.Dir, name)).CombinedOutput()
		if err != nil {
			return fmt.Errorf("convert %s: %w: %s", source, err, out)
		}
		if err := lines.Encode(wer.Clip{File: name, Text: p.text, Source: "Asterisk core sounds, CC BY-SA"}); err != nil {
			return err
		}
	}
	fmt.Printf("%d prompts in %s\n", len(prompts), b.Dir)
	return manifest.Close()
}

type prompt struct {
	name string // path below the sounds folder, without ending
	text string
}

// Stage directions are in brackets: "(simple tone sound plays)".
var stageDirection = regexp.MustCompile(`\s*[(\[][^)\]]*[)\]]`)

// readPrompts reads lines of "name: words", leaving out comments, texts of
// less than minLength characters, and prompts whose sound is not installed.
func readPrompts(r io.Reader, minLength int) ([]prompt, error) {
	var prompts []prompt
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		name, text, found := strings.Cut(lines.Text(), ":")
		if !found || strings.HasPrefix(name, ";") {
			continue
		}
		text = strings.TrimSpace(stageDirection.ReplaceAllString(text, ""))
		if len(text) < minLength {
			continue
		}
		if _, err := os.Stat(filepath.Join(promptSounds, name+".g722")); err == nil {
			prompts = append(prompts, prompt{name, text})
		}
	}
	return prompts, lines.Err()
}
