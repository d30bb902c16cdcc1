package bench

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
	PromptSounds = "/usr/share/asterisk/sounds/en"
	promptWords  = "/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz"
)

type promptsCmd struct {
	config
	MinLength  int     `default:"90" help:"Characters of the shortest sentence taken into the folder."`
	MinSeconds float64 `help:"Length of the shortest prompt taken into the folder."`
	Text       bool    `help:"Without a folder: print what was said and what was heard where they differ."`
	JSON       string  `name:"json" placeholder:"FILE" help:"Without a folder: write what was heard of every prompt, and the words right by length, to a file."`
	FFmpeg     string  `name:"ffmpeg" env:"HARK_FFMPEG" default:"ffmpeg" help:"The ffmpeg that turns G.722 into WAV."`
	Dir        string  `arg:"" optional:"" help:"Folder to make. Without one, all prompts of any length are heard at once."`
}

// Run makes the folder, or hears all prompts and tells the words right by length.
func (b *promptsCmd) Run(ctx context.Context) error {
	if b.Dir != "" {
		n, err := b.write(ctx, b.Dir, b.MinLength, b.MinSeconds)
		if err == nil {
			fmt.Printf("%d prompts in %s\n", n, b.Dir)
		}
		return err
	}
	dir, err := os.MkdirTemp("", "hark-prompts-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if _, err := b.write(ctx, dir, 1, 0); err != nil {
		return err
	}
	clips, err := wer.ReadManifest(dir)
	if err != nil {
		return err
	}
	m, err := (&werCmd{config: b.config, Text: b.Text}).measure(ctx, clips, io.Discard)
	if err != nil {
		return err
	}
	if b.JSON != "" {
		if err := m.save(b.JSON); err != nil {
			return err
		}
	}
	return m.print(os.Stdout)
}

// write writes a WAV a prompt and the manifest, and returns how many.
func (b *promptsCmd) write(ctx context.Context, dir string, minLength int, minSeconds float64) (int, error) {
	prompts, err := installedPrompts(minLength, minSeconds)
	if err != nil {
		return 0, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	manifest, err := os.Create(filepath.Join(dir, wer.ManifestName))
	if err != nil {
		return 0, err
	}
	defer manifest.Close()
	lines := json.NewEncoder(manifest)
	for _, p := range prompts {
		name := strings.ReplaceAll(p.name, "/", "-") + ".wav"
		out, err := exec.CommandContext(ctx, b.FFmpeg, "-nostdin", "-v", "error", "-y", "-f", "g722", "-i", p.file(), filepath.Join(dir, name)).CombinedOutput()
		if err != nil {
			return 0, fmt.Errorf("convert %s: %w: %s", p.file(), err, out)
		}
		if err := lines.Encode(wer.Clip{File: name, Text: p.text, Source: "Asterisk core sounds, CC BY-SA"}); err != nil {
			return 0, err
		}
	}
	return len(prompts), manifest.Close()
}

type prompt struct {
	name string // path below the sounds folder, without ending
	text string
}

func (p prompt) file() string { return filepath.Join(PromptSounds, p.name+".g722") }

// g722Rate is G.722 in bytes a second.
const g722Rate = 8000

// installedPrompts are the prompts that are installed and long enough.
func installedPrompts(minLength int, minSeconds float64) ([]prompt, error) {
	f, err := os.Open(promptWords)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("the prompts are not installed: apt-get install asterisk-core-sounds-en asterisk-core-sounds-en-g722")
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", promptWords, err)
	}
	return ReadPrompts(text, minLength, minSeconds)
}

// Stage directions are in brackets: "(simple tone sound plays)".
var stageDirection = regexp.MustCompile(`\s*[(\[][^)\]]*[)\]]`)

// ReadPrompts reads lines of "name: words", leaving out comments, texts of
// less than minLength characters, and prompts whose sound is not installed or
// shorter than minSeconds.
func ReadPrompts(r io.Reader, minLength int, minSeconds float64) ([]prompt, error) {
	var prompts []prompt
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		name, text, found := strings.Cut(lines.Text(), ":")
		if !found || strings.HasPrefix(name, ";") {
			continue
		}
		p := prompt{name, strings.TrimSpace(stageDirection.ReplaceAllString(text, ""))}
		if len(p.text) < minLength {
			continue
		}
		if info, err := os.Stat(p.file()); err == nil && float64(info.Size()) >= minSeconds*g722Rate {
			prompts = append(prompts, p)
		}
	}
	return prompts, lines.Err()
}
