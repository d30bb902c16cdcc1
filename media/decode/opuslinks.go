package decode

import (
	"errors"
	"fmt"
	"io"

	"hark/media/internal/ogg"
	"hark/media/opus"
)

const (
	maxOpusLinks = 10_000 // of one file that are decoded
	maxSerials   = 1000   // other streams of one file that are told apart
)

// opusLink is what a first reading tells of one link of a chained file, or of
// the one that there is.
type opusLink struct {
	head     opusHead
	unknown  error  // why it cannot be decoded here; nil when it can
	serial   uint32 // of its stream
	first    int    // number of its first page
	last     int    // number of the last page on which a packet of sound ends
	pages    int64  // with sound
	samples  int64  // of its packets, at opus.Rate
	bytes    int64  // of its pages with sound
	rate     int64  // in which another codec counts, where the link is of one
	jumps    int64  // pages whose number does not follow
	count    opusCount
	strays   map[uint32]int // streams that never began, and their last page
	sequence uint32
}

// has reports whether pages of a stream belong to the link: its own, or what
// goes on behind it under another serial number.
func (l *opusLink) has(serial uint32) bool {
	_, stray := l.strays[serial]
	return stray || serial == l.serial
}

// numbered reports whether page numbers say that pages were lost. Some writers
// never count them.
func (l *opusLink) numbered() bool { return l.jumps*2 <= l.pages }

// estimate returns how many samples a number of lost pages held.
func (l *opusLink) estimate(lost uint32) int64 {
	if int64(lost) > l.pages {
		return 0 // not believed
	}
	return min(int64(lost)*(l.samples/max(1, l.pages)), opusLongestGap)
}

// lasts estimates how many samples bytes are worth that are like the link's.
func (l *opusLink) lasts(bytes int64) int64 {
	return min(int64(float64(bytes)*float64(l.samples)/float64(max(1, l.bytes))), opusLongestGap)
}

// skip returns the samples at opus.Rate to drop at the link's start. A header
// that would drop most of the sound is not believed.
func (l *opusLink) skip() int64 {
	if skip := int64(l.head.preSkip); skip*2 <= l.samples {
		return skip
	}
	return opusUsualSkip
}

// opusUsualSkip is what the encoder lags behind that nearly all writers use.
const opusUsualSkip = 312

// opusReading reads a file for its links.
type opusReading struct {
	links   []*opusLink
	foreign map[uint32]bool // streams of something else
	packets *ogg.Packets
	heads   bool // only first pages so far in this group of streams
	sounds  int  // streams of sound in the group

	pending struct { // the page before, in the link
		granule, samples int64
		counted, lost    bool
	}
}

// readOpusLinks reads all pages of a file. Several streams of sound that play
// at once are unsupported.
func readOpusLinks(r io.Reader) ([]*opusLink, error) {
	s := opusReading{foreign: map[uint32]bool{}, packets: ogg.NewPackets(opusMaxPacket)}
	pages := ogg.NewLenientReader(r)
	for number := 0; ; number++ {
		page, err := pages.Next()
		if errors.Is(err, io.EOF) || len(s.links) > maxOpusLinks {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read Ogg page: %w", err)
		}
		if err := s.add(page, number); err != nil {
			return nil, err
		}
	}
	s.close()
	return s.links, nil
}

func (s *opusReading) link() *opusLink {
	if len(s.links) == 0 {
		return nil
	}
	return s.links[len(s.links)-1]
}

func (s *opusReading) add(page ogg.Page, number int) error {
	link := s.link()
	head, err := parseOpusHead(page.Body)
	begins := !errors.Is(err, errNotOpus)
	other := page.First && !begins && (link == nil || link.serial != page.Serial)
	if (begins || other) && !s.heads {
		s.heads, s.sounds = true, 0
	}
	rate := int64(0)
	if other {
		rate, _ = ogg.Rate(page.Body)
	}
	if begins || rate > 0 {
		if s.sounds++; s.sounds > 1 && (link == nil || link.serial != page.Serial) {
			return fmt.Errorf("%w: streams of sound that play at once", errUnsupported)
		}
	}
	switch {
	case begins:
		s.close()
		delete(s.foreign, page.Serial)
		s.links = append(s.links, &opusLink{head: head, unknown: err, serial: page.Serial, first: number, sequence: page.Sequence})
	case rate > 0 && link != nil:
		s.close()
		unknown := fmt.Errorf("%w: a link in another codec", errUnsupported)
		s.links = append(s.links, &opusLink{unknown: unknown, rate: rate, serial: page.Serial, first: number, sequence: page.Sequence})
	case other:
		if len(s.foreign) < maxSerials {
			s.foreign[page.Serial] = true
		}
	default:
		s.heads = false
		if link != nil && !s.foreign[page.Serial] {
			s.sound(link, page, number)
		}
	}
	return nil
}

// sound takes a page of the link, or a stray.
func (s *opusReading) sound(link *opusLink, page ogg.Page, number int) {
	if page.Serial != link.serial {
		if link.strays == nil {
			link.strays = map[uint32]int{}
		}
		if len(link.strays) < maxSerials {
			link.strays[page.Serial] = number
		}
		return
	}
	if link.rate > 0 {
		if lasts := page.Granule / link.rate; lasts > 0 && lasts < opusLongestGap/opus.Rate {
			link.samples = page.Granule * opus.Rate / link.rate
		}
		return
	}
	lost := page.Sequence != link.sequence+1
	link.sequence = page.Sequence
	if lost {
		link.jumps++
		s.packets.Reset()
	}
	var samples int64
	_ = s.packets.Add(page, func(packet []byte, _ bool) error { // the function gives no error
		if n, err := opus.Samples(packet); err == nil {
			samples += int64(n)
		}
		return nil
	})
	if samples == 0 {
		return
	}
	for serial := range link.strays { // it plays beside the link
		delete(link.strays, serial)
		s.foreign[serial] = true
	}
	s.settle(link)
	link.pages, link.samples, link.last = link.pages+1, link.samples+samples, number
	link.bytes += int64(page.Size())
	s.pending.granule, s.pending.samples = page.Granule, samples
	s.pending.counted, s.pending.lost = page.Granule != ogg.NoGranule, lost
}

// settle counts the page before, which was not the last.
func (s *opusReading) settle(link *opusLink) {
	p := s.pending
	if p.samples > 0 {
		link.count.page(p.granule, p.samples, p.counted, p.lost && link.pages > 1)
	}
	s.pending.samples = 0
}

// close ends the present link. The end of its last page may be cut short, and
// then tells nothing of how it counts.
func (s *opusReading) close() {
	link := s.link()
	if link == nil {
		return
	}
	p, c := s.pending, link.count
	if over := c.waiting + p.samples - ahead(c.granule, p.granule); c.counted && (over < 0 || over > opusMostTrim) {
		s.settle(link)
	}
	s.pending.samples = 0
	for _, last := range link.strays {
		link.last = max(link.last, last)
	}
	s.packets.Reset()
}
