package decode

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"

	"hark/media"
)

// demuxers forces the one demuxer for each format, so that the bytes cannot
// choose another: some of ffmpeg's read playlists and scripts.
var demuxers = map[media.Format]string{
	media.MP3:       "mp3",
	media.WAV:       "wav",
	media.Wave64:    "w64",
	media.OggOpus:   "ogg",
	media.OggVorbis: "ogg",
	media.OggFLAC:   "ogg",
	media.OggSpeex:  "ogg",
	media.FLAC:      "flac",
	media.MP4:       "mov",
	media.ThreeGP:   "mov",
	media.WebM:      "matroska",
	media.AMR:       "amr",
	media.AMRWB:     "amr",
	media.CAF:       "caf",
	media.AIFF:      "aiff",
	media.ASF:       "asf",
	media.AAC:       "aac",
	media.AU:        "au",
}

// codecs are the decoders that may run: sound that people send, and no video.
const codecs = "aac,aac_latm,alac,opus,libopus,vorbis,libvorbis,flac,speex,libspeex,mp1float,mp2float,mp3float,mp1,mp2,mp3," +
	"amrnb,amrwb,libopencore_amrnb,libopencore_amrwb,wmav1,wmav2,wmapro,wmalossless,wmavoice,ac3,eac3,gsm,gsm_ms,libgsm,libgsm_ms,qcelp,evrc," +
	"pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_s64le,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_alaw,pcm_mulaw," +
	"adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,adpcm_ima_oki,adpcm_ima_dk3,adpcm_ima_dk4,adpcm_ct,adpcm_yamaha,g722,g726,g726le,g723_1,g729,ilbc," +
	"truespeech,metasound,sipr,acelp.kelvin,msnsiren,imc,iac,atrac3,dca,truehd,mlp,wavpack,tta,qdm2,qdmc,nellymoser,mace3,mace6"

// moreMemory is the address space of each child but the first of a clip with
// several tracks. ffmpeg's libraries alone take 300 MB of it.
const moreMemory = 512 << 20

// timeStamps says what the time stamps of formats are worth that have any. AMR
// is among them as phones leave frames out while nobody speaks.
var timeStamps = map[media.Format]stamps{
	media.MP4:     fileTime,
	media.ThreeGP: fileTime,
	media.WebM:    fileTime,
	media.ASF:     fileTime,
	media.AMR:     fileTime,
	media.AMRWB:   fileTime,
	media.FLAC:    frameNumbers,
}

// worth is what the stamps of a clip with so many tracks are worth. Only they
// tell how tracks lie to each other.
func worth(format media.Format, tracks int) stamps {
	if tracks > 1 {
		return fileTime
	}
	return timeStamps[format]
}

// severalTracks are the demuxers of containers that can hold several tracks of
// sound.
var severalTracks = map[string]bool{"mov": true, "matroska": true, "asf": true, "ogg": true}

// ffmpeg decodes f in confined children, one for each of its tracks that is
// heard: a track that fails, begins late or ends early stops no other then. It
// reports whether the clip broke off. known is what another decoder knows of the
// clip, or nil.
func (d *Decoder) ffmpeg(ctx context.Context, f *os.File, clip place, format media.Format, known *handOver, out *pcmSink) (truncated bool, err error) {
	demuxer, ok := demuxers[format]
	if !ok {
		return false, fmt.Errorf("no decoder for format %q", format)
	}
	program, err := exec.LookPath(d.cfg.FFmpeg)
	if err != nil {
		return false, fmt.Errorf("find ffmpeg: %w", err)
	}
	out.start(media.SampleRate)
	running, stop := context.WithCancel(ctx)
	defer stop()
	source := source{d: d, file: f, place: clip, program: program, demuxer: demuxer, decoder: clip.namedDecoder(format)}
	tracks := source.startAll(running)
	m := mixer{longest: out.max}
	for _, t := range tracks {
		m.voices = append(m.voices, &voice{placer: placer{next: t.next, worth: worth(format, len(tracks)), holes: known.lost()}})
	}
	m.declared = media.Samples(tracks[0].log.length())
	_ = m.run(out.write) // kept in out.failed
	stop()
	for _, t := range tracks {
		t.wait()
		if complaint := t.log.complaint.String(); t.err != nil || complaint != "" {
			d.log.InfoContext(ctx, "ffmpeg reported errors", "format", format, "track", t.number, "error", t.err, "stderr", complaint)
		}
	}
	if out.failed == nil {
		_ = out.finish() // kept in out.failed
	}
	switch {
	case out.failed != nil:
		return false, out.failed
	case ctx.Err() != nil:
		return false, context.Cause(ctx)
	}
	truncated, err = judgeAll(tracks)
	switch {
	case err == nil && known != nil:
		t := tracks[0]
		truncated = known.report(out, t.log.failed) || t.err != nil
	case err == nil:
		m.reportLost(tracks, lostEnd(clip, format, truncated), out)
	}
	return truncated, err
}

func (s source) args(number int, anyChannels bool) []string {
	input, protocols := s.place.input()
	args := []string{
		"-nostdin", "-hide_banner", "-nostats", "-v", "repeat+level+info", "-threads", "1",
		"-protocol_whitelist", protocols, "-format_whitelist", demuxerNames(s.demuxer), "-codec_whitelist", codecs,
	}
	if s.decoder != "" {
		args = append(args, "-c:a", s.decoder)
	}
	args = append(args,
		"-f", s.demuxer, "-i", input,
		"-map", "0:a:"+strconv.Itoa(number), "-vn", "-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1",
	)
	if !anyChannels {
		args = append(args, "-af", "aformat=channel_layouts=mono|stereo")
	}
	return append(args, "-ar", strconv.Itoa(media.SampleRate), "-c:a", "pcm_f32le", "-f", "matroska", "pipe:1")
}

// demuxerNames is the name that ffmpeg compares with its white list, which is
// longer than the one it is asked for.
func demuxerNames(demuxer string) string {
	switch demuxer {
	case "mov":
		return "mov,mp4,m4a,3gp,3g2,mj2"
	case "matroska":
		return "matroska,webm"
	}
	return demuxer
}
