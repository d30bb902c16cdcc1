// Package inspect says what a clip is by its bytes, without decoding it: [Sniff]
// by its beginning, whatever its name or header claimed, [Locate] also where in a
// file it begins, and [Clip] whether its structure is that of something that can
// be heard.
//
// What is not taken is a [media.Refusal] with a sentence for the sender. Every
// parser here takes foreign bytes, works in bounded memory, and reads a stored
// clip in blocks of 128 KiB at the few places that matter.
package inspect

import (
	"io"
	"math"
	"time"

	"hark/media"
)

// Info is what [Clip] learns of a clip.
type Info struct {
	Format   media.Format
	Duration time.Duration // 0 when the clip does not say, or claims what its bytes cannot hold
	Counted  bool          // Duration follows from bytes that are there; otherwise it is a claim that may be wrong
}

// leastRate is the fewest bytes that a second of sound takes in any format that
// is taken. A clip that claims to be longer than its bytes last at that rate
// has the header of another, or one that was never right.
const leastRate = 10

// Clip checks the structure of a stored clip of size bytes without
// decoding it, through a few reads of 128 KiB at the places that matter. It
// refuses what can never be heard and what is over the limits, with a
// [media.Refusal] that says why. What it passes may still turn out damaged.
//
// Nothing is refused for a length that a header declares, which may be wrong
// either way: only sound that is counted by its bytes can be too long here. The
// decoder counts for itself.
//
// An error that is no Refusal means that r could not be read.
func Clip(r io.ReaderAt, size int64, limits media.Limits) (Info, error) {
	if limits.MaxBytes > 0 && size > limits.MaxBytes {
		return Info{}, media.RefuseTooLarge(limits.MaxBytes)
	}
	b := &blocks{r: r, size: size}
	format, at, err := locate(b)
	if b.failed != nil {
		return Info{}, b.failed
	}
	if err != nil {
		return Info{}, err
	}
	b.skip(at)
	info, err := inspectors[format](b, format)
	if b.failed != nil {
		return Info{}, b.failed
	}
	if err != nil {
		return Info{}, err
	}
	if !info.Counted && info.Duration > seconds(float64(size), leastRate) {
		info.Duration = 0
	}
	if limits.MaxDuration > 0 && info.Counted && info.Duration > limits.MaxDuration {
		long, longest := media.FormatDuration(info.Duration), media.FormatDuration(limits.MaxDuration)
		if long == longest {
			return info, media.RefuseTooLong(limits.MaxDuration)
		}
		return info, media.Refuse(media.TooLong, nil, "The recording is %s long; the longest that can be taken is %s. Send it in parts.", long, longest)
	}
	return info, nil
}

// inspectors look at the structure of each format. What they return is a
// Refusal or an error that b keeps as well.
var inspectors = map[media.Format]func(*blocks, media.Format) (Info, error){
	media.MP3:       inspectMP3,
	media.WAV:       inspectWAV,
	media.Wave64:    inspectW64,
	media.OggOpus:   inspectOgg,
	media.OggVorbis: inspectOgg,
	media.OggFLAC:   inspectOgg,
	media.OggSpeex:  inspectOgg,
	media.FLAC:      inspectFLAC,
	media.MP4:       inspectMP4,
	media.ThreeGP:   inspectMP4,
	media.WebM:      inspectWebM,
	media.AMR:       inspectSize(int64(len("#!AMR\n"))),
	media.AMRWB:     inspectSize(int64(len("#!AMR-WB\n"))),
	media.CAF:       inspectCAF,
	media.AIFF:      inspectAIFF,
	media.ASF:       inspectASF,
	media.AAC:       inspectSize(7),
	media.AU:        inspectAU,
}

// inspectSize is the inspector of formats that declare nothing: they need
// more bytes than their magic.
func inspectSize(headers int64) func(*blocks, media.Format) (Info, error) {
	return func(b *blocks, format media.Format) (Info, error) {
		if b.size <= headers {
			return Info{}, refuseNoSound()
		}
		return Info{Format: format}, nil
	}
}

// refuseCodec refuses sound in an encoding that Hark does not decode.
func refuseCodec(name string) error {
	return media.Refuse(media.Unsupported, nil, "The sound is encoded as %s, which Hark does not decode. Send it as MP3, M4A, WAV, FLAC or Opus.", name)
}

func refuseNoSound() error {
	return media.Refuse(media.Damaged, nil, "The recording ends before any sound. Send the original file again.")
}

func refuseBroken(cause error) error {
	return media.Refuse(media.Damaged, cause, "The recording is damaged: its structure cannot be read. Send the original file again.")
}

// seconds turns n units at rate units a second into a duration: 0 for what
// makes no sense, and the longest duration for what does not fit.
func seconds(n, rate float64) time.Duration {
	d := n / rate * float64(time.Second)
	switch {
	case !(d > 0): // negative, or not a number
		return 0
	case d >= math.MaxInt64:
		return math.MaxInt64
	}
	return time.Duration(d)
}
