package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"

	"hark/cmd/hark/client"
	"hark/media"
	"hark/media/decode"
	"hark/media/transcript"
	"hark/media/whip/whiptest"
	"hark/transcribe/live"
	"hark/transcribe/wer"
)

type liveCmd struct {
	config
	Speakers []int  `default:"1,2,4" help:"How many speak at once, one measurement each."`
	Rounds   int    `default:"1" help:"How often each speaker says every clip."`
	FFmpeg   string `name:"ffmpeg" env:"HARK_FFMPEG" default:"ffmpeg" help:"The ffmpeg to decode the speech with."`
	Dir      string `arg:"" type:"existingdir" help:"Folder of clips and manifest.jsonl, which are spoken over WebRTC in real time."`
}

// afterLastWord is how long a speaker goes on after the last word: nobody is
// quick enough to stop sooner.
const afterLastWord = 200 * time.Millisecond

// spokenClip is a clip as a speaker says it.
type spokenClip struct {
	wer.Clip
	packets  [][]byte      // of 20 ms, up to where the speaker stops
	lastWord time.Duration // when it ends
	batch    string        // what Hark hears of the clip as a file
}

// Run speaks every clip, by 1, 2, 4 … people at once, and measures how soon
// captions show a word, how soon after the last word the message is ready and
// found, and the words against those that the same clips give as files.
func (b *liveCmd) Run(ctx context.Context) error {
	target, end, err := b.start(ctx)
	if err != nil {
		return err
	}
	defer end()
	clips, err := b.clips(ctx, target)
	if err != nil {
		return err
	}
	var batch wer.Counts
	for _, c := range clips {
		batch = batch.Add(wer.Score(c.Text, c.batch))
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "speakers\trecordings\tlast word to found, p50\tp95\tword to caption, p50\tp95\tnever captioned\tWER\tas files\t")
	for _, n := range b.Speakers {
		sum, err := b.speak(ctx, target, clips, n)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%d\t%d\t%d ms\t%d ms\t%d ms\t%d ms\t%d of %d\t%.1f %%\t%.1f %%\t\n", n, len(sum.found),
			wer.Quantile(sum.found, 0.5), wer.Quantile(sum.found, 0.95), wer.Quantile(sum.captions, 0.5), wer.Quantile(sum.captions, 0.95),
			sum.uncaptioned, sum.uncaptioned+len(sum.captions), 100*sum.words.Rate(), 100*batch.Rate())
	}
	return w.Flush()
}

// clips sends every clip as a file, which tells how well it can be heard and
// when its last word ends, and encodes it up to there.
func (b *liveCmd) clips(ctx context.Context, target Target) ([]spokenClip, error) {
	manifest, err := wer.ReadManifest(b.Dir)
	if err != nil {
		return nil, err
	}
	decoder := decode.New(decode.Config{FFmpeg: b.FFmpeg, Logger: slog.New(slog.DiscardHandler)})
	clips := make([]spokenClip, 0, len(manifest))
	for _, c := range manifest {
		clip, err := prepareSpoken(ctx, target, decoder, c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.File, err)
		}
		clips = append(clips, clip)
	}
	return clips, nil
}

func prepareSpoken(ctx context.Context, target Target, decoder *decode.Decoder, c wer.Clip) (spokenClip, error) {
	msg, err := target.Client.Upload(ctx, target.Conversation.ID, c.File)
	if err != nil {
		return spokenClip{}, err
	}
	if _, err := target.Client.Await(ctx, msg.ID); err != nil {
		return spokenClip{}, err
	}
	heard, err := target.Client.Transcript(ctx, msg.ID)
	if err != nil {
		return spokenClip{}, err
	}
	words := heard.Words()
	if len(words) == 0 {
		return spokenClip{}, fmt.Errorf("nothing is said in it")
	}
	var pcm []float32
	if err := appendClip(ctx, decoder, c.File, &pcm); err != nil {
		return spokenClip{}, err
	}
	lastWord := time.Duration(words[len(words)-1].EndMS) * time.Millisecond
	stop := min(int(media.Samples(lastWord+afterLastWord)), len(pcm))
	packets, err := whiptest.Encode(pcm[:stop], media.SampleRate)
	return spokenClip{Clip: c, packets: packets, lastWord: lastWord, batch: heard.Text()}, err
}

// liveCosts are what one measurement found, times in milliseconds.
type liveCosts struct {
	found       []int64 // from the last word to ready and found, a recording each
	captions    []int64 // from the end of a word to the first caption that shows it, a word each
	uncaptioned int     // words that no caption showed
	words       wer.Counts
}

