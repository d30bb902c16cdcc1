package transcribe

import "errors"

// ErrPermanent marks a failure that trying again cannot mend, such as a model
// that is missing or a key that a remote engine refuses.
var ErrPermanent = errors.New("transcription cannot succeed")
