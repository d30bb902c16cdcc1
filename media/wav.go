package media

import "encoding/binary"

// WAVHeader is what stands before the samples of a WAV file: dataBytes of
// interleaved 16-bit PCM (RIFF, WAVE_FORMAT_PCM).
func WAVHeader(sampleRate, channels, dataBytes int) []byte {
	const headerBytes = 44
	frame := channels * bytesPerSample
	le := binary.LittleEndian
	b := make([]byte, 0, headerBytes)
	b = le.AppendUint32(append(b, "RIFF"...), uint32(headerBytes-8+dataBytes))
	b = le.AppendUint32(append(b, "WAVEfmt "...), 16) // length of the format chunk
	b = le.AppendUint16(b, 1)                         // PCM
	b = le.AppendUint16(b, uint16(channels))
	b = le.AppendUint32(b, uint32(sampleRate))
	b = le.AppendUint32(b, uint32(sampleRate*frame)) // bytes a second
	b = le.AppendUint16(b, uint16(frame))
	b = le.AppendUint16(b, 8*bytesPerSample)
	return le.AppendUint32(append(b, "data"...), uint32(dataBytes))
}
