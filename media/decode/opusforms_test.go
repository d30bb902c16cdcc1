package decode

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"hark/media"
	"hark/media/internal/mediatest"
	"hark/media/internal/ogg"
	"hark/media/opus"
)

// oggForm says how a test writes packets of Opus as Ogg. The zero value writes
// a whole file as it should be, of one packet a page.
type oggForm struct {
	serial  uint32
	perPage int
	skip    int                                      // in the header; 0 means 312
	gain    int                                      // in 1/256 dB
	granule func(page int, end, samples int64) int64 // of the page that ends at end; nil means end
	change  func(page int, p *ogg.Page)              // before it is written; page -2 is the head, -1 the comments
	drop    func(page int) bool
}

func (form oggForm) pages(packets [][]byte) [][]byte {
	skip := form.skip
	if skip == 0 {
		skip = 312
	}
	var pages [][]byte
	write := func(number int, p ogg.Page) {
		p.Serial, p.Sequence = form.serial, uint32(number+2)
		if form.change != nil {
			form.change(number, &p)
		}
		if form.drop == nil || !form.drop(number) {
			pages = append(pages, p.Append(nil))
		}
	}
	packet := func(b []byte) (p ogg.Page) { p.Add(b); return p }
	head := append([]byte("OpusHead"), 1, 1)
	head = binary.LittleEndian.AppendUint16(head, uint16(skip))
	head = binary.LittleEndian.AppendUint32(head, opus.Rate)
	head = binary.LittleEndian.AppendUint16(head, uint16(form.gain))
	p := packet(append(head, 0))
	p.First = true
	write(-2, p)
	write(-1, packet([]byte("OpusTags\x00\x00\x00\x00\x00\x00\x00\x00")))
	end := int64(0)
	perPage := max(1, form.perPage)
	for number := 0; len(packets) > 0; number++ {
		var p ogg.Page
		samples := int64(0)
		for _, b := range packets[:min(perPage, len(packets))] {
			p.Add(b)
			n, _ := opus.Samples(b)
			samples += int64(n)
		}
		packets = packets[min(perPage, len(packets)):]
		end += samples
		p.Granule, p.Last = end, len(packets) == 0
		if form.granule != nil {
			p.Granule = form.granule(number, end, samples)
		}
		write(number, p)
	}
	return pages
}

func (form oggForm) file(packets [][]byte) []byte { return bytes.Join(form.pages(packets), nil) }

// speechPackets returns a few seconds of speech in packets of some
// milliseconds.
func speechPackets(t testing.TB, length string) [][]byte {
	t.Helper()
	b := mediatest.Read(t, mediatest.FFmpeg(t, "a.opus", "-i", mediatest.Speech(t), "-c:a", "libopus", "-b:a", "24k", "-frame_duration", length))
	packets := ogg.NewPackets(opusMaxPacket)
	var all [][]byte
	for pages := ogg.NewReader(bytes.NewReader(b)); ; {
		page, err := pages.Next()
		if err != nil {
			return all[2:]
		}
		_ = packets.Add(page, func(packet []byte, _ bool) error {
			all = append(all, bytes.Clone(packet))
			return nil
		})
	}
}

// sameSound asks that two sounds are as long as each other, and alike.
func sameSound(t *testing.T, want, got []float32) {
	t.Helper()
	longer := media.Duration(int64(len(got) - len(want)))
	c, lag := likeness(want, got, 0)
	if longer.Abs() > 60*time.Millisecond || c < 0.98 {
		t.Errorf("%v longer, %.3f alike at %v", longer, c, lag)
	}
}

