package media

import (
	"fmt"
	"io"
	"math"
	"time"
)

// Info is what [Inspect] learns of a clip.
type Info struct {
	Format   Format
	Duration time.Duration // as the clip declares it; 0 when it does not say
}

// Inspect checks the structure of a stored clip of size bytes without
// decoding it, through a few reads of 64 KiB at the places that matter. It
// refuses what can never be heard and what is over the limits, with a
// [Refusal] that says why. What it passes may still turn out damaged, and the
// duration is the clip's own claim: the decoder counts for itself.
//
// An error that is no Refusal means that r could not be read.
func Inspect(r io.ReaderAt, size int64, limits Limits) (Info, error) {
	if limits.MaxBytes > 0 && size > limits.MaxBytes {
		return Info{}, RefuseTooLarge(limits.MaxBytes)
	}
	b := &blocks{r: r, size: size}
	head, err := b.head(0, SniffLen)
	if err != nil {
		return Info{}, err
	}
	format, err := Sniff(head)
	if err != nil {
		return Info{}, err
	}
	info, err := inspectors[format](b, format)
	if b.failed != nil {
		return Info{}, b.failed
	}
	if err != nil {
		return Info{}, err
	}
	if limits.MaxDuration > 0 && info.Duration > limits.MaxDuration {
		long, longest := spoken(info.Duration), spoken(limits.MaxDuration)
		if long == longest {
			return info, RefuseTooLong(limits.MaxDuration)
		}
		return info, Refuse(TooLong, nil, "The recording is %s long; the longest that can be taken is %s. Send it in parts.", long, longest)
	}
	return info, nil
}

// inspectors look at the structure of each format. What they return is a
// Refusal or an error that b keeps as well.
var inspectors map[Format]func(*blocks, Format) (Info, error)

func init() { // MP3 looks the inspector up of what follows its tag
	inspectors = map[Format]func(*blocks, Format) (Info, error){
		MP3:       inspectMP3,
		WAV:       inspectWAV,
		Wave64:    inspectSize(112),
		OggOpus:   inspectOgg,
		OggVorbis: inspectOgg,
		OggFLAC:   inspectOgg,
		OggSpeex:  inspectOgg,
		FLAC:      inspectFLAC,
		MP4:       inspectMP4,
		ThreeGP:   inspectMP4,
		WebM:      inspectWebM,
		AMR:       inspectSize(int64(len("#!AMR\n"))),
		AMRWB:     inspectSize(int64(len("#!AMR-WB\n"))),
		CAF:       inspectCAF,
		AIFF:      inspectAIFF,
		ASF:       inspectASF,
		AAC:       inspectSize(7),
		AU:        inspectAU,
	}
}

// RefuseTooLarge is the refusal of a clip of more than limit bytes.
func RefuseTooLarge(limit int64) error {
	return Refuse(TooLarge, nil, "The recording is larger than the %s that can be taken. Send it in parts, or compressed.", bytesText(limit))
}

// RefuseTooLong is the refusal of a clip that goes on past limit.
func RefuseTooLong(limit time.Duration) error {
	return Refuse(TooLong, nil, "The recording is longer than the %s that can be taken. Send it in parts.", spoken(limit))
}

// inspectSize is the inspector of formats that declare nothing: they need
// more bytes than their magic.
func inspectSize(headers int64) func(*blocks, Format) (Info, error) {
	return func(b *blocks, format Format) (Info, error) {
		if b.size <= headers {
			return Info{}, refuseNoSound()
		}
		return Info{Format: format}, nil
	}
}

func refuseNoSound() error {
	return Refuse(Damaged, nil, "The recording ends before any sound. Send the original file again.")
}

func refuseBroken(cause error) error {
	return Refuse(Damaged, cause, "The recording is damaged: its structure cannot be read. Send the original file again.")
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

// spoken writes a duration for people: 45 s, 12 min 5 s, 2 h 30 min.
func spoken(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	switch h, m, s := s/3600, s/60%60, s%60; {
	case h > 0 && m > 0:
		return fmt.Sprintf("%d h %d min", h, m)
	case h > 0:
		return fmt.Sprintf("%d h", h)
	case m > 0 && s > 0:
		return fmt.Sprintf("%d min %d s", m, s)
	case m > 0:
		return fmt.Sprintf("%d min", m)
	default:
		return fmt.Sprintf("%d s", s)
	}
}

func bytesText(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.3g GB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.3g MB", float64(n)/(1<<20))
	default:
		return fmt.Sprintf("%.3g kB", float64(n)/(1<<10))
	}
}
