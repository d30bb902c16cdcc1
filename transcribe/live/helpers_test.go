package live

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"testing"

	"github.com/thesyncim/gopus"

	"hark/media"
	"hark/media/opus"
	"hark/media/transcript"
	"hark/transcribe"
	"hark/transcribe/internal/speechtest"
	"hark/transcribe/local"
)

// shared is the engine with the default model, or the one that HARK_MODEL names.
var shared = speechtest.Engine[*local.Engine]{Open: func(models string) (*local.Engine, error) {
	return local.Open(local.Config{Models: models, Model: os.Getenv("HARK_MODEL")})
}}

func recogniser(t testing.TB) *local.Engine {
	t.Helper()
	return shared.Get(t)
}

func TestMain(m *testing.M) { shared.Main(m) }

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
func batch(t testing.TB, packets []opus.Packet) *transcript.Transcript {
	t.Helper()
	got, err := recogniser(t).Transcribe(t.Context(), soundOf(t, packets), transcribe.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