// TestOpusPositionsAreHints writes one speech with granule positions as
// writers in the wild count them. Nothing may be cut, shifted or added.
func TestOpusPositionsAreHints(t *testing.T) {
	short, long := speechPackets(t, "20"), speechPackets(t, "60")
	constant := func(step int64) func(int, int64, int64) int64 {
		return func(page int, _, _ int64) int64 { return int64(page+1) * step }
	}
	shifted := func(by int64) func(int, int64, int64) int64 {
		return func(_ int, end, _ int64) int64 { return end + by }
	}
	random := rand.New(rand.NewPCG(1, 2))
	for name, c := range map[string]struct {
		packets [][]byte
		form    oggForm
	}{
		"an RTP time stamp at the start":      {short, oggForm{granule: shifted(0xA1B2C3D4)}},
		"an RTP time stamp that wraps":        {short, oggForm{granule: func(_ int, end, _ int64) int64 { return (end + 0xFFFF0000) & 0xFFFFFFFF }}},
		"the start of each packet":            {short, oggForm{granule: func(_ int, end, samples int64) int64 { return end - samples + 1 }}},
		"near the end of 63 bits":             {short, oggForm{granule: shifted(math.MaxInt64 - 100_000)}},
		"negative":                            {short, oggForm{granule: shifted(-1 << 40)}},
		"from below zero up":                  {short, oggForm{granule: shifted(-100_000)}},
		"a position too small by 8 samples":   {short, oggForm{perPage: 51, granule: shifted(-8)}},
		"always 0":                            {short, oggForm{granule: constant(0)}},
		"always 0 in full pages":              {short, oggForm{perPage: 50, granule: constant(0)}},
		"never a position":                    {short, oggForm{granule: func(int, int64, int64) int64 { return ogg.NoGranule }}},
		"60 ms counted as 20":                 {long, oggForm{granule: constant(960)}},
		"60 ms counted as 20 in full pages":   {long, oggForm{perPage: 16, granule: constant(960 * 16)}},
		"20 ms counted as 60":                 {short, oggForm{granule: constant(2880)}},
		"20 ms counted as 60 in full pages":   {short, oggForm{perPage: 50, granule: constant(2880 * 50)}},
		"counted in 16 kHz":                   {short, oggForm{granule: func(_ int, end, _ int64) int64 { return end / 3 }}},
		"counted in bytes":                    {long, oggForm{granule: func(page int, _, _ int64) int64 { return int64(page+1)*90 + int64(page%7) }}},
		"counted by a clock that jitters":     {short, oggForm{granule: func(_ int, end, _ int64) int64 { return end + random.Int64N(4000) }}},
		"counted in nanoseconds":              {short, oggForm{granule: func(_ int, end, _ int64) int64 { return end * 1_000_000_000 / opus.Rate }}},
		"counted in microseconds":             {short, oggForm{granule: func(_ int, end, _ int64) int64 { return end * 1_000_000 / opus.Rate }}},
		"counted backwards":                   {short, oggForm{granule: func(_ int, end, _ int64) int64 { return 1<<30 - end }}},
		"starting again in the middle":        {short, oggForm{granule: func(page int, end, _ int64) int64 { return end - int64(page/100)*96_000 }}},
		"jumping by hours":                    {short, oggForm{granule: func(page int, end, _ int64) int64 { return end + int64(page/100)*5*3600*opus.Rate }}},
		"an end that cuts off a second":       {short, oggForm{granule: func(page int, end, _ int64) int64 { return end - int64(page/(len(short)-1))*opus.Rate }}},
		"an end at 0":                         {short, oggForm{granule: func(page int, end, _ int64) int64 { return end * int64(1-page/(len(short)-1)) }}},
		"a single page at 0":                  {short[:10], oggForm{perPage: 10, granule: constant(0)}},
		"a pre-skip longer than the file":     {short[:50], oggForm{skip: 65535}},
		"the first page marked on the second": {short, oggForm{change: func(n int, p *ogg.Page) { p.First = n < 0 }}},
		"every page marked first":             {short, oggForm{change: func(_ int, p *ogg.Page) { p.First = true }}},
		"no page marked last":                 {short, oggForm{change: func(_ int, p *ogg.Page) { p.Last = false }}},
		"every page marked last":              {short, oggForm{change: func(n int, p *ogg.Page) { p.Last = n >= 0 }}},
		"pages never numbered":                {short, oggForm{change: func(_ int, p *ogg.Page) { p.Sequence = 0 }}},
		"another serial number half-way": {short, oggForm{change: func(n int, p *ogg.Page) {
			p.Serial = uint32(max(0, n) / 200)
			p.Sequence -= uint32(max(0, n) / 200 * 200)
		}}},
		"no comments": {short, oggForm{drop: func(n int) bool { return n == -1 }, change: func(n int, p *ogg.Page) { p.Sequence = uint32(max(0, n+1)) }}},
	} {
		t.Run(name, func(t *testing.T) {
			want, _ := mustDecodeBytes(t, oggForm{}.file(c.packets))
			got, report := mustDecodeBytes(t, c.form.file(c.packets))
			sameSound(t, want, got)
			if report.Truncated || len(report.Lost) > 0 || report.Decoder != "opus" {
				t.Errorf("said to be damaged: %+v", report)
			}
		})
	}
}

