package decode

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"hark/media/internal/childlog"
)

const (
	maxLine   = 1 << 10 // bytes of one of its lines that are read
	maxListed = 256     // tracks of a file that are looked at
)

// ffmpegLog is what an ffmpeg says of its input: the tracks, the length and the
// complaints, as it writes them to its standard error with the level of each
// line (-loglevel repeat+level+info). Names in the file are printed there too,
// so all of it is as foreign as the file.
type ffmpegLog struct {
	mu        sync.Mutex
	line      []byte // the unfinished last line, cut at maxLine
	listing   bool   // what is printed is about the input
	ready     chan struct{}
	isReady   bool
	tracks    []track
	declared  time.Duration
	failed    int // packets that the decoder refused
	complaint childlog.Head
}

// track is a track of sound, as ffmpeg lists it.
type track struct {
	codec    string // "none" for one that it does not know
	language string // ISO 639-2; empty for none
	marks    []string
}

func newFFmpegLog() *ffmpegLog { return &ffmpegLog{ready: make(chan struct{})} }

// Write takes what ffmpeg prints. It never fails.
func (t *ffmpegLog) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(p)
	for {
		end := bytes.IndexByte(p, '\n')
		part := p
		if end >= 0 {
			part = p[:end]
		}
		t.line = append(t.line, part[:min(len(part), maxLine-len(t.line))]...)
		if end < 0 {
			return n, nil
		}
		t.read(string(t.line))
		t.line = t.line[:0]
		p = p[end+1:]
	}
}

// close says that nothing more will be printed.
func (t *ffmpegLog) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.read(string(t.line))
	t.line = nil
	t.listed()
}

// listed says that the input was described as far as it will be.
func (t *ffmpegLog) listed() {
	t.listing = false
	if !t.isReady {
		t.isReady = true
		close(t.ready)
	}
}

// list returns the tracks, once they are known or never will be.
func (t *ffmpegLog) list() []track {
	<-t.ready
	return t.tracks
}

// length returns the length that the file declares, once it is known or never
// will be; 0 for none.
func (t *ffmpegLog) length() time.Duration {
	<-t.ready
	return t.declared
}

// levelled splits a line into its level and its text. Something like
// "[mov @ 0x55d0] " may stand before the level.
var levelled = regexp.MustCompile(`^(\[[^\]]* @ [^\]]*\] )?\[(panic|fatal|error|warning|info|verbose|debug|trace)\] ?`)

var (
	lineOfTrack  = regexp.MustCompile(`^\s+Stream #0:\d+(?:\[0x[0-9a-f]+\])?(?:\(([^)]*)\))?: Audio: ([^ ,]+)(.*)$`)
	lineOfLength = regexp.MustCompile(`^\s+Duration: (\d{1,6}):(\d\d):(\d\d)\.(\d\d)\b`)
	trailingMark = regexp.MustCompile(`^(.*) \(([a-z ]+)\)$`)
)

func (t *ffmpegLog) read(line string) {
	head := levelled.FindStringSubmatch(line)
	if head == nil || head[2] != "info" {
		if strings.TrimSpace(line) != "" {
			t.complain(line)
		}
		return
	}
	text := line[len(head[0]):]
	switch {
	case strings.HasPrefix(text, "Input #0"):
		t.listing = !t.isReady
	case strings.HasPrefix(text, "Stream mapping:"), strings.HasPrefix(text, "Output #0"):
		t.listed()
	case !t.listing:
	case lineOfLength.MatchString(text):
		if t.declared == 0 {
			t.declared = lengthOf(lineOfLength.FindStringSubmatch(text))
		}
	case len(t.tracks) < maxListed:
		if found := lineOfTrack.FindStringSubmatch(text); found != nil {
			t.tracks = append(t.tracks, trackOf(found[1], found[2], found[3]))
		}
	}
}

func (t *ffmpegLog) complain(line string) {
	for _, sign := range []string{"Error while decoding", "Error submitting packet", "Error submitting a packet"} {
		if strings.Contains(line, sign) {
			t.failed++
			break
		}
	}
	_, _ = t.complaint.Write([]byte(line + "\n")) // it never fails
}

func lengthOf(found []string) time.Duration {
	var n [4]time.Duration
	for i := range n {
		v, _ := strconv.Atoi(found[i+1]) // the pattern takes digits only
		n[i] = time.Duration(v)
	}
	return n[0]*time.Hour + n[1]*time.Minute + n[2]*time.Second + n[3]*10*time.Millisecond
}

func trackOf(language, codec, rest string) track {
	if language == "und" {
		language = ""
	}
	t := track{codec: codec, language: language}
	for {
		found := trailingMark.FindStringSubmatch(rest)
		if found == nil {
			return t
		}
		t.marks = append(t.marks, found[2])
		rest = found[1]
	}
}

// is reports whether the file gives the track one of the marks, which ffmpeg
// calls dispositions.
func (t track) is(marks ...string) bool {
	return slices.ContainsFunc(marks, func(m string) bool { return slices.Contains(t.marks, m) })
}
