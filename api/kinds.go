package api

import "strings"

// The kinds of problem. Codes are part of the API: never change one.
var (
	kindBadRequest           = kind{"bad_request", 400, "Bad request", "The request cannot be understood."}
	kindBadForm              = kind{"bad_request", 400, "Bad request", "The form cannot be read. It must be multipart/form-data with its boundary in the Content-Type, in at most 32 parts, with the recording in the field audio."}
	kindBadCursor            = kind{"bad_cursor", 400, "Bad cursor", "The cursor does not belong to this list. Start again without one."}
	kindEmptyClip            = kind{"empty_recording", 400, "Empty recording", "The recording is empty."}
	kindIncomplete           = kind{"incomplete_body", 400, "Incomplete body", "The body ended before it was complete. Send it again."}
	kindBadOffer             = kind{"bad_offer", 400, "Bad offer", "The body is not an SDP offer that can be understood."}
	kindUnauthorized         = kind{"unauthorized", 401, "Sign in first", "Send an API token as Authorization: Bearer, or sign in."}
	kindForbidden            = kind{"forbidden", 403, "Not yours to change", "You may see this, but not change it."}
	kindCrossSite            = kind{"cross_site", 403, "Sent from another site", "A signed-in browser may change things only from Hark's own pages. Programs send an API token."}
	kindNotFound             = kind{"not_found", 404, "Not found", "There is no such thing, or you may not see it."}
	kindNoTranscript         = kind{"transcript_not_ready", 404, "No transcript yet", "The message has no transcript yet."}
	kindNoWaveform           = kind{"waveform_not_ready", 404, "No waveform yet", "The waveform is not made yet."}
	kindNoRendition          = kind{"rendition_not_ready", 404, "No rendition yet", "The rendition is not made yet."}
	kindMethod               = kind{"method_not_allowed", 405, "Method not allowed", "The address is right, but does not take this method; see the Allow header."}
	kindNotAcceptable        = kind{"not_acceptable", 406, "Not acceptable", "None of the forms that you accept can be made."}
	kindOfferNotAcceptable   = kind{"offer_not_acceptable", 406, "Offer not acceptable", "The offer has nothing that can be recorded: it needs an audio track in Opus that sends."}
	kindTooSlow              = kind{"too_slow", 408, "Too slow", "Nothing came for too long. Send it again, on a better line."}
	kindConflict             = kind{"conflict", 409, "Conflict", "This cannot be done as things stand now. Look again, then try again."}
	kindKeyReused            = kind{"idempotency_key_reused", 409, "Idempotency key used before", "This Idempotency-Key was used with another request. Choose a new key for each new message."}
	kindKeySpent             = kind{"idempotency_key_spent", 409, "Idempotency key used up", "The message that was made with this Idempotency-Key is gone. Choose a new key to send it once more."}
	kindRepresentationGone   = kind{"representation_gone", 410, "Made anew since", "This form of the sound was made anew, and has another address now. Read the message again, and take its links.audio."}
	kindPreconditionFailed   = kind{"precondition_failed", 412, "Not the session it was", "If-Match does not name the ICE session as it is now."}
	kindTooLarge             = kind{"too_large", 413, "Too large", "The body is larger than may be sent here."}
	kindNotAudio             = kind{"not_audio", 415, "Not a recording", "This is not a recording in a form that Hark knows."}
	kindUnsupported          = kind{"unsupported_media_type", 415, "Unsupported form", "The body is in a form that is not taken here."}
	kindRange                = kind{"range_not_satisfiable", 416, "Range not satisfiable", "The range lies behind the end; the Content-Range header has the size."}
	kindValidation           = kind{"validation_failed", 422, "Not valid", "Something in the request is not valid."}
	kindInvalidQuery         = kind{"invalid_query", 422, "Nothing to search for", "The query needs a word to look for, beside those it excludes, and takes 16 words or phrases of 500 characters in all."}
	kindDamaged              = kind{"damaged_recording", 422, "Damaged recording", "The recording is damaged: nothing in it can be played."}
	kindTooLong              = kind{"too_long", 422, "Recording too long", "The recording lasts longer than one may."}
	kindOverBudget           = kind{"over_budget", 422, "Recording too costly", "Decoding the recording takes more than one may."}
	kindMisdirected          = kind{"misdirected_request", 421, "Not this host", "Hark does not answer under this name. Its operator sets HARK_PUBLIC_URL to the address under which people reach it, or adds the name to HARK_HOSTS."}
	kindPreconditionRequired = kind{"precondition_required", 428, "If-Match is missing", "Send If-Match: with the ETag of the ICE session for candidates, with * for a restart."}
	kindTooManyUploads       = kind{"too_many_uploads", 429, "Too many at once", "You are sending many recordings at once. Wait for one to finish, then send the next."}
	kindTooManyRecordings    = kind{"too_many_recordings", 429, "Too many at once", "You have as many live recordings as one may have at once. End one, then begin the next."}
	kindTooManyChanges       = kind{"too_many_changes", 429, "Too many changes", "This live recording is being changed too often. Wait a few seconds, then try again."}
	kindInternal             = kind{"internal", 500, "Internal error", "Something went wrong on our side. It is logged under the request id."}
	kindLiveOff              = kind{"live_recording_off", 501, "Live recording is off", "This Hark takes no live recordings: HARK_WEBRTC_UDP is off. Send a recording instead."}
	kindUnavailable          = kind{"unavailable", 503, "Unavailable", "A part of the service is away for the moment. Try again shortly."}
	kindNoSpace              = kind{"no_space", 507, "No space left", "The server has no space left, and nothing of this was kept. Its operator must make room; then send it again."}
	kindSaturated            = kind{"saturated", 503, "Busy", "The server is taking in as many recordings as it can. Try again shortly."}
)

// kinds lists all kinds, for the documentation.
func kinds() []kind {
	return []kind{
		kindBadRequest, kindBadCursor, kindEmptyClip, kindIncomplete, kindBadOffer, kindUnauthorized, kindForbidden, kindCrossSite,
		kindNotFound, kindNoTranscript, kindNoWaveform, kindNoRendition, kindMethod, kindNotAcceptable, kindOfferNotAcceptable, kindTooSlow, kindConflict,
		kindKeyReused, kindKeySpent, kindRepresentationGone, kindPreconditionFailed, kindTooLarge, kindNotAudio, kindUnsupported, kindRange, kindValidation, kindInvalidQuery,
		kindDamaged, kindTooLong, kindOverBudget, kindMisdirected, kindPreconditionRequired, kindTooManyUploads, kindTooManyRecordings, kindTooManyChanges,
		kindInternal, kindLiveOff, kindUnavailable, kindSaturated, kindNoSpace,
	}
}

// kindOfStatus is the kind for a bare HTTP status, such as the router's.
func kindOfStatus(status int) kind {
	for _, k := range []kind{
		kindBadRequest, kindUnauthorized, kindForbidden, kindNotFound, kindMethod, kindNotAcceptable, kindTooSlow,
		kindConflict, kindTooLarge, kindUnsupported, kindValidation, kindUnavailable,
	} {
		if k.status == status {
			return k
		}
	}
	if status >= 400 && status < 500 {
		return kindBadRequest
	}
	return kindInternal
}

// anchor is where the documentation explains the kind.
func (k kind) anchor() string { return "problem-" + strings.ReplaceAll(k.code, "_", "-") }