func (l *liveCosts) add(m liveCosts) {
	l.found = append(l.found, m.found...)
	l.captions = append(l.captions, m.captions...)
	l.uncaptioned += m.uncaptioned
	l.words = l.words.Add(m.words)
}

// speak has n speakers say all clips at the same time, each beginning with another.
func (b *liveCmd) speak(ctx context.Context, target Target, clips []spokenClip, n int) (liveCosts, error) {
	var (
		mu    sync.Mutex
		sum   liveCosts
		group errgroup.Group
	)
	for speaker := range n {
		group.Go(func() error {
			for i := range len(clips) * b.Rounds {
				clip := clips[(speaker+i)%len(clips)]
				cost, err := target.say(ctx, clip)
				if err != nil {
					return fmt.Errorf("%s: %w", clip.File, err)
				}
				mu.Lock()
				sum.add(cost)
				mu.Unlock()
			}
			return nil
		})
	}
	return sum, group.Wait()
}

// say records one clip as a browser would.
func (t Target) say(ctx context.Context, clip spokenClip) (liveCosts, error) {
	var captions captionLog
	speaker, err := whiptest.Dial(ctx, whiptest.Config{
		URL: t.Client.Base + "/conversations/" + t.Conversation.ID + "/whip", Token: t.Client.Token,
		Channel: true, OnMessage: captions.note,
	})
	if err != nil {
		return liveCosts{}, err
	}
	id := speaker.Header().Get("Hark-Message-Id")
	began := time.Now()
	if err := speaker.Say(ctx, clip.packets); err != nil {
		speaker.Vanish()
		return liveCosts{}, err
	}
	if err := speaker.Close(ctx); err != nil {
		return liveCosts{}, err
	}
	if _, err := t.Client.Await(ctx, id); err != nil {
		return liveCosts{}, err
	}
	heard, err := t.Client.Transcript(ctx, id)
	if err != nil {
		return liveCosts{}, err
	}
	if err := t.find(ctx, id, heard); err != nil {
		return liveCosts{}, err
	}
	cost := liveCosts{
		found: []int64{time.Since(began.Add(clip.lastWord)).Milliseconds()},
		words: wer.Score(clip.Text, heard.Text()),
	}
	cost.captions, cost.uncaptioned = captions.delays(began, heard.Words())
	return cost, nil
}

// find searches for the last word of a message that is long enough to be one
// of its own.
func (t Target) find(ctx context.Context, id string, heard transcript.Transcript) error {
	var last string
	for _, word := range wer.Normalise(heard.Text()) {
		if len(word) > 4 {
			last = word
		}
	}
	var results struct {
		Hits []struct {
			Message client.Message `json:"message"`
		} `json:"hits"`
	}
	query := map[string][]string{"q": {last}, "sort": {"newest"}, "limit": {"50"}}
	if err := t.Client.Get(ctx, "/search", query, &results); err != nil {
		return err
	}
	for _, hit := range results.Hits {
		if hit.Message.ID == id {
			return nil
		}
	}
	return fmt.Errorf("message %s is ready, and a search for %q does not find it", id, last)
}

// captionLog notes the captions of one recording with the time of each.
type captionLog struct {
	mu    sync.Mutex
	shown []shownCaption
}

type shownCaption struct {
	at time.Time
	live.Caption
}

// note takes what comes over the data channel.
func (l *captionLog) note(text []byte) {
	at := time.Now()
	var news struct {
		Type string `json:"type"`
		live.Caption
	}
	if json.Unmarshal(text, &news) != nil || news.Type != "caption" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shown = append(l.shown, shownCaption{at, news.Caption})
}

// sameTime is how far apart two captions may put one word, in milliseconds.
const sameTime = 400

// delays is, for each word of the transcript, how long after its end a caption
// first showed it, in milliseconds.
func (l *captionLog) delays(began time.Time, words []transcript.Word) (delays []int64, never int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, word := range words {
		if at := l.firstShown(word); at.IsZero() {
			never++
		} else {
			said := began.Add(time.Duration(word.EndMS) * time.Millisecond)
			delays = append(delays, at.Sub(said).Milliseconds())
		}
	}
	return delays, never
}

func (l *captionLog) firstShown(word transcript.Word) time.Time {
	want := strings.Join(wer.Normalise(word.Text), " ")
	for _, caption := range l.shown {
		for _, w := range caption.Words {
			if max(w.StartMS-word.StartMS, word.StartMS-w.StartMS) <= sameTime && strings.Join(wer.Normalise(w.Text), " ") == want {
				return caption.at
			}
		}
	}
	return time.Time{}
}
