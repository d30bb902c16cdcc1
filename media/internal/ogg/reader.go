package ogg

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// Reader reads the pages of a stream of bytes in order.
type Reader struct {
	r       *bufio.Reader
	lenient bool
	skipped int64
	wrong   int    // pages whose checksum was wrong
	rest    []byte // what is left at the end, from the last Next on
	behind  int64  // bytes passed over since the last page
	mixed   bool   // they are not all the same
	fill    byte
}

// maxWrong bounds the work that a hostile file can cause: looking at a wrong
// page costs up to [MaxPage] bytes of checksum and brings the end no nearer
// than four bytes.
const maxWrong = 10_000

// NewReader reads pages from r.
func NewReader(r io.Reader) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, 2*MaxPage)}
}

// NewLenientReader is [NewReader] for who prefers a damaged page to none: a
// page with a wrong checksum counts, as Damaged, when the next page begins, or
// the stream ends, exactly behind it.
func NewLenientReader(r io.Reader) *Reader {
	reader := NewReader(r)
	reader.lenient = true
	return reader
}

// Next returns the next whole page, passing over what is none; its slices are
// valid until the next call. At the end, where the last page is cut off, or after
// very much damage, it returns io.EOF.
func (r *Reader) Next() (Page, error) {
	for {
		b, err := r.r.Peek(MaxPage + 4) // and the beginning of the next
		if err != nil && !errors.Is(err, io.EOF) {
			return Page{}, err
		}
		page, size, perr := Parse(b)
		if perr == nil {
			return page, r.found(size)
		}
		if errors.Is(perr, ErrChecksum) {
			r.wrong++
			if page, size, ok := r.damaged(b); ok {
				return page, r.found(size)
			}
		}
		if len(b) < 4 || r.wrong > maxWrong {
			return Page{}, io.EOF
		}
		if errors.Is(perr, ErrShort) && r.rest == nil {
			r.rest = bytes.Clone(b)
		}
		next := bytes.Index(b[1:], []byte("OggS")) + 1
		if next == 0 {
			next = len(b) - 3 // a capture pattern may begin in the last three bytes
		}
		if r.behind == 0 {
			r.fill = b[0]
		}
		r.mixed = r.mixed || bytes.Count(b[:next], []byte{r.fill}) < next
		if _, err := r.r.Discard(next); err != nil {
			return Page{}, err
		}
		r.skipped += int64(next)
		r.behind += int64(next)
	}
}

// found moves behind a page.
func (r *Reader) found(size int) error {
	r.rest, r.behind, r.mixed = nil, 0, false
	_, err := r.r.Discard(size)
	return err
}

// damaged returns the page of wrong checksum at the start of b if it is framed
// as a page should be. b reaches to the end of the stream, or past the page.
func (r *Reader) damaged(b []byte) (Page, int, bool) {
	page, size, err := ParseUnchecked(b)
	if !r.lenient || err != nil {
		return Page{}, 0, false
	}
	if behind := b[size:]; len(behind) > 0 && !bytes.HasPrefix(behind, []byte("OggS")) {
		return Page{}, 0, false
	}
	page.Damaged = true
	r.wrong-- // it brings the end nearer
	return page, size, true
}

// Rest returns, after Next returned io.EOF, what is there of a page that was
// cut off by the end: the segments whose bytes are whole, and how many packets
// ended on those that are not.
func (r *Reader) Rest() (page Page, missing int, ok bool) {
	return parseCut(r.rest)
}

// Behind returns how many bytes follow the last page that are no page, and no
// padding, which is the same byte again and again.
func (r *Reader) Behind() int64 {
	if !r.mixed {
		return 0
	}
	return r.behind
}

// Skipped returns how many bytes were passed over because they were no whole page.
func (r *Reader) Skipped() int64 { return r.skipped }

// Packets puts the packets of one stream together from its pages.
type Packets struct {
	limit   int
	partial []byte
	open    bool // partial holds the beginning of a packet
	skip    bool // the packet that is being read is too long, or lost its beginning
}

// NewPackets drops packets that are longer than limit bytes.
func NewPackets(limit int) *Packets { return &Packets{limit: limit} }

// Reset forgets a packet that was begun: pages were lost.
func (p *Packets) Reset() { p.partial, p.open, p.skip = p.partial[:0], false, false }

// Add calls f with each packet that ends on the page, in order. The packet is
// valid during the call. complete is false for a packet that was too long or
// lost its beginning, and then packet is nil. The first error of f ends it.
func (p *Packets) Add(page Page, f func(packet []byte, complete bool) error) error {
	if !page.Continued && p.open {
		p.Reset()
	}
	if page.Continued && !p.open {
		p.open, p.skip = true, true
	}
	body := page.Body
	for _, n := range page.Segments {
		segment := body[:n]
		body = body[n:]
		if len(p.partial)+len(segment) > p.limit {
			p.skip = true
		}
		p.open = true
		if !p.skip {
			p.partial = append(p.partial, segment...)
		}
		if n == 255 {
			continue
		}
		packet, complete := p.partial, !p.skip
		if !complete {
			packet = nil
		}
		err := f(packet, complete)
		p.Reset()
		if err != nil {
			return err
		}
	}
	return nil
}
