package sqldb_test

import (
	"errors"
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

func saidWorld(t *testing.T, db *sqldb.DB) (*harness, map[string]string) {
	h := newHarness(t, db)
	names := map[string]string{} // message id -> name
	for _, name := range slices.Sorted(maps.Keys(said)) {
		names[h.say(h.ada, h.room.ID, said[name]).ID] = name
	}
	return h, names
}

func TestSearchFinds(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h, names := saidWorld(t, db)
		secret := h.conversation(h.eve)
		h.say(h.eve, secret.ID, "The harbour question lights tomorrow definitely café zebra giraffe")
		for _, c := range []struct {
			text      string
			want      string // names, sorted
			corrected string
		}{
			{text: "harbour", want: "harbour"},
			{text: `"harbour"`, want: "harbour"},
			{text: "HARBOUR", want: "harbour"},
			{text: "lights", want: "harbour lights"},
			{text: "lights harbour", want: "harbour"},
			{text: "the lights", want: "harbour lights"},
			{text: `"harbour lights"`, want: "harbour"},
			{text: `"lights harbour"`, want: ""},
			{text: `"city lights" far`, want: "lights"},
			{text: "harb*", want: "harbour lights"},
			{text: "ha*", want: "harbour lights"},
			{text: "harbou", want: "harbour"},
			{text: "harbou ", want: "harbour"},
			{text: `"harbou"`, want: "lights", corrected: `"harbor"`},
			{text: `"city li`, want: "lights"},
			{text: "harb calm", want: "", corrected: ""},
			{text: "harb", want: "harbour lights"},
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
			r, err := h.Search(t.Context(), h.bob, storage.Query{Text: c.text})
			if err != nil {
				t.Errorf("%q: %v", c.text, err)
				continue
			}
			var got []string
			for _, hit := range r.Hits {
				got = append(got, names[hit.Message.ID])
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
		h := newHarness(t, db)
		h.say(h.ada, h.room.ID, `one two three four five six “Séven!” eight nine ten eleven twelve thirteen fourteen fifteen sixteen 👍 seventeen don't-stop eighteen.`)
		for _, c := range []struct {
			text, want string // marks in brackets
			start, end int64
			from       int64
		}{
			{"seven", "…three four five six “[Séven]!” eight nine ten eleven twelve thirteen fourteen fifteen sixteen…", 3000, 3400, 1000},
			{`"six seven" ten`, "…two three four five [six “Séven]!” eight nine [ten] eleven twelve thirteen fourteen fifteen…", 2500, 3400, 500},
			{"one", "[one] two three four five six “Séven!” eight nine ten eleven twelve thirteen fourteen…", 0, 400, 0},
			{"stop eighteen", "…“Séven!” eight nine ten eleven twelve thirteen fourteen fifteen sixteen 👍 seventeen [don't-stop] [eighteen].", 9000, 9400, 3000},
			{"dont-sto*", "…“Séven!” eight nine ten eleven twelve thirteen fourteen fifteen sixteen 👍 seventeen [don't-stop] eighteen.", 9000, 9400, 3000},
			{"thirt*", "…“Séven!” eight nine ten eleven twelve [thirteen] fourteen fifteen sixteen 👍 seventeen don't-stop eighteen.", 6000, 6400, 3000},
		} {
			r, err := h.Search(t.Context(), h.ada, storage.Query{Text: c.text})
			if err != nil || len(r.Hits) != 1 {
				t.Errorf("%q: %d hits, %v", c.text, len(r.Hits), err)
				continue
			}
			hit := r.Hits[0]
			if got := bracketed(hit.Snippet); got != c.want || hit.StartMS != c.start || hit.EndMS != c.end || hit.Snippet.StartMS != c.from {
				t.Errorf("%q: %q at %d-%d from %d,\nwant %q at %d-%d from %d", c.text, got, hit.StartMS, hit.EndMS, hit.Snippet.StartMS, c.want, c.start, c.end, c.from)
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
		h := newHarness(t, db)
		second := h.conversation(h.ada)
		noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
		say := func(by storage.Principal, conv string, at time.Time) string {
			m := newMessage(storage.Conversation{ID: conv, WorkspaceID: by.WorkspaceID})
			m.RecordedAt = at
			_, _, err := h.Accept(t.Context(), by, m)
			h.check(err)
			h.check(h.SaveTranscript(t.Context(), h.begin(h.jobOf(m.ID)), spoken("the same word")))
			return m.ID
		}
		a := say(h.ada, h.room.ID, noon)
		b := say(h.bob, h.room.ID, noon.Add(time.Hour))
		c := say(h.ada, second.ID, noon.Add(2*time.Hour))
		for _, tc := range []struct {
			name string
			by   storage.Principal
			q    storage.Query
			want []string
		}{
			{"all", h.ada, storage.Query{}, []string{a, b, c}},
			{"as bob", h.bob, storage.Query{}, []string{a, b}},
			{"as eve", h.eve, storage.Query{}, nil},
			{"as mal", h.mal, storage.Query{}, nil},
			{"a room", h.ada, storage.Query{Conversation: h.room.ID}, []string{a, b}},
			{"other room", h.ada, storage.Query{Conversation: second.ID}, []string{c}},
			{"from bob", h.ada, storage.Query{From: h.bob.UserID}, []string{b}},
			{"from ada, as bob", h.bob, storage.Query{From: h.ada.UserID}, []string{a}},
			{"from nobody", h.ada, storage.Query{From: storage.NewID()}, nil},
			{"from mal", h.ada, storage.Query{From: h.mal.UserID}, nil},
			{"after", h.ada, storage.Query{After: noon.Add(time.Hour)}, []string{b, c}},
			{"before", h.ada, storage.Query{Before: noon.Add(time.Hour)}, []string{a}},
			{"between, from ada", h.ada, storage.Query{After: noon, Before: noon.Add(time.Hour), From: h.ada.UserID}, []string{a}},
			{"newest", h.ada, storage.Query{Sort: storage.Newest}, []string{a, b, c}},
		} {
			tc.q.Text = "word"
			r := must(h.Search(t.Context(), tc.by, tc.q))(t)
			var got []string
			for _, hit := range r.Hits {
				got = append(got, hit.Message.ID)
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
			_, err := h.Search(t.Context(), h.bob, storage.Query{Text: "word", Conversation: id})
			wantErr(t, err, storage.ErrNotFound)
		}
	})
}

func TestSearchRanksAndPages(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		long := strings.Repeat("something else entirely ", 100)
		h.say(h.ada, h.room.ID, "apple "+long)
		best := h.say(h.ada, h.room.ID, "apple apple apple pie").ID
		h.say(h.ada, h.room.ID, long+" apple")
		r := must(h.Search(t.Context(), h.ada, storage.Query{Text: "apple"}))(t)
		if len(r.Hits) != 3 || r.Hits[0].Message.ID != best {
			t.Errorf("the message about apples is not first of %d", len(r.Hits))
		}

		for i := range 25 {
			h.say(h.ada, h.room.ID, fmt.Sprintf("pear number %d%s", i, strings.Repeat(" and pear", i%3)))
		}
		for _, sort := range []storage.Sort{storage.Relevance, storage.Newest} {
			q := storage.Query{Text: "pear", Sort: sort, Page: storage.Page{Limit: 7}}
			seen, late := map[string]bool{}, ""
			for page := 0; page == 0 || q.Page.Cursor != ""; page++ {
				r := must(h.Search(t.Context(), h.ada, q))(t)
				if r.Total != 25 {
					t.Errorf("%s: page %d has total %d", sort, page, r.Total)
				}
				for _, hit := range r.Hits {
					if seen[hit.Message.ID] {
						t.Errorf("%s: %s is on two pages", sort, hit.Message.ID)
					}
					seen[hit.Message.ID] = true
				}
				q.Page.Cursor = r.NextCursor
				if page == 1 { // what comes later is on no later page
					late = h.say(h.ada, h.room.ID, "pear pear pear new").ID
				}
			}
			if len(seen) != 25 || seen[late] {
				t.Errorf("%s: %d hits on all pages, want the first 25", sort, len(seen))
			}
			h.check(h.DeleteMessage(t.Context(), h.ada, late))
		}
	})
}

func TestSearchCursorBelongsToItsQuery(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		for range 3 {
			h.say(h.ada, h.room.ID, "definitely tomorrow")
		}
		q := storage.Query{Text: "definately", Page: storage.Page{Limit: 2}}
		first := must(h.Search(t.Context(), h.ada, q))(t)
		if first.Corrected != "definitely" || first.NextCursor == "" || first.Total != 3 {
			t.Fatalf("first page: %+v", first)
		}
		q.Page.Cursor = first.NextCursor
		second := must(h.Search(t.Context(), h.ada, q))(t)
		if len(second.Hits) != 1 || second.Corrected != "definitely" || second.NextCursor != "" {
			t.Errorf("second page: %+v", second)
		}
		for name, change := range map[string]func(*storage.Query){
			"other words":   func(q *storage.Query) { q.Text = "tomorrow" },
			"other sort":    func(q *storage.Query) { q.Sort = storage.Newest },
			"other room":    func(q *storage.Query) { q.Conversation = h.room.ID },
			"cut off":       func(q *storage.Query) { q.Page.Cursor = q.Page.Cursor[:20] },
			"not a cursor":  func(q *storage.Query) { q.Page.Cursor = "AAAA" },
			"not base64":    func(q *storage.Query) { q.Page.Cursor = "§" },
			"a bit changed": func(q *storage.Query) { q.Page.Cursor = "B" + q.Page.Cursor[1:] },
		} {
			other := q
			change(&other)
			if _, err := h.Search(t.Context(), h.ada, other); err == nil {
				t.Errorf("%s: the cursor was taken", name)
			} else {
				wantErr(t, err, storage.ErrBadCursor)
			}
		}
		_, err := h.Search(t.Context(), h.bob, q)
		wantErr(t, err, storage.ErrBadCursor)
	})
}