// TestOpusGaps jumps ahead with the granule positions, as a recorder does when
// nothing is sent for a while. The message's time is the file's.
func TestOpusGaps(t *testing.T) {
	packets := speechPackets(t, "20")
	whole, _ := mustDecodeBytes(t, oggForm{}.file(packets))
	for name, c := range map[string]struct {
		perPage int
		gap     time.Duration
		every   int  // pages; 0 means once
		lost    bool // pages are missing there
		first   int64
	}{
		"once":                      {1, 5 * time.Second, 0, false, 0},
		"once, from a random start": {1, 5 * time.Second, 0, false, 0xA1B2C3D4},
		"in full pages":             {50, 5 * time.Second, 0, false, 0},
		"of two minutes":            {1, 2 * time.Minute, 0, false, 0},
		"of a packet":               {1, 20 * time.Millisecond, 0, false, 0},
		"every second, as DTX":      {1, 380 * time.Millisecond, 50, false, 0},
		"of lost pages":             {1, 5 * time.Second, 0, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			at := 100 / c.perPage
			gaps := func(page int) int64 {
				if c.every > 0 {
					return int64(page / c.every)
				}
				return int64(min(page/at, 1))
			}
			form := oggForm{perPage: c.perPage, granule: func(page int, end, _ int64) int64 {
				return c.first + end + gaps(page)*3*media.Samples(c.gap)
			}}
			if c.lost {
				form.change = func(page int, p *ogg.Page) { p.Sequence += uint32(250 * gaps(max(0, page))) }
			}
			got, report := mustDecodeBytes(t, form.file(packets))
			pages := (len(packets) - 1) / c.perPage
			longer := media.Duration(int64(len(got) - len(whole)))
			if want := time.Duration(gaps(pages)) * c.gap; (longer - want).Abs() > 10*time.Millisecond {
				t.Errorf("%v longer, want %v", longer, want)
			}
			tail := 2 * media.SampleRate
			if c.every > 0 {
				tail = pages % c.every * media.SampleRate / 50
			}
			if c := correlation(whole[len(whole)-tail:], got[len(got)-tail:], 0); c < 0.95 {
				t.Errorf("after the gap the last %d samples are %.3f alike", tail, c)
			}
			start := 2*time.Second - 6500*time.Microsecond
			if c.lost != (len(report.Lost) == 1) || c.lost && ((report.Lost[0].Start-start).Abs() > time.Millisecond || (report.Lost[0].End-start-c.gap).Abs() > time.Millisecond) {
				t.Errorf("lost %v", report.Lost)
			}
		})
	}
}

// TestOpusLost asks that what is missing is told with its time.
func TestOpusLost(t *testing.T) {
	packets := speechPackets(t, "20")
	whole, _ := mustDecodeBytes(t, oggForm{}.file(packets))
	missing := func(page int) bool { return page >= 100 && page < 150 }
	zero := func(int, int64, int64) int64 { return 0 }
	last := oggForm{perPage: 50}.pages(packets[:100])
	cut := last[len(last)-1]
	for name, c := range map[string]struct {
		clip       []byte
		start, end time.Duration
		longer     time.Duration
	}{
		"pages":                    {oggForm{drop: missing}.file(packets), 2 * time.Second, 3 * time.Second, 0},
		"pages without positions":  {oggForm{drop: missing, granule: zero}.file(packets), 2 * time.Second, 3 * time.Second, 0},
		"the first pages":          {oggForm{drop: func(n int) bool { return n >= 0 && n < 50 }}.file(packets), 0, time.Second, 0},
		"the first pages, stamped": {oggForm{drop: func(n int) bool { return n >= 0 && n < 50 }, granule: func(_ int, end, _ int64) int64 { return end + 1<<40 }}.file(packets), 0, time.Second, 0},
		"what is no page":          {append(oggForm{}.file(packets), bytes.Repeat([]byte("another file "), 2000)...), media.Duration(int64(len(whole))), media.Duration(int64(len(whole))) + 6*time.Second, 0},
		"the end of the last page": {
			bytes.Join(append(last[:len(last)-1:len(last)-1], cut[:len(cut)/2]), nil),
			1500 * time.Millisecond, 2 * time.Second, 1500*time.Millisecond - media.Duration(int64(len(whole))),
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, report := mustDecodeBytes(t, c.clip)
			if !report.Truncated || len(report.Lost) != 1 {
				t.Fatalf("%+v", report)
			}
			lost := report.Lost[0]
			if (lost.Start-c.start).Abs() > 300*time.Millisecond || (lost.End-c.end).Abs() > 300*time.Millisecond && name != "what is no page" {
				t.Errorf("lost %v", lost)
			}
			if longer := media.Duration(int64(len(got) - len(whole))); (longer - c.longer).Abs() > 300*time.Millisecond {
				t.Errorf("%v longer, want %v", longer, c.longer)
			}
		})
	}
}

