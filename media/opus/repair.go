package opus

import (
	"errors"
	"fmt"
	"io"
	"os"

	"hark/media/internal/ogg"
)

// ErrNoHeader means that a file does not begin with the headers of Opus in Ogg.
var ErrNoHeader = errors.New("no Ogg/Opus headers")

// farthest is a granule position that no recording reaches.
const farthest = 1 << 62

// Info is what is good of a file.
type Info struct {
	Bytes   int64 // up to the end of its last good page
	Samples int64 // how long it plays once it has an end
	Ended   bool  // its last good page marks the end of the stream
}

// scan is an [Info] and what it takes to go on from there.
type scan struct {
	Info
	serial   uint32
	sequence uint32 // of the next page
	granule  int64
	skip     int64
	toc      byte // first byte of the last packet
}

// Scan reads what a [Writer] wrote, up to its end or to the first byte that is
// not as it was written. It returns [ErrNoHeader] when that is in the headers;
// any other error is r's.
func Scan(r io.Reader) (Info, error) {
	s, err := scanPages(r)
	return s.Info, err
}

func scanPages(r io.Reader) (scan, error) {
	s := scan{toc: silent(1)[1].data[0]}
	pages := ogg.NewReader(r)
	for n := 0; ; n++ {
		page, err := pages.Next()
		if err != nil && !errors.Is(err, io.EOF) {
			return scan{}, fmt.Errorf("read Ogg page: %w", err)
		}
		if err != nil || pages.Skipped() > 0 || !s.take(n, page) {
			break
		}
		s.Bytes += int64(page.Size())
		if s.Ended {
			break
		}
	}
	if s.sequence < 2 {
		return scan{}, ErrNoHeader
	}
	s.Samples = s.granule
	if s.Ended {
		s.Samples = max(0, s.granule-s.skip)
	}
	return s, nil
}

// take takes the page of number n if it goes on from those before.
func (s *scan) take(n int, page ogg.Page) bool {
	switch {
	case page.Sequence != s.sequence || page.Continued || page.First != (n == 0):
		return false
	case n == 0:
		skip, ok := parseHead(page.Body)
		if !ok || page.Last {
			return false
		}
		s.serial, s.skip = page.Serial, skip
	case page.Serial != s.serial || page.Granule < s.granule || page.Granule > farthest:
		return false
	case n == 1:
		if !isComments(page.Body) || page.Last || page.Granule != 0 {
			return false
		}
	default:
		toc, ok := lastTOC(page)
		if !ok {
			return false
		}
		s.toc, s.granule, s.Ended = toc, page.Granule, page.Last
	}
	s.sequence++
	return true
}

// lastTOC returns the first byte of the last packet on a page of whole packets.
func lastTOC(page ogg.Page) (toc byte, ok bool) {
	at, first := 0, 0
	for i, n := range page.Segments {
		if i == 0 || page.Segments[i-1] < 255 {
			first = at
		}
		at += int(n)
	}
	if len(page.Segments) == 0 || page.Segments[len(page.Segments)-1] == 255 || first == len(page.Body) {
		return 0, false
	}
	return page.Body[first], true
}

// Repair ends a file that a [Writer] wrote and did not close, because its
// process was killed or the machine lost power: it cuts off what follows the
// last good page, marks the end of the stream as [Writer.Close] does, and
// syncs the file. A file that is whole is not touched, so Repair may itself be
// cut short, and repeated. A file without its headers is left as it is, with
// [ErrNoHeader].
func Repair(f *os.File) (Info, error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return Info{}, fmt.Errorf("repair recording: %w", err)
	}
	s, err := scanPages(io.NewSectionReader(f, 0, size))
	if err != nil {
		return Info{}, fmt.Errorf("repair recording: %w", err)
	}
	if s.Ended && s.Bytes == size {
		return s.Info, nil
	}
	if err := s.end(f); err != nil {
		return Info{}, fmt.Errorf("repair recording: %w", err)
	}
	return s.Info, nil
}

// end cuts the file behind what is good, adds the last page if it has none,
// and syncs.
func (s *scan) end(f *os.File) error {
	if err := f.Truncate(s.Bytes); err != nil {
		return err
	}
	if !s.Ended {
		page := ogg.Page{Last: true, Granule: s.granule + s.skip, Serial: s.serial, Sequence: s.sequence}
		page.Add(ending(s.toc))
		b := page.Append(nil)
		if _, err := f.WriteAt(b, s.Bytes); err != nil {
			return err
		}
		s.Bytes += int64(len(b))
		s.Ended = true
	}
	return f.Sync()
}