func TestSearchForgetsWhatIsDeleted(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		gone := h.say(h.ada, h.room.ID, "remarkable pumpkin")
		h.say(h.ada, h.room.ID, "another pumpkin")
		room := h.conversation(h.ada)
		h.say(h.ada, room.ID, "wonderful aubergine")
		h.check(h.DeleteMessage(t.Context(), h.ada, gone.ID))
		h.check(h.DeleteConversation(t.Context(), h.ada, room.ID))
		for text, want := range map[string]int{
			"remarkable": 0, "remarkible": 0, "wonderful": 0, "wonderfull": 0, "aubergine": 0,
			"pumpkin": 1, "pumpkni": 1,
		} {
			r := must(h.Search(t.Context(), h.ada, storage.Query{Text: text}))(t)
			if len(r.Hits) != want {
				t.Errorf("%q: %d hits (corrected %q), want %d", text, len(r.Hits), r.Corrected, want)
			}
		}
		h.purge(1)
		if words, tris := must2(db.LexiconRows(t.Context()))(t); words != 2 || tris != len("another")+len("pumpkin") {
			t.Errorf("%d words and %d trigrams are left in the lexicon", words, tris)
		}
		if n := must(db.IndexRows(t.Context()))(t); n != 1 {
			t.Errorf("%d messages are left in the index", n)
		}
	})
}

