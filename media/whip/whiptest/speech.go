package whiptest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/thesyncim/gopus"

	"hark/media/internal/ogg"
)

// Encode makes Opus packets of 20 ms, as a browser does of speech: variable
// rate around 32 kbit/s, with in-band error correction. pcm is mono at rate,
// one of Opus's own (8, 12, 16, 24 or 48 kHz); the last packet is filled up
// with silence.
func Encode(pcm []float32, rate int) ([][]byte, error) {
	encoder, err := gopus.NewEncoder(gopus.EncoderConfig{SampleRate: rate, Channels: 1, Application: gopus.ApplicationVoIP})
	if err != nil {
		return nil, fmt.Errorf("encode speech: %w", err)
	}
	if err := encoder.SetBitrate(32000); err != nil {
		return nil, fmt.Errorf("encode speech: %w", err)
	}
	encoder.SetFEC(true)
	if err := encoder.SetPacketLoss(10); err != nil {
		return nil, fmt.Errorf("encode speech: %w", err)
	}
	size := rate / 50
	frame, out := make([]float32, size), make([]byte, 1275)
	var packets [][]byte
	for len(pcm) > 0 {
		n := copy(frame, pcm)
		clear(frame[n:])
		pcm = pcm[n:]
		length, err := encoder.Encode(frame, out)
		if err != nil {
			return nil, fmt.Errorf("encode speech: %w", err)
		}
		packets = append(packets, slices.Clone(out[:length]))
	}
	return packets, nil
}

// ReadOgg reads the packets of an Ogg/Opus file (RFC 7845), without its two
// headers.
func ReadOgg(r io.Reader) ([][]byte, error) {
	pages, packets := ogg.NewReader(r), ogg.NewPackets(ogg.MaxPagePacket)
	var all [][]byte
	for {
		page, err := pages.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = packets.Add(page, func(packet []byte, complete bool) error {
				if complete {
					all = append(all, slices.Clone(packet))
				}
				return nil
			})
		}
		if err != nil {
			return nil, fmt.Errorf("read Ogg/Opus: %w", err)
		}
	}
	if len(all) < 3 || !bytes.HasPrefix(all[0], []byte("OpusHead")) {
		return nil, errors.New("read Ogg/Opus: no packets of Opus")
	}
	return all[2:], nil
}
