// Package media says what a recording is: its format, its limits, and the one
// form in which the rest of Hark hears it.
//
// A clip comes in as foreign bytes. [Sniff] believes those bytes and not the
// name or header they came with; [Inspect] looks at the structure of a stored
// clip, cheaply, so that what can never play is refused while the sender is
// still there. Package decode then turns a clip into sound exactly once:
// mono, 16 kHz, written to a [Spool] from which the waveform, the loudness,
// the rendition and the transcript are all made, several of them while the
// decoder is still writing.
//
// Nothing in this package starts a process or opens a network connection, and
// every parser in it works in bounded memory.
package media

import "time"

// SampleRate is the rate in Hz of all decoded sound in Hark. Speech
// recognisers want it, and it carries the band (8 kHz) in which speech lives.
const SampleRate = 16000

// Samples converts a duration to a number of samples at [SampleRate].
func Samples(d time.Duration) int64 {
	return int64(d) * SampleRate / int64(time.Second)
}

// Duration converts a number of samples at [SampleRate] to a duration.
func Duration(samples int64) time.Duration {
	return time.Duration(samples) * time.Second / SampleRate
}

// Limits bounds what one clip may be. A zero field means no limit.
type Limits struct {
	MaxBytes    int64         // size of the encoded clip in bytes
	MaxDuration time.Duration // length of the decoded sound
}