// TestOpusDamagedPagesAreHeard changes bytes in a page of a second, and all
// checksums: what the pages hold is better than nothing.
func TestOpusDamagedPagesAreHeard(t *testing.T) {
	packets := speechPackets(t, "20")
	whole, _ := mustDecodeBytes(t, oggForm{}.file(packets))
	pages := oggForm{perPage: 50}.pages(packets)
	for _, page := range pages {
		page[22] ^= 0x55
	}
	got, report := mustDecodeBytes(t, bytes.Join(pages, nil))
	sameSound(t, whole, got)
	if !report.Truncated {
		t.Error("the damage was not reported")
	}
}

// TestOpusLinks chains links that differ in all that may differ.
func TestOpusLinks(t *testing.T) {
	short, long := speechPackets(t, "20"), speechPackets(t, "60")
	one, _ := mustDecodeBytes(t, oggForm{}.file(short))
	two, _ := mustDecodeBytes(t, oggForm{}.file(long))
	stereo := mediatest.Read(t, mediatest.FFmpeg(t, "s.opus", "-i", mediatest.Speech(t), "-ac", "2", "-c:a", "libopus", "-b:a", "48k"))
	three, _ := mustDecodeBytes(t, stereo)
	unended := func(n int, p *ogg.Page) { p.Last = false }
	clip := oggForm{serial: 1, change: unended, granule: func(_ int, end, _ int64) int64 { return end + 1<<33 }}.file(short)
	clip = append(clip, oggForm{serial: 2, skip: 3840, granule: func(page int, _, _ int64) int64 { return int64(page+1) * 960 }}.file(long)...)
	clip = append(clip, stereo...)
	clip = append(clip, oggForm{serial: 1}.file(short)...)
	got, report := mustDecodeBytes(t, clip)
	want := append(append(append(soundOf(one), soundOf(two[(3840-312)/3:])...), three...), one...)
	sameSound(t, want, got)
	if report.Truncated || len(report.Lost) > 0 {
		t.Errorf("%+v", report)
	}
}

func soundOf(p []float32) []float32 { return append([]float32{}, p...) }

// TestOpusLinkInAnotherCodec chains Vorbis between Opus.
func TestOpusLinkInAnotherCodec(t *testing.T) {
	link := oggForm{serial: 1}.file(speechPackets(t, "20"))
	one, _ := mustDecodeBytes(t, link)
	vorbis := mediatest.Read(t, mediatest.FFmpeg(t, "a.ogg", "-i", mediatest.Speech(t), "-ar", "44100", "-c:a", "libvorbis"))
	got, report := mustDecodeBytes(t, slices.Concat(link, vorbis, link))
	lasts := media.Duration(int64(len(one)))
	if d := media.Duration(int64(len(got))) - 3*lasts; d.Abs() > 100*time.Millisecond {
		t.Errorf("%v longer", d)
	}
	if !report.Truncated || len(report.Lost) != 1 || (report.Lost[0].Start-lasts).Abs() > 100*time.Millisecond || (report.Lost[0].End-2*lasts).Abs() > 100*time.Millisecond {
		t.Errorf("%+v", report)
	}
}

// TestOpusBesideOthers puts a stream that is no sound between the pages, with
// and without its beginning.
func TestOpusBesideOthers(t *testing.T) {
	packets := speechPackets(t, "20")
	whole, _ := mustDecodeBytes(t, oggForm{}.file(packets))
	for _, begins := range []bool{true, false} {
		var clip []byte
		for i, page := range (oggForm{serial: 1, perPage: 10}).pages(packets) {
			clip = append(clip, page...)
			other := ogg.Page{Serial: 2, Sequence: uint32(i), First: i == 0 && begins}
			other.Add([]byte("\x80theora and what follows"))
			clip = other.Append(clip)
		}
		got, report := mustDecodeBytes(t, clip)
		sameSound(t, whole, got)
		if report.Truncated || report.Decoder != "opus" {
			t.Errorf("%+v", report)
		}
	}
}

// TestOpusTwoStreams puts a silent stream before one with speech: both are
// heard, as they play at once.
func TestOpusTwoStreams(t *testing.T) {
	packets := speechPackets(t, "20")
	whole, _ := mustDecodeBytes(t, oggForm{}.file(packets))
	silent := make([][]byte, len(packets))
	for i := range silent {
		silent[i] = []byte{31 << 3, 0xFF, 0xFE} // 20 ms
	}
	a, b := oggForm{serial: 1, perPage: 50}.pages(silent), oggForm{serial: 2, perPage: 50}.pages(packets)
	var clip []byte
	for i := range a {
		clip = append(append(clip, a[i]...), b[i]...)
	}
	got, report := mustDecodeBytes(t, clip)
	sameSound(t, whole, got)
	if report.Decoder != "ffmpeg" || len(report.Lost) > 0 {
		t.Errorf("%+v", report)
	}
}
