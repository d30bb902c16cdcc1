package live

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/thesyncim/gopus"
	"go.uber.org/goleak"

	"hark/media"
	"hark/media/opus"
	"hark/transcribe"
	"hark/transcribe/sherpa"
)

// missing fails in CI, where everything must be there, and skips elsewhere.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

var shared struct {
	once   sync.Once
	engine *sherpa.Engine
	err    error
}

// recogniser returns the engine with the default model that the tests share:
// loading it takes a second.
func recogniser(t testing.TB) *sherpa.Engine {
	t.Helper()
	dir := os.Getenv("HARK_MODELS")
	if dir == "" {
		missing(t, "HARK_MODELS does not name a folder with models")
	}
	shared.once.Do(func() {
		shared.engine, shared.err = sherpa.Open(sherpa.Config{Models: dir, Model: os.Getenv("HARK_MODEL")})
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.engine
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.engine != nil {
		_ = shared.engine.Close()
	}
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// prompt is a telephone prompt that Debian's asterisk-core-sounds-en-g722
// installs, decoded.
func prompt(t testing.TB, name string) []float32 {
	t.Helper()
	path := filepath.Join("/usr/share/asterisk/sounds/en", name+".g722")
	if _, err := os.Stat(path); err != nil {
		missing(t, "asterisk-core-sounds-en-g722 is not installed")
	}
	return decoded(t, "-f", "g722", "-i", path)
}

// decoded decodes what ffmpeg's arguments name.
func decoded(t testing.TB, args ...string) []float32 {
	t.Helper()
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		missing(t, "ffmpeg is not installed")
	}
	args = append([]string{"-v", "error", "-nostdin"}, args...)
	pcm, err := exec.CommandContext(t.Context(), ffmpeg, append(args, "-f", "s16le", "-ac", "1", "-ar", "16000", "-")...).Output()
	if err != nil {
		t.Fatal(err)
	}
	ints := make([]int16, len(pcm)/2)
	if err := binary.Read(bytes.NewReader(pcm), binary.LittleEndian, ints); err != nil {
		t.Fatal(err)
	}
	samples := make([]float32, len(ints))
	for i, v := range ints {
		samples[i] = float32(v) / 32768
	}
	return samples
}

// encoded is sound as a browser sends it: packets of 20 ms, with in-band FEC.
func encoded(t testing.TB, samples []float32) []opus.Packet {
	t.Helper()
	const frame = media.SampleRate / 50
	encoder, err := gopus.NewEncoder(gopus.EncoderConfig{SampleRate: media.SampleRate, Channels: 1, Application: gopus.ApplicationVoIP})
	if err != nil {
		t.Fatal(err)
	}
	if err := encoder.SetBitrate(32_000); err != nil {
		t.Fatal(err)
	}
	if err := encoder.SetFrameSize(frame); err != nil {
		t.Fatal(err)
	}
	encoder.SetFEC(true)
	_ = encoder.SetPacketLoss(5)
	var packets []opus.Packet
	for at := 0; at < len(samples); at += frame {
		pcm := make([]float32, frame)
		copy(pcm, samples[at:])
		data, err := encoder.EncodeFloat32(pcm)
		if err != nil {
			t.Fatal(err)
		}
		data = bytes.Clone(data)
		n, err := opus.Samples(data)
		if err != nil {
			t.Fatal(err)
		}
		packets = append(packets, opus.Packet{Position: int64(at) * opus.Rate / media.SampleRate, Samples: n, Data: data})
	}
	return packets
}

// sound is what a decoder makes of packets, as a clip.
type sound struct{ samples []float32 }

func soundOf(t testing.TB, packets []opus.Packet) *sound {
	t.Helper()
	decoder, err := opus.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	s := &sound{}
	for _, p := range packets {
		err := decoder.Decode(p, func(pcm []float32) error {
			s.samples = append(s.samples, pcm...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *sound) ReadSamples(p []float32) (int, error) {
	if len(s.samples) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.samples)
	s.samples = s.samples[n:]
	return n, nil
}

// batch transcribes packets as a clip.
func batch(t testing.TB, packets []opus.Packet) *transcribe.Transcript {
	t.Helper()
	got, err := recogniser(t).Transcribe(t.Context(), soundOf(t, packets), transcribe.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
