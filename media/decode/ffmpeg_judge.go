package decode

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"

	"hark/media"
	"hark/media/decode/confine"
)

// judgeAll tells what the ends of the children of one clip mean. What could
// not be done for one track counts only where no other was heard.
func judgeAll(tracks []*trackDecoder) (truncated bool, _ error) {
	var refused error
	heard := false
	for _, t := range tracks {
		broke, err := judge(t.err, t.log.complaint.String(), t.heard)
		if _, refusal := media.AsRefusal(err); err != nil && !refusal {
			return false, err
		}
		if t.heard {
			truncated = truncated || broke || err != nil
			heard = heard || err == nil
		}
		if refused == nil {
			refused = err
		}
	}
	if heard {
		return truncated, nil
	}
	return false, refused
}

// judge tells what the end of an ffmpeg that nobody stopped means.
func judge(err error, complaint string, heard bool) (truncated bool, _ error) {
	cause := fmt.Errorf("ffmpeg: %w: %s", orEnded(err), complaint)
	var exit *exec.ExitError
	switch {
	case err != nil && (!errors.As(err, &exit) || confine.DidNotStart(complaint)):
		return false, cause
	case err != nil && outOfTime(exit):
		return false, media.Refuse(media.OverBudget, cause, "The recording took too long to decode. Send it in another form, such as MP3.")
	case err != nil && says(complaint, "Cannot allocate memory"):
		return false, media.Refuse(media.OverBudget, cause, "The recording takes too much memory to decode. Send it in another form, such as MP3.")
	case heard:
		broken := says(complaint, "partial file", "truncated", "ended prematurely", "Invalid data", "Error while decoding", "Error submitting packet", "Error submitting a packet")
		return err != nil || broken && !discontinuous(complaint), nil
	case says(complaint, "matches no streams"):
		return false, media.Refuse(media.NotAudio, cause, "There is no sound in this file.")
	case says(complaint, "not on whitelist", "Decoder not found", "Decoder (codec", "no decoder found", "Unsupported codec", "unknown codec"):
		return false, media.Refuse(media.Unsupported, cause, "The sound is encoded in a way that Hark does not decode. Send it as MP3, M4A, WAV, FLAC or Opus.")
	}
	return false, refuseSilent(cause)
}

// discontinuous reports whether ffmpeg complains of frames in which a phone
// sent nothing as nobody spoke: nothing is lost with them.
func discontinuous(complaint string) bool {
	return says(complaint, "dtx mode is not implemented", "Not yet implemented")
}

func says(complaint string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(complaint, w) {
			return true
		}
	}
	return false
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
