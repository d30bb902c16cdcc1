package decode

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

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
	"adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,adpcm_yamaha,adpcm_g726,g726,truespeech,mace3,mace6"

const (
	maxComplaint = 4 << 10 // bytes of ffmpeg's complaints that are kept
	killWait     = 5 * time.Second
)

// ffmpeg decodes f in a confined child. It reports whether the clip broke off.
func (d *Decoder) ffmpeg(ctx context.Context, f *os.File, format media.Format, out *funnel) (truncated bool, err error) {
	demuxer, ok := demuxers[format]
	if !ok {
		return false, fmt.Errorf("no decoder for format %q", format)
	}
	program, err := exec.LookPath(d.cfg.FFmpeg)
	if err != nil {
		return false, fmt.Errorf("find ffmpeg: %w", err)
	}
	out.start(media.SampleRate)
	var complaint bounded
	err = d.runConfined(ctx, child{
		program: program,
		args:    d.ffmpegArgs(format, demuxer),
		stdin:   f,
		stderr:  &complaint,
	}, func(r io.Reader) error { return readFloats(r, out) })
	if err != nil || complaint.String() != "" {
		d.log.InfoContext(ctx, "ffmpeg complained", "format", format, "error", err, "stderr", complaint.String())
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
	return judge(err, complaint.String(), out.samples)
}

func (d *Decoder) ffmpegArgs(format media.Format, demuxer string) []string {
	args := []string{
		"-nostdin", "-hide_banner", "-v", "error", "-threads", "1",
		"-protocol_whitelist", "file", "-format_whitelist", demuxerNames(demuxer), "-codec_whitelist", codecs,
		"-f", demuxer, "-i", "file:/proc/self/fd/0",
		"-map", "0:a:0", "-vn", "-sn", "-dn",
		"-ac", "1", "-ar", strconv.Itoa(media.SampleRate),
	}
	if longest := d.cfg.Limits.MaxDuration; longest > 0 {
		args = append(args, "-t", strconv.FormatFloat((longest+time.Second).Seconds(), 'f', 3, 64))
	}
	if format == media.AMR || format == media.AMRWB || format == media.ThreeGP {
		// A phone sends next to nothing while nobody speaks, and ffmpeg drops
		// those frames. Filling them in keeps every word at its time.
		args = append(args, "-af", "aresample="+strconv.Itoa(media.SampleRate)+":async=1:min_hard_comp=0.018")
	}
	return append(args, "-f", "f32le", "pipe:1")
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

// readFloats writes what r holds (32-bit little-endian floats, mono) to out.
func readFloats(r io.Reader, out *funnel) error {
	raw, p := make([]byte, 4*blockSamples), make([]float32, blockSamples)
	buffered := bufio.NewReaderSize(r, len(raw))
	for {
		n, err := io.ReadFull(buffered, raw)
		fromF32(p[:n/4], raw)
		if err := out.write(p[:n/4], 1); err != nil {
			return err
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return fmt.Errorf("read sound from ffmpeg: %w", err)
		}
	}
}

// judge tells what the end of an ffmpeg that nobody stopped means.
func judge(err error, complaint string, samples int64) (truncated bool, _ error) {
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(complaint, w) {
				return true
			}
		}
		return false
	}
	cause := fmt.Errorf("ffmpeg: %w: %s", orEnded(err), complaint)
	var exit *exec.ExitError
	switch {
	case err != nil && (!errors.As(err, &exit) || has(confineFailed, runtimeFailed)):
		return false, cause
	case err != nil && outOfTime(exit):
		return false, media.Refuse(media.OverBudget, cause, "The recording took too long to decode. Send it in another form, such as MP3.")
	case err != nil && has("Cannot allocate memory"):
		return false, media.Refuse(media.OverBudget, cause, "The recording takes too much memory to decode. Send it in another form, such as MP3.")
	case samples > 0:
		broken := has("partial file", "truncated", "ended prematurely", "Invalid data", "Error while decoding", "Error submitting packet")
		return err != nil || broken && !has("dtx mode is not implemented", "Not yet implemented"), nil
	case has("matches no streams"):
		return false, media.Refuse(media.NotAudio, cause, "There is no sound in this file.")
	case has("not on whitelist", "Decoder not found", "Decoder (codec", "no decoder found", "Unsupported codec", "unknown codec"):
		return false, media.Refuse(media.Unsupported, cause, "The sound is encoded in a way that Hark does not decode. Send it as MP3, M4A, WAV, FLAC or Opus.")
	}
	return false, refuseSilent(cause)
}

var errEnded = errors.New("ended")

func orEnded(err error) error {
	if err == nil {
		return errEnded
	}
	return err
}

func outOfTime(exit *exec.ExitError) bool {
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGXCPU
}

// bounded keeps the first bytes that are written to it.
type bounded struct{ kept []byte }

// Write takes everything and keeps what has room.
func (b *bounded) Write(p []byte) (int, error) {
	b.kept = append(b.kept, p[:min(len(p), maxComplaint-len(b.kept))]...)
	return len(p), nil
}

func (b *bounded) String() string { return strings.TrimSpace(string(b.kept)) }
