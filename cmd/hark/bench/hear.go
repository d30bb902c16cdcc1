package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"hark/media/decode"
	"hark/media/opus"
	"hark/media/transcript"
	"hark/media/whip/whiptest"
	"hark/transcribe"
	"hark/transcribe/live"
)

// pcmSource is sound in memory as a recogniser reads it.
type pcmSource []float32

// ReadSamples implements transcribe.Source.
func (s *pcmSource) ReadSamples(p []float32) (int, error) {
	if len(*s) == 0 {
		return 0, io.EOF
	}
	n := copy(p, *s)
	*s = (*s)[n:]
	return n, nil
}

// hearFile transcribes a clip in this process.
func hearFile(ctx context.Context, d *decode.Decoder, engine transcribe.Engine, file string) (*transcript.Transcript, error) {
	var pcm pcmSource
	if err := appendClip(ctx, d, file, (*[]float32)(&pcm)); err != nil {
		return nil, err
	}
	return engine.Transcribe(ctx, &pcm, transcribe.Options{})
}

// speakFile transcribes an Ogg/Opus clip in this process while its packets come
// as from a microphone, in real time.
func speakFile(ctx context.Context, ears *live.Engine, file string) (*transcript.Transcript, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	packets, err := whiptest.ReadOgg(f)
	if err != nil {
		return nil, err
	}
	l, err := ears.Listen(live.Options{})
	if err != nil {
		return nil, err
	}
	defer l.Cancel()
	began, at := time.Now(), int64(0)
	for _, data := range packets {
		n, err := opus.Samples(data)
		if err != nil {
			return nil, err
		}
		p := opus.Packet{Position: at, Samples: n, Data: data}
		at = p.End()
		select {
		case <-time.After(time.Until(began.Add(time.Duration(at) * time.Second / opus.Rate))):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		l.Write(p)
	}
	result, err := l.Finish(ctx)
	if err != nil {
		return nil, err
	}
	if result.Poor {
		return nil, fmt.Errorf("the recogniser could not keep up; use a smaller --parallel")
	}
	return result.Transcript, nil
}