// What others say among themselves changes neither what a search finds nor what
// it asks the database, and so not how long it takes.
func TestSearchTellsNothingOfOthers(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		h.say(h.ada, h.room.ID, "the harbour is calm")
		searches := []string{
			"aquisition", "acquisition", "merger", "mergr", "zebr", `"secret merger"`, "calm merger", "harbor",
			"acqu*", "tje", "wiht", "the", "-merger", "calm -merger",
		}
		ran := func() (all []string) {
			for _, text := range searches {
				statements, results, err := h.SearchStatements(t.Context(), h.bob, storage.Query{Text: text})
				if err != nil && !errors.Is(err, storage.ErrInvalidQuery) {
					t.Fatalf("%q: %v", text, err)
				}
				all = append(all, fmt.Sprintf("%q: %q, %d hits, %q", text, statements, len(results.Hits), results.Corrected))
			}
			return all
		}
		before := ran()
		private := h.conversation(h.eve)
		for range 3 {
			h.say(h.eve, private.ID, "the acquisition and the secret merger with zebra")
		}
		for i, now := range ran() {
			if now != before[i] {
				t.Errorf("%s\nbefore it was said in private:\n%s", now, before[i])
			}
		}
		// Who was there finds it.
		for _, text := range []string{"aquisition", "mergr ", `"secret merger"`} {
			if r := must(h.Search(t.Context(), h.eve, storage.Query{Text: text}))(t); len(r.Hits) != 3 {
				t.Errorf("%q: %d hits for who was there", text, len(r.Hits))
			}
		}
		// A stop word is in every message, and nobody means it.
		if r := must(h.Search(t.Context(), h.bob, storage.Query{Text: "tje "}))(t); len(r.Hits) != 0 || r.Corrected != "" {
			t.Errorf("corrected to %q", r.Corrected)
		}
	})
}

