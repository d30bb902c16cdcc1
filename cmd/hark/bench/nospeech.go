package bench

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"hark/media"
	"hark/media/decode"
	"hark/media/transcript"
)

type noSpeechCmd struct {
	config
	Minutes int      `default:"60" help:"Length of each clip."`
	Seed    uint64   `default:"1" help:"Seed of the noise."`
	Kinds   []string `placeholder:"KIND" help:"Only these kinds of sound, such as rumble,music."`
	Music   string   `default:"/usr/share/asterisk/moh" placeholder:"DIR" help:"Folder of music without singing, if there is one; Debian packages asterisk-moh-opsound-wav."`
	FFmpeg  string   `name:"ffmpeg" env:"HARK_FFMPEG" default:"ffmpeg" help:"The ffmpeg to decode the music with."`
}

// Run sends an hour of each kind of sound in which nobody speaks. Words are
// invented; a gap says that somebody spoke.
func (b *noSpeechCmd) Run(ctx context.Context) error {
	kinds := soundsWithoutSpeech(b.Seed)
	music, err := b.music(ctx)
	if err != nil {
		return err
	}
	if len(music) > 0 {
		kinds = append(kinds, namedSound{"music", func(i int64) float64 { return float64(music[i%int64(len(music))]) }})
	}
	if len(b.Kinds) > 0 {
		kinds = slices.DeleteFunc(kinds, func(k namedSound) bool { return !slices.Contains(b.Kinds, k.name) })
	}
	if len(kinds) == 0 {
		return fmt.Errorf("no kind of sound is called so: %q", b.Kinds)
	}
	target, end, err := b.start(ctx)
	if err != nil {
		return err
	}
	defer end()
	dir, err := os.MkdirTemp("", "hark-no-speech-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	invented := 0
	for _, kind := range kinds {
		file := filepath.Join(dir, "clip.wav")
		if err := WriteWAV(file, int64(b.Minutes)*60*media.SampleRate, kind.sound); err != nil {
			return err
		}
		msg, err := target.Client.Upload(ctx, target.Conversation.ID, file)
		if err != nil {
			return err
		}
		if _, err = target.Client.Await(ctx, msg.ID); err != nil {
			return err
		}
		heard, err := target.Client.Transcript(ctx, msg.ID)
		if err != nil {
			return err
		}
		words := len(heard.Words())
		invented += words
		fmt.Printf("%-14s %d min: %d words, %d gaps not understood %.200s\n", kind.name, b.Minutes, words, notUnderstood(heard), heard.Text())
	}
	if invented > 0 {
		return fmt.Errorf("%d words were invented", invented)
	}
	return nil
}

// notUnderstood counts the stretches in which somebody is said to speak.
func notUnderstood(t transcript.Transcript) int {
	n := 0
	for _, g := range t.Gaps {
		if g.Reason == transcript.NotUnderstood {
			n++
		}
	}
	return n
}

// music is all music of the folder in one; none when there is no folder.
func (b *noSpeechCmd) music(ctx context.Context) ([]float32, error) {
	files, err := os.ReadDir(b.Music)
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(os.Stderr, "no music in %s\n", b.Music)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	decoder := decode.New(decode.Config{FFmpeg: b.FFmpeg, Logger: slog.New(slog.DiscardHandler)})
	var pcm []float32
	for _, f := range files {
		if f.IsDir() {
			continue
		}
		path := filepath.Join(b.Music, f.Name())
		if err := appendClip(ctx, decoder, path, &pcm); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return pcm, nil
}
