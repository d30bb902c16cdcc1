package decode

import (
	"cmp"
	"encoding/binary"
	"io"
	"slices"
	"time"

	"hark/media"
)

const (
	// longestPacket is the most sound, by far, that a packet which failed may
	// have held.
	longestPacket = media.SampleRate / 5
	// leastCut is how much must be missing at the end to be reported: declared
	// lengths count the encoder's padding and are rounded.
	leastCut = media.SampleRate / 2
	// mute is below what any microphone's own noise reaches.
	mute = 0.0005
)

// reportLost notes what of the tracks was not decoded: where packets failed
// and left a gap; what follows the end of a track that broke off, or of a file
// of which the end is missing; and everything, where all that was heard is
// silence and another track could not be decoded.
func (m *mixer) reportLost(tracks []*trackDecoder, cut bool, out *pcmSink) {
	var lost []span
	silent := true
	for i, v := range m.voices {
		t := tracks[i]
		lost = append(lost, v.failedPackets(t.log)...)
		if broke, err := judge(t.err, t.log.complaint.String(), t.heard); t.heard && (broke || err != nil) && m.at-v.ends > leastCut {
			lost = append(lost, span{v.ends, m.at})
		}
		silent = silent && !(v.peak >= mute)
	}
	if cut && m.skipped == 0 && m.declared-m.at > leastCut && m.declared <= media.Samples(24*time.Hour) && (m.longest == 0 || m.declared <= m.longest) {
		lost = append(lost, span{m.at, m.declared})
	}
	if silent && slices.ContainsFunc(tracks[0].log.tracks, func(t track) bool { return t.codec == "none" }) {
		lost = append(lost, span{0, m.at})
	}
	slices.SortFunc(lost, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	for _, s := range lost {
		out.lost.add(media.Duration(s.start), media.Duration(s.end))
	}
}

// failedPackets are the gaps between a voice's sound that packets which could
// not be decoded account for; all of them where only a loss makes a gap.
func (v *voice) failedPackets(t *ffmpegLog) []span {
	if v.worth == frameNumbers && len(v.gaps) > 0 {
		return v.gaps
	}
	if discontinuous(t.complaint.String()) {
		return nil
	}
	if v.worth != fileTime && v.count > 0 {
		// Where is not known: after all that was heard, as in a file of which
		// the second part cannot be decoded.
		if length := int64(t.failed) * min(v.total/v.count, longestPacket); length > leastCut {
			return []span{{v.ends, v.ends + length}}
		}
		return nil
	}
	var lost []span
	left := int64(t.failed) * longestPacket
	for _, gap := range v.gaps {
		if length := gap.end - gap.start; length <= left {
			lost = append(lost, gap)
			left -= length
		}
	}
	return lost
}

// lostEnd reports whether the length that a file declares tells how much of it
// is missing: its format declares one, and there is a sign that the file was
// cut. In FLAC the length is that of what was encoded; elsewhere it is often
// wrong.
func lostEnd(clip place, format media.Format, truncated bool) bool {
	switch format {
	case media.FLAC:
		return true
	case media.MP4, media.ThreeGP:
		return truncated || brokenOff(clip.section(), clip.end-clip.start)
	case media.WebM, media.ASF, media.CAF, media.AIFF, media.Wave64, media.AU:
		return truncated
	}
	return false
}

// brokenOff reports whether the outermost boxes of a file of the MP4 family
// (ISO 14496-12, 4.2) go on after its end.
func brokenOff(f io.ReaderAt, size int64) bool {
	const maxBoxes = 1 << 16
	var head [16]byte
	at := int64(0)
	for range maxBoxes {
		n, _ := f.ReadAt(head[:min(16, max(0, size-at))], at) // what cannot be read is no box
		if n < 8 {
			return false
		}
		length := int64(binary.BigEndian.Uint32(head[:]))
		if length == 1 && n == 16 {
			length = int64(binary.BigEndian.Uint64(head[8:]))
		}
		if length < 8 { // up to the end, or no box
			return false
		}
		if length > size-at {
			return true
		}
		at += length
	}
	return false
}