func TestSearchOnlyTheNewestTranscript(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		m := h.say(h.ada, h.room.ID, "wreck a nice beach")
		_, err := h.RetryMessage(t.Context(), h.ada, m.ID)
		h.check(err)
		if r := must(h.Search(t.Context(), h.ada, storage.Query{Text: "beach"}))(t); len(r.Hits) != 1 {
			t.Errorf("not found while it is worked on again")
		}
		h.check(h.SaveTranscript(t.Context(), h.begin(h.jobOf(m.ID)), spoken("recognise speech")))
		for text, want := range map[string]int{"beach": 0, "beech": 0, "speech": 1, "spech": 1} {
			if r := must(h.Search(t.Context(), h.ada, storage.Query{Text: text}))(t); len(r.Hits) != want {
				t.Errorf("%q: %d hits, want %d", text, len(r.Hits), want)
			}
		}
		tr := must(h.Transcript(t.Context(), h.ada, m.ID))(t)
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
		h := newHarness(t, db)
		var rooms []storage.Conversation
		for range 20 {
			rooms = append(rooms, h.conversation(h.ada))
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
			h.check(h.Import(t.Context(), h.ada, part))
		}
		for text, want := range map[string]int{
			"common": storage.MaxTotal, "words common": storage.MaxTotal, "rare": 9, "com*": storage.MaxTotal, `"common words"`: storage.MaxTotal, "common -words": 0, "the": 0,
			"common common": storage.MaxTotal, "common -common": 0, "common -com*": 0, "common -recently": storage.MaxTotal,
		} {
			if r := must(h.Search(t.Context(), h.ada, storage.Query{Text: text}))(t); r.Total != want {
				t.Errorf("%q: total %d, want %d", text, r.Total, want)
			}
			if r := must(h.Search(t.Context(), h.bob, storage.Query{Text: text}))(t); r.Total != 0 {
				t.Errorf("%q: bob finds %d", text, r.Total)
			}
		}
		m := must(h.Search(t.Context(), h.ada, storage.Query{Text: "rare", Conversation: rooms[17].ID}))(t)
		if m.Total != 9 {
			t.Errorf("in one room: %d", m.Total)
		}
		q := storage.Query{Text: "common -recently", Page: storage.Page{Limit: 100}}
		for i := 3999; i >= 2000; { // the newest 2,000, of which the walk finds 1,750
			r := must(h.Search(t.Context(), h.ada, q))(t)
			for _, hit := range r.Hits {
				if i < 2000 || hit.Message.ID != batch[i].ID {
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

// A word that is typed in full counts for more than the beginning of others,
// and is found however many newer messages have those.
func TestSearchPutsWholeWordsFirst(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		whole := h.say(h.ada, h.room.ID, "a car in the street").ID
		var batch []sqldb.Imported
		for range 2100 { // more than are ranked
			batch = append(batch, sqldb.Imported{NewMessage: newMessage(h.room), Transcript: spoken("carpets and carrots")})
		}
		for part := range slices.Chunk(batch, 500) {
			h.check(h.Import(t.Context(), h.ada, part))
		}
		r := must(h.Search(t.Context(), h.bob, storage.Query{Text: "car"}))(t)
		if r.Total != storage.MaxTotal || r.Hits[0].Message.ID != whole {
			t.Errorf("of %d the first is %q", r.Total, r.Hits[0].Snippet.Text)
		}
		if r := must(h.Search(t.Context(), h.bob, storage.Query{Text: `"car"`}))(t); r.Total != 1 {
			t.Errorf("in quotes: %d", r.Total)
		}
	})
}

func TestSearchFindsTitles(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		titled := func(title, text string) string {
			m := newMessage(h.room)
			m.Title = title
			_, _, err := h.Accept(t.Context(), h.ada, m)
			h.check(err)
			if text != "" {
				h.check(h.SaveTranscript(t.Context(), h.begin(h.jobOf(m.ID)), spoken(text)))
			}
			return m.ID
		}
		bridge := titled("The Brücke at noon", "we saw the river")
		waits := titled("Harbour walk", "")
		find := func(text, want, marked string) {
			t.Helper()
			r := must(h.Search(t.Context(), h.bob, storage.Query{Text: text}))(t)
			got, marks := "", ""
			if len(r.Hits) == 1 {
				hit := r.Hits[0]
				got, marks = hit.Message.ID, bracketed(storage.Snippet{Text: hit.Message.Title, Marks: hit.TitleMarks})
			}
			if got != want || marks != marked || r.Total != len(r.Hits) || len(r.Hits) > 1 {
				t.Errorf("%q found %d: %q, %q; want %q, %q", text, len(r.Hits), got, marks, want, marked)
			}
		}
		find("brucke", bridge, "The [Brücke] at noon")
		find("BRÜ", bridge, "The [Brücke] at noon")
		find("bruke", bridge, "The [Brücke] at noon") // corrected
		find("river brucke", bridge, "The [Brücke] at noon")
		find(`"brucke at noon"`, bridge, "The [Brücke at noon]")
		find(`"noon we saw"`, "", "") // no phrase across
		find("noon -river", "", "")
		find("harbour", waits, "[Harbour] walk")
		r := must(h.Search(t.Context(), h.bob, storage.Query{Text: "noon"}))(t)
		if hit := r.Hits[0]; hit.Snippet.Text != "we saw the river" || len(hit.Snippet.Marks) > 0 || hit.StartMS != 0 || hit.EndMS != 0 {
			t.Errorf("hit of a title: %+v", hit)
		}

		title := "Pier walk"
		must(h.UpdateMessage(t.Context(), h.ada, waits, storage.MessagePatch{Title: &title}))(t)
		find("harbour", "", "")
		find("pier", waits, "[Pier] walk")
		title = ""
		must(h.UpdateMessage(t.Context(), h.ada, bridge, storage.MessagePatch{Title: &title}))(t)
		find("brucke", "", "")
		find("river", bridge, "")
		h.check(h.DeleteMessage(t.Context(), h.ada, bridge))
		h.check(h.DeleteMessage(t.Context(), h.ada, waits))
		if words, tris := must2(db.LexiconRows(t.Context()))(t); words+tris > 0 {
			t.Errorf("%d words and %d trigrams are left in the lexicon", words, tris)
		}
	})
}

