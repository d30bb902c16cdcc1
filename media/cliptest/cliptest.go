// Package cliptest makes, by script, clips of the kinds that are hard to hear
// or to read: what telephones, recorders, browsers and editors write, as their
// users report it. [Make] writes them into a folder and returns what is right
// for each.
//
// The speech is that of telephone prompts which Debian packages
// (asterisk-core-sounds-en-g722, CC BY-SA), so that every word is known; ffmpeg
// and sox encode it, and what no encoder would write (a length that lies, a
// granule position that was never counted) is written into the bytes here.
package cliptest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// Clip is a file and what is right for it.
type Clip struct {
	File    string        // its path
	Kind    string        // what is hard about it
	Text    string        // what is said, with " | " between two people, one a channel
	Errors  int           // most words that may be wrong
	Length  time.Duration // of its time; 0 where that is not judged
	Word    string        // a word that begins At; "" where that is not judged
	At      time.Duration
	Refused string // part of the sentence with which it is refused; "" where it is taken

	make func(*maker)
}

// Make writes all clips into dir, which exists.
func Make(ctx context.Context, dir string) ([]Clip, error) {
	v, err := loadVoices(ctx)
	if err != nil {
		return nil, err
	}
	clips := slices.Concat(repeated(v), oneWord(v), conditioning(v), channels(v), tracks(v), joined(v), declared(v), sniffing(v), codecs(v), times(v))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2)
	for i := range clips {
		c := &clips[i]
		m := &maker{ctx: ctx, out: filepath.Join(dir, c.File)}
		c.File = m.out
		group.Go(func() error {
			if c.make(m); m.err != nil {
				return fmt.Errorf("make %s: %w", c.File, m.err)
			}
			return nil
		})
	}
	return clips, group.Wait()
}

// maker makes one clip. After a failure it does nothing more.
type maker struct {
	ctx   context.Context //nolint:containedctx // lives as long as one call of Make
	out   string          // the file to make
	parts int             // made on the way
	err   error
}

func (m *maker) run(program string, args ...string) {
	if m.err != nil {
		return
	}
	if out, err := exec.CommandContext(m.ctx, program, args...).CombinedOutput(); err != nil {
		m.err = fmt.Errorf("%s %v: %w: %s", program, args, err, out)
	}
}

// ffmpeg makes a file.
func (m *maker) ffmpeg(file string, args ...string) {
	m.run("ffmpeg", slices.Concat([]string{"-nostdin", "-v", "error", "-y"}, args, []string{file})...)
}

// part is the path of a file that is made on the way, with that ending.
func (m *maker) part(ending string) string {
	m.parts++
	return fmt.Sprintf("%s.part%d.%s", m.out, m.parts, ending)
}

// encoded is a part that ffmpeg made of sound, as bytes.
func (m *maker) encoded(ending string, sound []float32, args ...string) []byte {
	file := m.part(ending)
	m.ffmpeg(file, slices.Concat([]string{"-i", m.wav(sound)}, args)...)
	return m.read(file)
}

// encode makes the clip of sound, a channel each, by ffmpeg.
func (m *maker) encode(sound [][]float32, args ...string) {
	m.ffmpeg(m.out, slices.Concat([]string{"-i", m.wav(sound...)}, args)...)
}

func (m *maker) read(file string) []byte {
	if m.err != nil {
		return nil
	}
	b, err := os.ReadFile(file)
	m.err = err
	return b
}

// write makes the clip of bytes.
func (m *maker) write(parts ...[]byte) {
	if m.err == nil {
		m.err = os.WriteFile(m.out, slices.Concat(parts...), 0o600)
	}
}

// wav is the path of a WAV with a channel for each sound.
func (m *maker) wav(sound ...[]float32) string {
	file := m.part("wav")
	if m.err == nil {
		m.err = os.WriteFile(file, wavBytes(sound...), 0o600)
	}
	return file
}
