package decode

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"

	"hark/media"
	"hark/media/internal/ogg"
	"hark/media/opus"
)

const (
	opusDivide    = opus.Rate / media.SampleRate
	opusMaxPacket = 64 << 10 // bytes; the longest legal packet is shorter
)

// opusStream decodes an Ogg/Opus file (RFC 7845), link after link when several
// are chained. Packets last as long as they say themselves; granule positions
// are hints for what is missing between them, believed as far as a first
// reading of the file found them to agree with the packets.
type opusStream struct {
	out     *pcmSink
	packets *ogg.Packets
	links   []*opusLink
	next    int          // of links
	link    *opusLink    // the present one; nil before the first
	decoder *opus.Stream // of the present link; nil where that cannot be decoded
	decoded int64        // packets that gave sound
	faults  int64        // holes, and packets that did not

	serial   uint32
	sequence uint32 // of the last page
	comments bool   // the link's comments may follow
	skip     int    // samples still to drop at the start of the link
	gain     float32
	clock    opusClock

	page  [][]byte // packets of the present page; nil where one is lost
	arena []byte   // their bytes
}

// decodeOpus decodes families 0 and 1 of one or two channels; more channels
// are unsupported. Damaged pages, lost pages and broken packets are concealed.
func decodeOpus(src *io.SectionReader, out *pcmSink) error {
	links, err := readOpusLinks(out.reader(src))
	if err != nil {
		return err
	}
	if len(links) > 0 && links[0].unknown != nil {
		return links[0].unknown
	}
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return err
	}
	s := &opusStream{out: out, packets: ogg.NewPackets(opusMaxPacket), links: links}
	out.start(media.SampleRate)
	pages := ogg.NewLenientReader(out.reader(src))
	for number := 0; ; number++ {
		page, err := pages.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read Ogg page: %w", err)
		}
		if err := s.add(page, number); err != nil {
			return err
		}
	}
	if err := s.rest(pages); err != nil {
		return err
	}
	switch {
	case s.decoded == 0:
		return errors.New("no Opus packet could be decoded")
	case s.faults > 0 || pages.Skipped() > 0:
		return fmt.Errorf("%d faults and %d lost bytes in Ogg/Opus", s.faults, pages.Skipped())
	}
	return nil
}

// add takes the next page of the file.
func (s *opusStream) add(page ogg.Page, number int) error {
	if s.next < len(s.links) && s.links[s.next].first == number {
		if s.next++; s.next > maxOpusLinks {
			return fmt.Errorf("more than %d links in Ogg/Opus", maxOpusLinks)
		}
		return s.begin(s.links[s.next-1], page)
	}
	if s.link == nil || !s.link.has(page.Serial) {
		return nil
	}
	var lost uint32
	if page.Serial == s.serial && s.link.numbered() {
		if lost = page.Sequence - s.sequence - 1; lost > 1<<31 {
			lost = 0 // it counts anew
		}
	}
	s.serial, s.sequence = page.Serial, page.Sequence
	if lost > 0 {
		s.packets.Reset()
		s.faults++
	}
	if page.Damaged {
		s.faults++
	}
	begun := !s.comments
	if err := s.collect(page); err != nil {
		return err
	}
	if len(s.page) == 0 {
		return nil
	}
	return s.play(page, lost, begun, page.Last && number == s.link.last)
}

// begin starts a link.
func (s *opusStream) begin(link *opusLink, page ogg.Page) error {
	s.link, s.decoder = link, nil
	s.serial, s.sequence = page.Serial, page.Sequence
	s.packets.Reset()
	s.comments = true
	s.clock = opusClock{kind: link.count.verdict()}
	s.skip = int(link.skip()+1) / opusDivide
	s.gain = float32(math.Pow(10, float64(link.head.gain)/(20*256)))
	if link.unknown != nil {
		s.faults++
		return s.out.silence(media.Duration(link.samples / opusDivide))
	}
	var err error
	s.decoder, err = opus.NewStream(link.head.channels)
	return err
}