// What a search of somebody names is theirs to see.
func TestSearchNamesConversationsAndPeople(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		user := func(name string, role storage.Role) storage.Principal {
			u := must(db.CreateUser(t.Context(), h.ada.WorkspaceID, name, role))(t)
			return storage.Principal{WorkspaceID: h.ada.WorkspaceID, UserID: u.ID, UserName: u.Name, Role: u.Role}
		}
		rene, gus := user("René -AND *Zürich*", storage.RoleMember), user("Gus", storage.Guest)
		walks := h.make(h.ada, storage.Channel, "Café walks", rene.UserID)
		direct := h.make(h.ada, storage.Direct, "", rene.UserID)
		shared := h.make(h.ada, storage.Channel, "Guests", gus.UserID)
		for _, c := range []struct {
			by            storage.Principal
			text          string
			conversations []string
			people        []string
		}{
			{h.ada, "cafe", []string{walks.ID}, nil},
			{h.ada, "CAFÉ wal", []string{walks.ID}, nil},
			{h.ada, "walk café", []string{}, nil}, // only the last word is completed
			{h.ada, "walks -cafe", nil, nil},
			{h.ada, "rene", []string{direct.ID}, []string{rene.UserID}},
			{h.ada, "-AND", nil, nil},
			{h.ada, "and", []string{direct.ID}, []string{rene.UserID}},
			{h.ada, "*zurich*", []string{direct.ID}, []string{rene.UserID}},
			{rene, "rene", nil, []string{rene.UserID}}, // a direct one is called by the others
			{rene, "guests", nil, nil},
			{h.bob, "cafe", nil, nil},
			{h.bob, "rene", nil, []string{rene.UserID}},
			{gus, "rene", nil, nil},
			{gus, "gue", []string{shared.ID}, nil},
			{gus, "gus", nil, []string{gus.UserID}},
			{gus, h.ada.UserName, nil, []string{h.ada.UserID}},
			{h.mal, "rene", nil, nil},
			{h.mal, "cafe", nil, nil},
		} {
			r, err := h.Search(t.Context(), c.by, storage.Query{Text: c.text})
			if c.text == "-AND" {
				wantErr(t, err, storage.ErrInvalidQuery)
				continue
			}
			h.check(err)
			var conversations, people []string
			for _, one := range r.Conversations {
				conversations = append(conversations, one.ID)
			}
			for _, one := range r.People {
				people = append(people, one.ID)
			}
			slices.Sort(conversations)
			if strings.Join(conversations, " ") != strings.Join(c.conversations, " ") || strings.Join(people, " ") != strings.Join(c.people, " ") {
				t.Errorf("%s finds by %q %v and %v, want %v and %v", c.by.UserName, c.text, conversations, people, c.conversations, c.people)
			}
		}
		if r := must(h.Search(t.Context(), h.ada, storage.Query{Text: "rene", From: h.bob.UserID}))(t); len(r.People)+len(r.Conversations) > 0 {
			t.Errorf("a limited search names %v and %v", r.People, r.Conversations)
		}
	})
}

