package inspect

import (
	"errors"
	"fmt"

	"hark/media"
	"hark/media/internal/mpeg"
	"hark/media/internal/riff"
)

func inspectWAV(b *blocks, format media.Format) (Info, error) {
	wav, err := riff.Parse(b, b.size)
	switch {
	case errors.Is(err, riff.ErrNoData), errors.Is(err, riff.ErrNoFormat):
		return Info{}, media.Refuse(media.Damaged, err, "The WAV file ends before any sound. Send the original file again.")
	case err != nil:
		return Info{}, refuseBroken(err)
	}
	if wavCodec(wav.Encoding) == framedAAC && startsWithADTS(b, wav.Data) {
		return wavInfo(format, wav), nil
	}
	if err := judgeWAV(wav); err != nil {
		return Info{}, err
	}
	return wavInfo(format, wav), nil
}

func startsWithADTS(b *blocks, at int64) bool {
	head, err := b.head(at, 8<<10)
	return err == nil && mpeg.ADTSStarts(head, mpeg.AtOnce, false)
}

// maxChannels is how many channels sound may have.
const maxChannels = 64

// judgeWAV refuses sound in encodings that are not decoded.
func judgeWAV(wav riff.WAV) error {
	if wav.Channels > maxChannels {
		return media.Refuse(media.Unsupported, nil, "The recording has %d channels; %d is the most that Hark takes.", wav.Channels, maxChannels)
	}
	if wav.Encoding == riff.Float && wav.Bits != 32 && wav.Bits != 64 || wav.Encoding == riff.PCM && wav.Bits > 32 && wav.Bits != 64 {
		return refuseCodec(fmt.Sprintf("samples of %d bits", wav.Bits))
	}
	return judge([]codec{wavCodec(wav.Encoding)})
}

// wavInfo counts the bytes of plain samples, and believes the header of others.
func wavInfo(format media.Format, wav riff.WAV) Info {
	if wav.Plain() && wav.BlockAlign > 0 {
		return Info{Format: format, Duration: seconds(float64(wav.DataSize)/float64(wav.BlockAlign), float64(wav.SampleRate)), Counted: true}
	}
	return Info{Format: format, Duration: seconds(float64(wav.Frames), float64(wav.SampleRate))}
}
