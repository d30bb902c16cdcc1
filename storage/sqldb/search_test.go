package sqldb_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// said is what the search tests search; the key names the message.
var said = map[string]string{
	"harbour": "The harbour lights were bright, and the harbour was calm.",
	"lights":  "City lights, far from any harbor.",
	"cafe":    "We met at the Café Zürich — naïve, I know.",
	"dont":    "I don't think John's boat is well-known.",
	"hamlet":  "To be or not to be, that is the question.",
	"be":      "It ought to be easy to be kind.",
	"emoji":   "Great 👍🏽 news about the 3.5 kilometre run!",
	"russian": "Привет, мир! Ёлка.",
	"numbers": "Call 5550123 at seven thirty.",
	"tomorow": "See you tomorrow at the restaurant, definitely.",
}

func saidWorld(t *testing.T, db *sqldb.DB) (*world, map[string]string) {
	w := newWorld(t, db)
	names := map[string]string{} // message id -> name
	for _, name := range slices.Sorted(maps.Keys(said)) {
		names[w.say(w.ada, w.room.ID, said[name]).ID] = name
	}
	return w, names
}

func TestSearchFinds(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w, names := saidWorld(t, db)
		secret := w.conversation(w.eve)
		w.say(w.eve, secret.ID, "The harbour question lights tomorrow definitely café zebra giraffe")
		for _, c := range []struct {
			text      string
			complete  bool
			want      string // names, sorted
			corrected string
		}{
			{text: "harbour", want: "harbour"},
			{text: "HARBOUR", want: "harbour"},
			{text: "lights", want: "harbour lights"},
			{text: "lights harbour", want: "harbour"},
			{text: "the lights", want: "harbour lights"},
			{text: `"harbour lights"`, want: "harbour"},
			{text: `"lights harbour"`, want: ""},
			{text: `"city lights" far`, want: "lights"},
			{text: "harb*", want: "harbour lights"},
			{text: "ha*", want: "harbour lights"},
			{text: "harbou", complete: true, want: "harbour"},
			{text: "harb", complete: true, want: "harbour lights"},
			{text: "lights -city", want: "harbour"},
			{text: `lights -"city lights"`, want: "harbour"},
			{text: `lights -"lights city"`, want: "harbour lights"},
			{text: "lights -cit*", want: "harbour"},
			{text: "lights -far -bright", want: ""},
			{text: "cafe", want: "cafe"},
			{text: "CAFÉ", want: "cafe"},
			{text: "zurich naive", want: "cafe"},
			{text: "don't", want: "dont"},
			{text: "dont", want: "dont"},
			{text: "don’t", want: "dont"},
			{text: "john", want: "dont"},
			{text: "john's boat", want: "dont"},
			{text: "well-known", want: "dont"},
			{text: `"well known"`, want: "dont"},
			{text: "well-kno*", want: "dont"},
			{text: `"boat is well"`, want: "dont"},
			{text: `"to be or not to be"`, want: "hamlet"},
			{text: `"to be"`, want: "be hamlet"},
			{text: `"be to"`, want: ""},
			{text: `"that is the question"`, want: "hamlet"},
			{text: `"is the question"`, want: "hamlet"},
			{text: "to be", want: "be hamlet"},
			{text: "or", want: "hamlet"},
			{text: "that -question", want: ""},
			{text: "news 👍🏽", want: "emoji"},
			{text: "3.5", want: "emoji"},
			{text: "привет", want: "russian"},
			{text: "елка", want: "russian"},
			{text: "ми*", want: "russian"},
			{text: "5550123", want: "numbers"},
			{text: "555*", want: "numbers"},
			{text: "a-b", want: ""},
			{text: "AND harbour OR", want: "harbour"},
			{text: `harbour" OR "1`, want: ""},

			{text: "tommorow", want: "tomorow", corrected: "tomorrow"},
			{text: "definately", want: "tomorow", corrected: "definitely"},
			{text: "qestion", want: "hamlet", corrected: "question"},
			{text: "brihgt harbour", want: "harbour", corrected: "bright harbour"},
			{text: `"citty lights"`, want: "lights", corrected: `"city lights"`},
			{text: "kidn", want: "be", corrected: "kind"},
			{text: "restuarant -harbour", want: "tomorow", corrected: "restaurant -harbour"},
			{text: "zebre", want: ""},   // only eve, elsewhere, said zebra
			{text: "giraffe", want: ""}, // and giraffe
			{text: "qqqqqqq", want: ""},
		} {
			r, err := w.Search(t.Context(), w.bob, storage.Query{Text: c.text, CompleteLast: c.complete})
			if err != nil {
				t.Errorf("%q: %v", c.text, err)
				continue
			}
			var got []string
			for _, h := range r.Hits {
				got = append(got, names[h.Message.ID])
			}
			slices.Sort(got)
			if s := strings.Join(got, " "); s != c.want || r.Corrected != c.corrected || r.Total != len(got) {
				t.Errorf("%q found %q (total %d, corrected %q), want %q, corrected %q", c.text, s, r.Total, r.Corrected, c.want, c.corrected)
			}
		}
	})
}