func TestSearchWithoutWordsLists(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		second := h.conversation(h.ada)
		noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
		var ids []string
		for i := range 5 {
			m := newMessage([]storage.Conversation{h.room, second}[i%2])
			m.RecordedAt = noon.Add(time.Duration(i) * time.Hour)
			_, _, err := h.Accept(t.Context(), h.ada, m)
			h.check(err)
			if i > 0 {
				h.check(h.SaveTranscript(t.Context(), h.begin(h.jobOf(m.ID)), spoken(strings.Repeat("word ", 20*i))))
			}
			ids = append(ids, m.ID)
		}
		bobs := h.say(h.bob, h.room.ID, "By bob.").ID
		h.speak("n1") // is being spoken: not yet
		draft := newMessage(h.room)
		draft.Unsent, draft.Title = true, "Not sent"
		_, _, err := h.Accept(t.Context(), h.ada, draft)
		h.check(err)
		for name, c := range map[string]struct {
			by   storage.Principal
			q    storage.Query
			want []string
		}{
			"by ada":         {h.ada, storage.Query{From: h.ada.UserID}, []string{ids[4], ids[3], ids[2], ids[1], ids[0]}},
			"by ada, to bob": {h.bob, storage.Query{From: h.ada.UserID, Text: "  "}, []string{ids[4], ids[2], ids[0]}},
			"a room":         {h.ada, storage.Query{Conversation: h.room.ID, Sort: storage.Newest}, []string{bobs, ids[4], ids[2], ids[0]}},
			"at noon":        {h.ada, storage.Query{After: noon, Before: noon.Add(2 * time.Hour)}, []string{ids[1], ids[0]}},
			"by bob":         {h.ada, storage.Query{From: h.bob.UserID, After: noon}, []string{bobs}},
			"by nobody":      {h.ada, storage.Query{From: storage.NewID()}, nil},
			"as eve":         {h.eve, storage.Query{From: h.ada.UserID}, nil},
			"as mal":         {h.mal, storage.Query{From: h.ada.UserID}, nil},
		} {
			var got []string
			total := 0
			for c.q.Page.Limit = 2; len(got) == 0 || c.q.Page.Cursor != ""; {
				r := must(h.Search(t.Context(), c.by, c.q))(t)
				for _, hit := range r.Hits {
					got = append(got, hit.Message.ID)
				}
				total, c.q.Page.Cursor = r.Total, r.NextCursor
				if len(r.Hits) == 0 {
					break
				}
			}
			if !slices.Equal(got, c.want) || total != len(c.want) {
				t.Errorf("%s: %d, %v; want %v", name, total, got, c.want)
			}
		}
		r := must(h.Search(t.Context(), h.ada, storage.Query{From: h.bob.UserID}))(t)
		if hit := r.Hits[0]; hit.Snippet.Text != "By bob." || hit.Message.FirstWords != "By bob." {
			t.Errorf("listed as %q, called %q", hit.Snippet.Text, hit.Message.FirstWords)
		}
		for _, q := range []storage.Query{{}, {Text: " "}, {Text: "-", From: h.bob.UserID}} {
			_, err := h.Search(t.Context(), h.ada, q)
			wantErr(t, err, storage.ErrInvalidQuery)
		}
	})
}