// collect gathers the packets that end on the page, without the comments.
func (s *opusStream) collect(page ogg.Page) error {
	s.page, s.arena = s.page[:0], s.arena[:0]
	if s.decoder == nil {
		return nil
	}
	return s.packets.Add(page, func(packet []byte, complete bool) error {
		comments := s.comments && (!complete || bytes.HasPrefix(packet, []byte("OpusTags")))
		s.comments = false
		switch {
		case comments, len(packet) == 0 && page.Last: // some writers end so
		case !complete || len(packet) == 0:
			s.page = append(s.page, nil)
		default:
			at := len(s.arena)
			s.arena = append(s.arena, packet...)
			s.page = append(s.page, s.arena[at:len(s.arena):len(s.arena)])
		}
		return nil
	})
}

// play decodes the collected packets, after what is missing before them. begun
// tells that the headers are over, so that lost pages were of sound.
func (s *opusStream) play(page ogg.Page, lost uint32, begun, last bool) error {
	total := 0
	for _, packet := range s.page {
		total += s.decoder.Length(packet)
	}
	samples, counted := int64(total)*opusDivide, page.Granule != ogg.NoGranule
	before, first := s.clock.expected, !s.clock.started
	gap := s.clock.gap(page.Granule, samples, counted)
	switch guess := s.link.estimate(lost); {
	case lost > 0 && s.clock.kind == countsWrong:
		gap = guess
	case lost > 0 && first:
		// Positions begin anywhere; where this one would fit, it is exact.
		if gap = page.Granule - samples; !counted || gap < guess/2 || gap > 2*guess {
			gap = guess
			if !begun {
				gap = 0
			}
		}
	}
	if most := s.out.max; most > 0 && s.out.samples+gap/opusDivide >= most {
		gap = 0 // silence alone never makes a message too long
	}
	if err := s.fill(gap/opusDivide, lost > 0); err != nil {
		return err
	}
	keep := total
	if last && counted {
		if first {
			before = 0 // where a file of one page begins
		}
		if over := s.clock.surplus(before, page.Granule, samples); !first || over < samples {
			keep -= int(over+1) / opusDivide
		}
	}
	for i, packet := range s.page {
		var next []byte
		if i+1 < len(s.page) {
			next = s.page[i+1]
		}
		since := s.out.now()
		pcm, good := s.decoder.Decode(packet, next)
		n := min(len(pcm)/s.link.head.channels, keep)
		keep -= n
		if err := s.give(pcm[:n*s.link.head.channels]); err != nil {
			return err
		}
		if good {
			s.decoded++
		} else {
			s.faults++
			s.out.lose(since)
		}
	}
	return nil
}

// fill gives n samples in place of what is missing before the collected
// packets: it was lost, or nothing was sent while nobody spoke.
func (s *opusStream) fill(n int64, lost bool) error {
	since := s.out.now()
	if err := s.decoder.Conceal(n, s.page[0], s.give); err != nil {
		return err
	}
	if lost {
		s.out.lose(since)
	}
	return nil
}

// rest plays what is there of a last page that is cut off, and tells what else
// is behind the last page.
func (s *opusStream) rest(pages *ogg.Reader) error {
	page, missing, ok := pages.Rest()
	if s.decoder == nil {
		return nil
	}
	if !ok || page.Serial != s.serial || page.Sequence != s.sequence+1 {
		end := s.out.now()
		if lost := media.Duration(s.link.lasts(pages.Behind()) / opusDivide); lost > leastBehind {
			s.out.lost.add(end, end+lost)
		}
		return nil
	}
	if err := s.collect(page); err != nil {
		return err
	}
	page.Granule = ogg.NoGranule // it is that of the page's end
	if len(s.page) > 0 {
		if err := s.play(page, 0, true, false); err != nil {
			return err
		}
	}
	end := s.out.now()
	s.out.lost.add(end, end+media.Duration(int64(missing*s.decoder.Length(nil))))
	return nil
}

// give applies the link's gain and writes what is past its pre-skip.
func (s *opusStream) give(pcm []float32) error {
	channels := s.link.head.channels
	n := min(s.skip, len(pcm)/channels)
	s.skip -= n
	pcm = pcm[n*channels:]
	if s.gain != 1 {
		for i := range pcm {
			pcm[i] *= s.gain
		}
	}
	return s.out.write(pcm, channels)
}
