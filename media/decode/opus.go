package decode

import (
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
	// opusMaxHole is how much silence a hole is worth, in samples. What the
	// counters of a damaged file claim beyond that is not believed.
	opusMaxHole = 10 * media.SampleRate
)

// opusStream decodes an Ogg/Opus file (RFC 7845), link after link when several
// are chained.
type opusStream struct {
	out     *funnel
	packets *ogg.Packets
	decoder *opus.Stream // of the present link; nil before the first
	decoded int64        // packets that gave sound
	faults  int64        // holes, and packets that did not

	serial   uint32
	sequence uint32  // of the last page
	headers  int     // packets of the present link before its sound
	skip     int     // samples still to drop at the start of the link
	gain     float32 // factor
	position int64   // granule position after the last page; -1 before the first

	page  [][]byte // packets of the present page; nil where one is lost
	arena []byte   // their bytes
}

// decodeOpus decodes families 0 and 1 of one or two channels; more channels
// are unsupported. Wrong pages, lost pages and broken packets are concealed.
func decodeOpus(src *io.SectionReader, out *funnel) error {
	s := &opusStream{out: out, packets: ogg.NewPackets(opusMaxPacket)}
	out.start(media.SampleRate)
	pages := ogg.NewReader(out.reader(src))
	for {
		page, err := pages.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read Ogg page: %w", err)
		}
		if err := s.add(page); err != nil {
			return err
		}
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
func (s *opusStream) add(page ogg.Page) error {
	if page.First {
		return s.begin(page)
	}
	if s.decoder == nil || page.Serial != s.serial {
		return nil
	}
	lost := page.Sequence != s.sequence+1
	s.sequence = page.Sequence
	if lost {
		s.packets.Reset()
		s.faults++
	}
	if err := s.collect(page); err != nil {
		return err
	}
	if len(s.page) == 0 {
		return nil
	}
	return s.play(page, lost)
}

// begin starts a link, unless the page is the first of another kind of stream.
func (s *opusStream) begin(page ogg.Page) error {
	head, err := parseOpusHead(page.Body)
	switch {
	case errors.Is(err, errNotOpus):
		return nil
	case err != nil:
		return err
	}
	decoder, err := opus.NewStream()
	if err != nil {
		return err
	}
	s.decoder, s.serial, s.sequence = decoder, page.Serial, page.Sequence
	s.packets.Reset()
	s.headers, s.position = 1, -1 // the comments follow
	s.skip = (head.preSkip + 1) / opusDivide
	s.gain = float32(math.Pow(10, float64(head.gain)/(20*256)))
	return nil
}

// collect gathers the packets that end on the page, without the headers.
func (s *opusStream) collect(page ogg.Page) error {
	s.page, s.arena = s.page[:0], s.arena[:0]
	return s.packets.Add(page, func(packet []byte, complete bool) error {
		switch {
		case s.headers > 0:
			s.headers--
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

// play decodes the collected packets. The page's granule position tells how
// long a hole before them is, and where the sound ends on the last page.
func (s *opusStream) play(page ogg.Page, lost bool) error {
	total := 0
	for _, packet := range s.page {
		total += s.decoder.Length(packet)
	}
	counted := page.Granule != ogg.NoGranule
	if s.position < 0 {
		s.position = max(0, page.Granule-int64(total)*opusDivide)
	} else if lost && counted {
		hole := min((page.Granule-s.position)/opusDivide-int64(total), opusMaxHole)
		if err := s.decoder.Conceal(hole, s.page[0], s.give); err != nil {
			return err
		}
	}
	end := s.position + int64(total)*opusDivide
	keep := total
	if page.Last && counted && page.Granule < end {
		keep = max(0, total-int((min(end-page.Granule, int64(total)*opusDivide)+1)/opusDivide))
	}
	for i, packet := range s.page {
		var next []byte
		if i+1 < len(s.page) {
			next = s.page[i+1]
		}
		pcm, good := s.decoder.Decode(packet, next)
		if good {
			s.decoded++
		} else {
			s.faults++
		}
		n := min(len(pcm), keep)
		keep -= n
		if err := s.give(pcm[:n]); err != nil {
			return err
		}
	}
	s.position = end
	if counted && !page.Last {
		s.position = page.Granule
	}
	return nil
}

// give applies the link's gain and writes what is past its pre-skip.
func (s *opusStream) give(pcm []float32) error {
	n := min(s.skip, len(pcm))
	s.skip -= n
	pcm = pcm[n:]
	if s.gain != 1 {
		for i := range pcm {
			pcm[i] *= s.gain
		}
	}
	return s.out.write(pcm, 1)
}