// A draft is found by nobody, by its title neither, until it is sent.
func TestSearchFindsTitlesOfSentDrafts(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		m := newMessage(h.room)
		m.Unsent, m.Title = true, "Harbour walk"
		_, _, err := h.Accept(t.Context(), h.ada, m)
		h.check(err)
		found := func(text string) int {
			return must(h.Search(t.Context(), h.ada, storage.Query{Text: text}))(t).Total
		}
		title := "Pier walk"
		must(h.UpdateMessage(t.Context(), h.ada, m.ID, storage.MessagePatch{Title: &title}))(t)
		h.check(db.IndexTitles(t.Context()))
		before := found("pier")
		must(h.SendMessage(t.Context(), h.ada, m.ID))(t)
		sent := found("pier")
		must(h.UnsendMessage(t.Context(), h.ada, m.ID))(t)
		unsent := found("pier")
		must(h.SendMessage(t.Context(), h.ada, m.ID))(t)
		if again := found("pier"); before != 0 || sent != 1 || unsent != 0 || again != 1 {
			t.Errorf("found %d as a draft, %d sent, %d unsent, %d sent again", before, sent, unsent, again)
		}
		h.check(h.DeleteMessage(t.Context(), h.ada, m.ID))
		if words, _ := must2(db.LexiconRows(t.Context()))(t); words > 0 {
			t.Errorf("%d words are left in the lexicon", words)
		}
	})
}

// Before titles were indexed, messages had them.
func TestIndexTitles(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		said, silent := h.say(h.ada, h.room.ID, "what was said"), newMessage(h.room)
		_, _, err := h.Accept(t.Context(), h.ada, silent)
		h.check(err)
		h.check(db.Exec(t.Context(), `UPDATE messages SET title = 'Ancient'`))
		for range 2 {
			h.check(db.IndexTitles(t.Context()))
			if r := must(h.Search(t.Context(), h.bob, storage.Query{Text: "ancient"}))(t); r.Total != 2 {
				t.Errorf("found %d", r.Total)
			}
		}
		if r := must(h.Search(t.Context(), h.bob, storage.Query{Text: `ancient "was said"`}))(t); r.Total != 1 || r.Hits[0].Message.ID != said.ID {
			t.Errorf("found %d", r.Total)
		}
	})
}
