package bench

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"hark/media/transcript"
	"hark/storage"
	"hark/storage/sqldb"
)

// stopWords are the most frequent words of the corpus, as they are of English.
const stopWords = 26

// corpus makes transcripts of about 60 words, whose frequencies follow Zipf's
// law: English stop words first, then invented ones. It makes the same ones in
// every run.
type corpus struct {
	rng   *rand.Rand
	words []string  // the most frequent first
	upto  []float64 // cumulated weights of words
}

// NewCorpus makes a corpus, the same in every run.
func NewCorpus() *corpus {
	c := &corpus{rng: rand.New(rand.NewPCG(1, 2))}
	c.words = strings.Fields("the to and i you of a it that in we is for have so be on do this are was what they at as there")
	seen := map[string]bool{}
	for len(c.words) < 40_000 {
		if w := c.invent(); !seen[w] {
			seen[w] = true
			c.words = append(c.words, w)
		}
	}
	sum := 0.0
	for i := range c.words {
		sum += 1 / (float64(i) + 2.7)
		c.upto = append(c.upto, sum)
	}
	return c
}

func (c *corpus) invent() string {
	var w strings.Builder
	for range 2 + c.rng.IntN(3) {
		w.WriteByte("bcdfghjklmnprstvwz"[c.rng.IntN(18)])
		w.WriteByte("aeiou"[c.rng.IntN(5)])
		if c.rng.IntN(3) == 0 {
			w.WriteByte("nrstl"[c.rng.IntN(5)])
		}
	}
	return w.String()
}

func (c *corpus) word() string {
	i, _ := slices.BinarySearch(c.upto, c.rng.Float64()*c.upto[len(c.upto)-1])
	return c.words[min(i, len(c.words)-1)]
}

// Message makes the next message, for a conversation.
func (c *corpus) Message(conversationID string) sqldb.Imported {
	m := storage.NewMessage{ID: storage.NewID(), ConversationID: conversationID, DurationMS: 30_000}
	m.Original = storage.Original{Format: "wav", Bytes: 1, SHA256: strings.Repeat("0", 64)}
	var words []transcript.Word
	for i := range int64(30 + c.rng.IntN(60)) {
		words = append(words, transcript.Word{Text: c.word(), StartMS: i * 400, EndMS: i*400 + 350, Confidence: 0.9})
	}
	return sqldb.Imported{NewMessage: m, Transcript: &transcript.Transcript{
		Language: "en", Engine: "bench", Segments: []transcript.Segment{transcript.NewSegment(words)},
	}}
}

type queryClass struct {
	name    string
	queries []string
}

// classes makes n queries of each class. Ranks are those of words by
// frequency: the 26th to 60th are in thousands of messages.
func (c *corpus) classes(n int) []queryClass {
	c.rng = rand.New(rand.NewPCG(3, 4)) // the same queries, whether or not messages were made before
	pick := func(from, to int) string { return c.words[from+c.rng.IntN(to-from)] }
	many := func(name string, query func() string) queryClass {
		k := queryClass{name: name}
		for range n {
			k.queries = append(k.queries, query())
		}
		return k
	}
	stop := func() string { return pick(0, stopWords) }
	return []queryClass{
		many("rare", func() string { return pick(20_000, 40_000) }),
		many("common", func() string { return pick(stopWords, 60) }),
		many("two words", func() string { return pick(stopWords, 200) + " " + pick(stopWords, 1000) }),
		many("two common words", func() string { return pick(stopWords, 40) + " " + pick(stopWords, 40) }),
		many("phrase", func() string { return fmt.Sprintf("%q", pick(0, 60)+" "+pick(stopWords, 60)) }),
		many("phrase of stop words", func() string { return fmt.Sprintf("%q", stop()+" "+stop()+" "+stop()) }),
		many("prefix of 2", func() string { return pick(stopWords, 1000)[:2] + "*" }),
		many("prefix of 3", func() string { return pick(stopWords, 1000)[:3] + "*" }),
		many("prefix of 5", func() string { return fmt.Sprintf("%.5s*", pick(stopWords, 5000)) }),
		many("stop word", stop),
		many("without", func() string { return pick(stopWords, 60) + " -" + pick(stopWords, 60) }),
		many("misspelt", func() string {
			w := []byte(pick(stopWords, 5000))
			w[len(w)/2] = 'q'
			return string(w)
		}),
		many("nothing found", func() string { return pick(20_000, 40_000) + " " + pick(20_000, 40_000) }),
	}
}