func TestSearchSnippets(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		w.say(w.ada, w.room.ID, `one two three four five six “Séven!” eight nine ten eleven twelve thirteen fourteen fifteen sixteen 👍 seventeen don't-stop eighteen.`)
		for _, c := range []struct {
			text, want string // marks in brackets
			start, end int64
			from       int64
		}{
			{"seven", "three four five six “[Séven]!” eight nine ten eleven twelve thirteen fourteen fifteen sixteen", 3000, 3400, 1000},
			{`"six seven" ten`, "two three four five [six “Séven]!” eight nine [ten] eleven twelve thirteen fourteen fifteen", 2500, 3400, 500},
			{"one", "[one] two three four five six “Séven!” eight nine ten eleven twelve thirteen fourteen", 0, 400, 0},
			{"stop eighteen", "“Séven!” eight nine ten eleven twelve thirteen fourteen fifteen sixteen 👍 seventeen [don't-stop] [eighteen].", 9000, 9400, 3000},
			{"dont-sto*", "“Séven!” eight nine ten eleven twelve thirteen fourteen fifteen sixteen 👍 seventeen [don't-stop] eighteen.", 9000, 9400, 3000},
			{"thirt*", "“Séven!” eight nine ten eleven twelve [thirteen] fourteen fifteen sixteen 👍 seventeen don't-stop eighteen.", 6000, 6400, 3000},
		} {
			r, err := w.Search(t.Context(), w.ada, storage.Query{Text: c.text})
			if err != nil || len(r.Hits) != 1 {
				t.Errorf("%q: %d hits, %v", c.text, len(r.Hits), err)
				continue
			}
			h := r.Hits[0]
			if got := bracketed(h.Snippet); !strings.HasSuffix(got, c.want) || h.StartMS != c.start || h.EndMS != c.end || h.Snippet.StartMS != c.from {
				t.Errorf("%q: %q at %d-%d from %d,\nwant %q at %d-%d from %d", c.text, got, h.StartMS, h.EndMS, h.Snippet.StartMS, c.want, c.start, c.end, c.from)
			}
		}
	})
}

func bracketed(s storage.Snippet) string {
	runes, out, at := []rune(s.Text), "", 0
	for _, m := range s.Marks {
		out += string(runes[at:m.Start]) + "[" + string(runes[m.Start:m.End]) + "]"
		at = m.End
	}
	return out + string(runes[at:])
}

func TestSearchFilters(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		second := w.conversation(w.ada)
		noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
		say := func(by storage.Actor, conv string, at time.Time) string {
			m := newMessage(storage.Conversation{ID: conv, WorkspaceID: by.WorkspaceID})
			m.RecordedAt = at
			_, job, _, err := w.Accept(t.Context(), by, m)
			w.check(err)
			w.check(w.SaveTranscript(t.Context(), w.begin(job), spoken("the same word")))
			return m.ID
		}
		a := say(w.ada, w.room.ID, noon)
		b := say(w.bob, w.room.ID, noon.Add(time.Hour))
		c := say(w.ada, second.ID, noon.Add(2*time.Hour))
		for _, tc := range []struct {
			name string
			by   storage.Actor
			q    storage.Query
			want []string
		}{
			{"all", w.ada, storage.Query{}, []string{a, b, c}},
			{"as bob", w.bob, storage.Query{}, []string{a, b}},
			{"as eve", w.eve, storage.Query{}, nil},
			{"as mal", w.mal, storage.Query{}, nil},
			{"a room", w.ada, storage.Query{Conversation: w.room.ID}, []string{a, b}},
			{"other room", w.ada, storage.Query{Conversation: second.ID}, []string{c}},
			{"from bob", w.ada, storage.Query{From: w.bob.UserID}, []string{b}},
			{"from ada, as bob", w.bob, storage.Query{From: w.ada.UserID}, []string{a}},
			{"from nobody", w.ada, storage.Query{From: storage.NewID()}, nil},
			{"from mal", w.ada, storage.Query{From: w.mal.UserID}, nil},
			{"after", w.ada, storage.Query{After: noon.Add(time.Hour)}, []string{b, c}},
			{"before", w.ada, storage.Query{Before: noon.Add(time.Hour)}, []string{a}},
			{"between, from ada", w.ada, storage.Query{After: noon, Before: noon.Add(time.Hour), From: w.ada.UserID}, []string{a}},
			{"newest", w.ada, storage.Query{Sort: storage.Newest}, []string{a, b, c}},
		} {
			tc.q.Text = "word"
			r := must(w.Search(t.Context(), tc.by, tc.q))(t)
			var got []string
			for _, h := range r.Hits {
				got = append(got, h.Message.ID)
			}
			slices.Sort(got)
			slices.Sort(tc.want)
			if !slices.Equal(got, tc.want) || r.Total != len(tc.want) {
				t.Errorf("%s: found %v, want %v", tc.name, got, tc.want)
			}
		}
		for _, id := range []string{second.ID, storage.NewID(), "", "x"} {
			if id == "" {
				continue
			}
			_, err := w.Search(t.Context(), w.bob, storage.Query{Text: "word", Conversation: id})
			wantErr(t, err, storage.ErrNotFound)
		}
	})
}

