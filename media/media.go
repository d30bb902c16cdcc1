// Package media says what a recording is: its format, its limits, and the one
// form in which the rest of Hark hears it.
//
// A clip comes in as foreign bytes. Package inspect believes those bytes and not
// the name or header they came with, and looks at the structure of a stored clip,
// cheaply, so that what can never play is refused while the sender is still
// there. Package decode then turns a clip into sound exactly once:
// 16 kHz, written to a [Spool] from which the waveform, the loudness, the
// rendition and the transcript are all made, several of them while the decoder
// is still writing.
//
// Those hear one channel. Of two that differ the spool keeps both until all is
// there, and then decides how they are heard as one ([Mix]): one channel may be
// the other turned round, so that the average is silence; be dead, or hold only
// noise; or hold somebody else's speech. What decides are levels and
// correlations of short windows (pair.go), gathered in bounded memory.
//
// Nothing in this package starts a process or opens a network connection.
package media

import "time"

// SampleRate is the rate in Hz of all decoded sound in Hark. Speech
// recognisers want it, and it carries the band (8 kHz) in which speech lives.
const SampleRate = 16000

// WaveformPeaks is how many values the waveform of a message has.
const WaveformPeaks = 100

// Samples converts a duration to a number of samples at [SampleRate].
func Samples(d time.Duration) int64 {
	return int64(d) * SampleRate / int64(time.Second)
}

// Duration converts a number of samples at [SampleRate] to a duration.
func Duration(samples int64) time.Duration {
	return time.Duration(samples) * time.Second / SampleRate
}

// Span is a stretch of a recording's time, from Start to End.
type Span struct{ Start, End time.Duration }

// Limits bounds what one clip may be. A zero field means no limit.
type Limits struct {
	MaxBytes    int64         // size of the encoded clip in bytes
	MaxDuration time.Duration // length of the decoded sound
}
