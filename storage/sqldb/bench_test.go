package sqldb_test

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
	"hark/transcribe"
)

var (
	benchMessages = flag.Int("messages", 2000, "messages that BenchmarkSearch searches")
	benchDatabase = flag.String("database", "", "URL of a database that BenchmarkSearch fills once and searches again and again; empty means fresh ones")
)

// BenchmarkSearch times searches by class over messages of about 60 words
// whose frequencies follow Zipf's law, in 20 conversations:
//
//	go test -tags sqlite_fts5 -run '^$' -bench Search ./storage/sqldb -args -messages 100000
func BenchmarkSearch(b *testing.B) {
	open := map[string]func(testing.TB, ...storagetest.Option) *sqldb.DB{"sqlite": storagetest.New, "postgres": storagetest.NewPostgres}
	if *benchDatabase != "" {
		db := storagetest.Open(b, *benchDatabase)
		if err := db.Migrate(b.Context()); err != nil {
			b.Fatal(err)
		}
		benchSearches(b, db)
		return
	}
	for _, kind := range []string{"sqlite", "postgres"} {
		b.Run(kind, func(b *testing.B) {
			benchSearches(b, open[kind](b))
		})
	}
}

func benchSearches(b *testing.B, db *sqldb.DB) {
	corpus := newCorpus()
	actor := importCorpus(b, db, corpus, *benchMessages)
	for _, class := range corpus.classes() {
		b.Run(class.name, func(b *testing.B) { benchSearch(b, db, actor, class) })
	}
}

func benchSearch(b *testing.B, db *sqldb.DB, actor storage.Actor, class queryClass) {
	var took []time.Duration
	hits := 0
	for i := 0; b.Loop(); i++ {
		q := class.queries[i%len(class.queries)]
		start := time.Now()
		r, err := db.Search(b.Context(), actor, storage.Query{Text: q})
		if err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
		hits += r.Total
	}
	slices.Sort(took)
	at := func(p float64) float64 { return took[int(p*float64(len(took)-1))].Seconds() * 1000 }
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
	b.ReportMetric(float64(hits)/float64(b.N), "hits/op")
}

// corpus makes sentences of invented words beside English stop words.
type corpus struct {
	rng   *rand.Rand
	words []string  // the most frequent first
	upto  []float64 // cumulated weights of words
}

func newCorpus() *corpus {
	c := &corpus{rng: rand.New(rand.NewPCG(1, 2))}
	c.words = strings.Fields("the to and i you of a it that in we is for have so be on do this are was what they at as there")
	seen := map[string]bool{}
	for len(c.words) < 40_000 {
		w := ""
		for range 2 + c.rng.IntN(3) {
			w += string("bcdfghjklmnprstvwz"[c.rng.IntN(18)]) + string("aeiou"[c.rng.IntN(5)])
			if c.rng.IntN(3) == 0 {
				w += string("nrstl"[c.rng.IntN(5)])
			}
		}
		if !seen[w] {
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

func (c *corpus) word() string {
	i, _ := slices.BinarySearch(c.upto, c.rng.Float64()*c.upto[len(c.upto)-1])
	return c.words[min(i, len(c.words)-1)]
}

func (c *corpus) transcript() *transcribe.Transcript {
	var words []transcribe.Word
	for i := range int64(30 + c.rng.IntN(60)) {
		words = append(words, transcribe.Word{Text: c.word(), StartMS: i * 400, EndMS: i*400 + 350, Confidence: 0.9})
	}
	return &transcribe.Transcript{Language: "en", Engine: "bench", Segments: []transcribe.Segment{transcribe.NewSegment(words)}}
}

type queryClass struct {
	name    string
	queries []string
}

func (c *corpus) classes() []queryClass {
	pick := func(from, to int) string { return c.words[from+c.rng.IntN(to-from)] }
	many := func(name string, query func() string) queryClass {
		k := queryClass{name: name}
		for range 200 {
			k.queries = append(k.queries, query())
		}
		return k
	}
	return []queryClass{
		many("rare", func() string { return pick(20_000, 40_000) }),
		many("middling", func() string { return pick(200, 2000) }),
		many("common", func() string { return pick(26, 60) }),
		many("two-words", func() string { return pick(26, 200) + " " + pick(26, 1000) }),
		many("two-common", func() string { return pick(26, 40) + " " + pick(26, 40) }),
		many("phrase", func() string { return fmt.Sprintf("%q", pick(0, 60)+" "+pick(26, 60)) }),
		many("stop-phrase", func() string { return fmt.Sprintf("%q", pick(0, 26)+" "+pick(0, 26)+" "+pick(0, 26)) }),
		many("prefix2", func() string { return pick(26, 1000)[:2] + "*" }),
		many("prefix3", func() string { return pick(26, 1000)[:3] + "*" }),
		many("prefix5", func() string { return fmt.Sprintf("%.5s*", pick(26, 5000)) }),
		many("stop", func() string { return pick(0, 26) }),
		many("without", func() string { return pick(26, 60) + " -" + pick(26, 60) }),
		many("misspelt", func() string { w := []byte(pick(26, 5000)); w[len(w)/2] = 'q'; return string(w) }),
		many("nothing", func() string { return pick(20_000, 40_000) + " " + pick(20_000, 40_000) }),
	}
}

// importCorpus makes a workspace of n messages and returns one who hears all.
func importCorpus(tb testing.TB, db *sqldb.DB, c *corpus, n int) storage.Actor {
	tb.Helper()
	actor, created, err := db.Bootstrap(tb.Context(), "bench", "Ada")
	if err != nil {
		tb.Fatal(err)
	}
	if !created {
		return actor
	}
	var conversations []string
	for i := range 20 {
		conv, err := db.CreateConversation(tb.Context(), actor, storage.Channel, fmt.Sprint(i), nil)
		if err != nil {
			tb.Fatal(err)
		}
		conversations = append(conversations, conv.ID)
	}
	start := time.Now()
	for done := 0; done < n; {
		var batch []sqldb.Imported
		for range min(500, n-done) {
			m := storage.NewMessage{ID: storage.NewID(), ConversationID: conversations[int(math.Sqrt(c.rng.Float64()*400))], DurationMS: 30_000}
			m.Original = storage.Original{Key: "originals/" + m.ID, Format: "wav", Bytes: 1, SHA256: "00"}
			batch = append(batch, sqldb.Imported{NewMessage: m, Transcript: c.transcript()})
		}
		if err := db.Import(tb.Context(), actor, batch); err != nil {
			tb.Fatal(err)
		}
		done += len(batch)
	}
	tb.Logf("imported %d messages in %v", n, time.Since(start))
	return actor
}
