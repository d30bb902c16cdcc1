// Package ogg reads pages and packets of the Ogg container (RFC 3533). It
// takes what comes from strangers: memory is bounded by one page and one
// packet, pages whose checksum is wrong are passed over, and a reader finds
// its way back after damage.
package ogg

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/bits"
)

const (
	headerSize = 27
	// MaxPage is the length in bytes of the longest possible page.
	MaxPage = headerSize + 255 + 255*255
	// NoGranule is the granule position of a page on which no packet ends.
	NoGranule = -1
)

// Page is one page. Its slices point into the buffer it was parsed from.
type Page struct {
	Continued bool   // the first packet began on an earlier page
	First     bool   // first page of its stream
	Last      bool   // last page of its stream
	Damaged   bool   // its checksum is wrong; only a lenient reader gives such pages
	Granule   int64  // what it counts depends on the codec; NoGranule for none
	Serial    uint32 // which stream
	Sequence  uint32 // counts the pages of the stream
	Segments  []byte // lengths of the segments (lacing values)
	Body      []byte
}

// The reasons for which [Parse] refuses bytes.
var (
	ErrNoPage   = errors.New("no Ogg page")
	ErrShort    = errors.New("cut-off Ogg page")
	ErrChecksum = errors.New("wrong checksum of an Ogg page")
)

// Parse reads the page at the start of b and returns its length in bytes.
func Parse(b []byte) (Page, int, error) {
	page, size, err := ParseUnchecked(b)
	if err == nil && checksum(b[:size]) != binary.LittleEndian.Uint32(b[22:]) {
		return Page{}, 0, ErrChecksum
	}
	return page, size, err
}

// ParseUnchecked is [Parse] without the checksum.
func ParseUnchecked(b []byte) (Page, int, error) {
	if len(b) < headerSize {
		return Page{}, 0, ErrShort
	}
	if string(b[:4]) != "OggS" || b[4] != 0 {
		return Page{}, 0, ErrNoPage
	}
	body := headerSize + int(b[26])
	if len(b) < body {
		return Page{}, 0, ErrShort
	}
	page := Page{
		Continued: b[5]&1 != 0,
		First:     b[5]&2 != 0,
		Last:      b[5]&4 != 0,
		Granule:   int64(binary.LittleEndian.Uint64(b[6:])),
		Serial:    binary.LittleEndian.Uint32(b[14:]),
		Sequence:  binary.LittleEndian.Uint32(b[18:]),
		Segments:  b[headerSize:body],
	}
	end := body
	for _, n := range page.Segments {
		end += int(n)
	}
	if len(b) < end {
		return Page{}, 0, ErrShort
	}
	page.Body = b[body:end]
	return page, end, nil
}

// parseCut reads the beginning of a page whose end is missing: the segments
// that are there, and how many packets end on those that are not.
func parseCut(b []byte) (page Page, missing int, ok bool) {
	if len(b) < headerSize || len(b) < headerSize+int(b[26]) || string(b[:4]) != "OggS" || b[4] != 0 {
		return Page{}, 0, false
	}
	count := int(b[26])
	body := b[headerSize+count:]
	whole, size := 0, 0
	for _, n := range b[headerSize : headerSize+count] {
		if size+int(n) > len(body) {
			break
		}
		whole, size = whole+1, size+int(n)
	}
	for _, n := range b[headerSize+whole : headerSize+count] {
		if n < 255 {
			missing++
		}
	}
	// The page as if it had no more segments than that.
	head := append([]byte{}, b[:headerSize+whole]...)
	head[26] = byte(whole)
	page, _, err := ParseUnchecked(append(head, body[:size]...))
	return page, missing, err == nil
}

// checksum computes the CRC of a page as if its CRC field were zero: the
// polynomial of CRC-32, but unreflected, starting at 0 and not inverted.
func checksum(page []byte) uint32 {
	crc := update(0, page[:22])
	crc = update(crc, []byte{0, 0, 0, 0})
	return update(crc, page[26:])
}

// update runs Ogg's CRC on the standard library's reflected tables by
// reflecting what goes in and what comes out, which is exact and fast.
func update(crc uint32, p []byte) uint32 {
	var buf [512]byte
	reflected := ^bits.Reverse32(crc)
	for len(p) > 0 {
		n := copy(buf[:], p)
		for i := range buf[:n] {
			buf[i] = bits.Reverse8(buf[i])
		}
		reflected = crc32.Update(reflected, crc32.IEEETable, buf[:n])
		p = p[n:]
	}
	return bits.Reverse32(^reflected)
}