func TestSearchRanksAndPages(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		long := strings.Repeat("something else entirely ", 100)
		w.say(w.ada, w.room.ID, "apple "+long)
		best := w.say(w.ada, w.room.ID, "apple apple apple pie").ID
		w.say(w.ada, w.room.ID, long+" apple")
		r := must(w.Search(t.Context(), w.ada, storage.Query{Text: "apple"}))(t)
		if len(r.Hits) != 3 || r.Hits[0].Message.ID != best {
			t.Errorf("the message about apples is not first of %d", len(r.Hits))
		}

		for i := range 25 {
			w.say(w.ada, w.room.ID, fmt.Sprintf("pear number %d%s", i, strings.Repeat(" and pear", i%3)))
		}
		for _, sort := range []storage.Sort{storage.Relevance, storage.Newest} {
			q := storage.Query{Text: "pear", Sort: sort, Page: storage.Page{Limit: 7}}
			seen, late := map[string]bool{}, ""
			for page := 0; page == 0 || q.Page.Cursor != ""; page++ {
				r := must(w.Search(t.Context(), w.ada, q))(t)
				if r.Total != 25 {
					t.Errorf("%s: page %d has total %d", sort, page, r.Total)
				}
				for _, h := range r.Hits {
					if seen[h.Message.ID] {
						t.Errorf("%s: %s is on two pages", sort, h.Message.ID)
					}
					seen[h.Message.ID] = true
				}
				q.Page.Cursor = r.NextCursor
				if page == 1 { // what comes later is on no later page
					late = w.say(w.ada, w.room.ID, "pear pear pear new").ID
				}
			}
			if len(seen) != 25 || seen[late] {
				t.Errorf("%s: %d hits on all pages, want the first 25", sort, len(seen))
			}
			w.check(w.DeleteMessage(t.Context(), w.ada, late))
		}
	})
}

func TestSearchCursorBelongsToItsQuery(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		for range 3 {
			w.say(w.ada, w.room.ID, "definitely tomorrow")
		}
		q := storage.Query{Text: "definately", Page: storage.Page{Limit: 2}}
		first := must(w.Search(t.Context(), w.ada, q))(t)
		if first.Corrected != "definitely" || first.NextCursor == "" || first.Total != 3 {
			t.Fatalf("first page: %+v", first)
		}
		q.Page.Cursor = first.NextCursor
		second := must(w.Search(t.Context(), w.ada, q))(t)
		if len(second.Hits) != 1 || second.Corrected != "definitely" || second.NextCursor != "" {
			t.Errorf("second page: %+v", second)
		}
		for name, change := range map[string]func(*storage.Query){
			"other words":   func(q *storage.Query) { q.Text = "tomorrow" },
			"other sort":    func(q *storage.Query) { q.Sort = storage.Newest },
			"other room":    func(q *storage.Query) { q.Conversation = w.room.ID },
			"cut off":       func(q *storage.Query) { q.Page.Cursor = q.Page.Cursor[:20] },
			"not a cursor":  func(q *storage.Query) { q.Page.Cursor = "AAAA" },
			"not base64":    func(q *storage.Query) { q.Page.Cursor = "§" },
			"a bit changed": func(q *storage.Query) { q.Page.Cursor = "B" + q.Page.Cursor[1:] },
		} {
			other := q
			change(&other)
			if _, err := w.Search(t.Context(), w.ada, other); err == nil {
				t.Errorf("%s: the cursor was taken", name)
			} else {
				wantErr(t, err, storage.ErrBadCursor)
			}
		}
		_, err := w.Search(t.Context(), w.bob, q)
		wantErr(t, err, storage.ErrBadCursor)
	})
}

