package live

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hark/media/opus"
	"hark/media/transcript"
	"hark/transcribe/internal/speechtest"
	"hark/transcribe/wer"
)

var (
	speech   = flag.String("speech", os.Getenv("HARK_SPEECH"), "folder of clips with a manifest.jsonl for BenchmarkCaptions")
	speakers = flag.String("speakers", "1,2,4", "how many speak at once in BenchmarkCaptions")
)

// BenchmarkCaptions speaks the clips of a folder in real time, several at
// once, and reports how long it takes from the end of a word until a caption
// shows it, and from the last packet until the transcript is there, and what
// is wrong in it, beside the same clips transcribed as such.
//
//	go test ./transcribe/live -run '^$' -bench Captions -benchtime 1x -speech FOLDER
func BenchmarkCaptions(b *testing.B) {
	if *speech == "" {
		b.Skip("-speech names no folder")
	}
	clips := clipsOf(b, *speech)
	var errors wer.Counts
	for _, c := range clips {
		errors = errors.Add(wer.Score(c.said, c.batch.Text()))
	}
	b.Logf("batch: WER %.2f %%", 100*errors.Rate())
	for _, n := range strings.Split(*speakers, ",") {
		b.Run(n, func(b *testing.B) {
			var at int
			if _, err := fmt.Sscan(n, &at); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				m := speak(b, clips, at)
				b.ReportMetric(m.caption(0.5), "caption-p50-ms")
				b.ReportMetric(m.caption(0.95), "caption-p95-ms")
				b.ReportMetric(m.ended(0.5), "finish-p50-ms")
				b.ReportMetric(m.ended(0.95), "finish-p95-ms")
				b.ReportMetric(100*m.errors.Rate(), "WER-%")
				b.ReportMetric(100*(m.errors.Rate()-errors.Rate()), "WER-over-batch-%")
				b.ReportMetric(float64(m.differ), "texts-unlike-batch")
				b.ReportMetric(m.cpu, "cores")
				b.ReportMetric(float64(m.partials)/float64(m.words), "partials/word")
				b.ReportMetric(float64(m.unseen), "words-without-caption")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// spoken is a clip ready to be spoken.
type spoken struct {
	name    string
	said    string
	packets []opus.Packet
	batch   *transcript.Transcript
}

func clipsOf(t testing.TB, dir string) []spoken {
	t.Helper()
	manifest, err := wer.ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	var clips []spoken
	for _, c := range manifest {
		packets := encoded(t, speechtest.Decode(t, "-i", c.File))
		clips = append(clips, spoken{filepath.Base(c.File), c.Text, packets, batch(t, packets)})
	}
	return clips
}

// measured is what speaking clips gave.
type measured struct {
	mu                              sync.Mutex
	captions, finishes              []time.Duration
	words, partials, unseen, differ int
	errors                          wer.Counts
	cpu                             float64
}

func (m *measured) caption(q float64) float64 { return quantile(m.captions, q) }
func (m *measured) ended(q float64) float64   { return quantile(m.finishes, q) }

func quantile(all []time.Duration, q float64) float64 {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[int(q*float64(len(all)-1)+0.5)].Seconds() * 1000
}

// speak speaks every clip twice, at speakers at once.
func speak(t testing.TB, clips []spoken, speakers int) *measured {
	m := &measured{}
	e := New(Config{Engine: recogniser(t), MaxSpeakers: speakers})
	defer e.Close()
	turns := make(chan spoken)
	var all sync.WaitGroup
	begun, used := time.Now(), cpuTime()
	for i := range speakers {
		all.Go(func() {
			time.Sleep(time.Duration(i) * 1234 * time.Millisecond) // nobody begins at the same moment
			for c := range turns {
				m.speakOne(t, e, c)
			}
		})
	}
	for range 2 {
		for _, c := range clips {
			turns <- c
		}
	}
	close(turns)
	all.Wait()
	m.cpu = (cpuTime() - used).Seconds() / time.Since(begun).Seconds()
	return m
}

// shown is a caption and when it came.
type shown struct {
	Caption
	at time.Time
}

func (m *measured) speakOne(t testing.TB, e *Engine, c spoken) {
	var captions []shown
	l, err := e.Listen(Options{Captions: func(c Caption) { captions = append(captions, shown{c, time.Now()}) }})
	if err != nil {
		t.Error(err)
		return
	}
	begun := time.Now()
	for _, p := range c.packets {
		time.Sleep(time.Until(begun.Add(time.Duration(p.End()) * time.Second / opus.Rate)))
		l.Write(p)
	}
	ended := time.Now()
	result, err := l.Finish(t.Context())
	finish := time.Since(ended)
	if err != nil || result.Poor {
		t.Errorf("%s: poor or %v", c.name, err)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.finishes = append(m.finishes, finish)
	m.errors = m.errors.Add(wer.Score(c.said, result.Transcript.Text()))
	if got, want := result.Transcript.Text(), c.batch.Text(); got != want {
		m.differ++
		if testing.Verbose() {
			fmt.Printf("live  %s\nbatch %s\n", got, want)
		}
	}
	for _, s := range captions {
		if !s.Final {
			m.partials++
		}
	}
	for _, w := range result.Transcript.Words() {
		m.words++
		said := begun.Add(time.Duration(w.EndMS) * time.Millisecond)
		if i := slices.IndexFunc(captions, func(s shown) bool { return s.shows(w) }); i >= 0 {
			m.captions = append(m.captions, captions[i].at.Sub(said))
		} else {
			m.unseen++
		}
	}
}

// shows says whether a caption has a word of the transcript.
func (s shown) shows(word transcript.Word) bool {
	return slices.ContainsFunc(s.Words, func(w transcript.Word) bool {
		near := w.StartMS < word.StartMS+500 && word.StartMS < w.StartMS+500
		return near && slices.Equal(wer.Normalise(w.Text), wer.Normalise(word.Text))
	})
}

// cpuTime is what this process has used of its processors.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