func TestSearchForgetsWhatIsDeleted(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		gone := w.say(w.ada, w.room.ID, "remarkable pumpkin")
		w.say(w.ada, w.room.ID, "another pumpkin")
		room := w.conversation(w.ada)
		w.say(w.ada, room.ID, "wonderful aubergine")
		w.check(w.DeleteMessage(t.Context(), w.ada, gone.ID))
		w.check(w.DeleteConversation(t.Context(), w.ada, room.ID))
		for text, want := range map[string]int{
			"remarkable": 0, "remarkible": 0, "wonderful": 0, "wonderfull": 0, "aubergine": 0,
			"pumpkin": 1, "pumpkni": 1,
		} {
			r := must(w.Search(t.Context(), w.ada, storage.Query{Text: text}))(t)
			if len(r.Hits) != want {
				t.Errorf("%q: %d hits (corrected %q), want %d", text, len(r.Hits), r.Corrected, want)
			}
		}
		if words, tris := must2(db.LexiconRows(t.Context()))(t); words != 2 || tris != len("another")+len("pumpkin") {
			t.Errorf("%d words and %d trigrams are left in the lexicon", words, tris)
		}
		if n := must(db.IndexRows(t.Context()))(t); n != 1 {
			t.Errorf("%d messages are left in the index", n)
		}
	})
}

func TestSearchOnlyTheNewestTranscript(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		m := w.say(w.ada, w.room.ID, "wreck a nice beach")
		_, job, err := w.RetryMessage(t.Context(), w.ada, m.ID)
		w.check(err)
		if r := must(w.Search(t.Context(), w.ada, storage.Query{Text: "beach"}))(t); len(r.Hits) != 1 {
			t.Errorf("not found while it is worked on again")
		}
		w.check(w.SaveTranscript(t.Context(), w.begin(job), spoken("recognise speech")))
		for text, want := range map[string]int{"beach": 0, "beech": 0, "speech": 1, "spech": 1} {
			if r := must(w.Search(t.Context(), w.ada, storage.Query{Text: text}))(t); len(r.Hits) != want {
				t.Errorf("%q: %d hits, want %d", text, len(r.Hits), want)
			}
		}
		tr := must(w.Transcript(t.Context(), w.ada, m.ID))(t)
		if tr.Version != 2 || tr.Text() != "recognise speech" {
			t.Errorf("transcript %+v", tr)
		}
	})
}

// Past 16 conversations hits are sifted. Where thousands are expected Postgres
// walks back over the messages, and gathers the others from the index when it
// did not find them in time.
func TestSearchLargeAndMany(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		var rooms []storage.Conversation
		for range 20 {
			rooms = append(rooms, w.conversation(w.ada))
		}
		var batch []sqldb.Imported
		for i := range 9000 {
			text := "common words"
			if i%1000 == 17 {
				text += " with rare ones"
			}
			if i >= 4000 {
				text += " recently"
			}
			batch = append(batch, sqldb.Imported{NewMessage: newMessage(rooms[i%len(rooms)]), Transcript: spoken(text)})
		}
		for part := range slices.Chunk(batch, 500) {
			w.check(w.Import(t.Context(), w.ada, part))
		}
		for text, want := range map[string]int{
			"common": storage.MaxTotal, "words common": storage.MaxTotal, "rare": 9, "com*": storage.MaxTotal, `"common words"`: storage.MaxTotal, "common -words": 0, "the": 0,
			"common common": storage.MaxTotal, "common -common": 0, "common -com*": 0, "common -recently": storage.MaxTotal,
		} {
			if r := must(w.Search(t.Context(), w.ada, storage.Query{Text: text}))(t); r.Total != want {
				t.Errorf("%q: total %d, want %d", text, r.Total, want)
			}
			if r := must(w.Search(t.Context(), w.bob, storage.Query{Text: text}))(t); r.Total != 0 {
				t.Errorf("%q: bob finds %d", text, r.Total)
			}
		}
		m := must(w.Search(t.Context(), w.ada, storage.Query{Text: "rare", Conversation: rooms[17].ID}))(t)
		if m.Total != 9 {
			t.Errorf("in one room: %d", m.Total)
		}
		q := storage.Query{Text: "common -recently", Page: storage.Page{Limit: 100}}
		for i := 3999; i >= 2000; { // the newest 2,000, of which the walk finds 1,750
			r := must(w.Search(t.Context(), w.ada, q))(t)
			for _, h := range r.Hits {
				if i < 2000 || h.Message.ID != batch[i].ID {
					t.Fatalf("hit %d is not the next older message", 3999-i)
				}
				i--
			}
			if q.Page.Cursor = r.NextCursor; (q.Page.Cursor == "") != (i < 2000) {
				t.Fatalf("after %d hits: a next page %q", 3999-i, q.Page.Cursor)
			}
		}
	})
}
