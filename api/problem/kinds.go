package problem

import (
	"strings"

	"hark/storage"
)

// The kinds of problem. Codes are part of the API: never change one.
var (
	BadRequest           = Kind{"bad_request", 400, "Bad request", "The request cannot be understood."}
	BadForm              = Kind{"bad_request", 400, "Bad request", "The form cannot be read. It must be multipart/form-data with its boundary in the Content-Type, in at most 32 parts, with the recording in the field audio."}
	BadCursor            = Kind{"bad_cursor", 400, "Bad cursor", "The cursor does not belong to this list. Start again without one."}
	EmptyClip            = Kind{"empty_recording", 400, "Empty recording", "The recording is empty."}
	Incomplete           = Kind{"incomplete_body", 400, "Incomplete body", "The body ended before it was complete. Send it again."}
	BadOffer             = Kind{"bad_offer", 400, "Bad offer", "The body is not an SDP offer that can be understood."}
	Unauthorized         = Kind{"unauthorized", 401, "Sign in first", "Send an API token as Authorization: Bearer, or sign in."}
	Forbidden            = Kind{"forbidden", 403, "Not yours to change", "You may see this, but not change it."}
	InsufficientScope    = Kind{"insufficient_scope", 403, "Not within the token's scopes", "The token lacks a scope; the WWW-Authenticate header says which. Make one that has it."}
	CrossSite            = Kind{"cross_site", 403, "Sent from another site", "A signed-in browser may change things only from Hark's own pages. Programs send an API token."}
	StepUp               = Kind{"step_up", 403, "Prove who you are again", "This needs your password or a passkey again, or a new sign-in at a provider. Send one of the first two to POST /v1/step-up or begin at POST /v1/step-up/provider; then repeat the request within 10 minutes."}
	NotFound             = Kind{"not_found", 404, "Not found", "There is no such thing, or you may not see it."}
	NoTranscript         = Kind{"transcript_not_ready", 404, "No transcript yet", "The message has no transcript yet."}
	NoWaveform           = Kind{"waveform_not_ready", 404, "No waveform yet", "The waveform is not made yet."}
	NoRendition          = Kind{"rendition_not_ready", 404, "No rendition yet", "The rendition is not made yet."}
	Method               = Kind{"method_not_allowed", 405, "Method not allowed", "The address is right, but does not take this method; see the Allow header."}
	NotAcceptable        = Kind{"not_acceptable", 406, "Not acceptable", "None of the forms that you accept can be made."}
	OfferNotAcceptable   = Kind{"offer_not_acceptable", 406, "Offer not acceptable", "The offer has nothing that can be recorded: it needs an audio track in Opus that sends."}
	TooSlow              = Kind{"too_slow", 408, "Too slow", "Nothing came for too long. Send it again, on a better line."}
	Conflict             = Kind{"conflict", 409, "Conflict", "This cannot be done as things stand now. Look again, then try again."}
	LastOwner            = Kind{"last_owner", 409, "The last owner", "A workspace needs an owner. Make somebody else an owner first."}
	LastWayIn            = Kind{"last_way_in", 409, "The last way in", "You could not sign in any more without it. Set a password, add a passkey or link a provider first."}
	StillRecording       = Kind{"still_recording", 409, "Still being recorded", "The message is still being recorded. End the recording, then try again."}
	AlreadySent          = Kind{"already_sent", 409, "Sent already", "This is no draft any more: it has been sent, and stays."}
	TooLate              = Kind{"too_late", 409, "Too late", "A message can be taken back within 10 seconds of its sending. Delete it instead."}
	KeyReused            = Kind{"idempotency_key_reused", 409, "Idempotency key used before", "This Idempotency-Key was used with another request. Choose a new key for each new message."}
	KeySpent             = Kind{"idempotency_key_spent", 409, "Idempotency key used up", "The message that was made with this Idempotency-Key is gone. Choose a new key to send it once more."}
	RepresentationGone   = Kind{"representation_gone", 410, "Made anew since", "This form of the sound was made anew, and has another address now. Read the message again, and take its links.audio."}
	PreconditionFailed   = Kind{"precondition_failed", 412, "Not the session it was", "If-Match does not name the ICE session as it is now."}
	TooLarge             = Kind{"too_large", 413, "Too large", "The body is larger than may be sent here."}
	NotAudio             = Kind{"not_audio", 415, "Not a recording", "This is not a recording in a form that Hark knows."}
	NotPicture           = Kind{"not_picture", 415, "Not a picture", "This is no picture that can be taken. Send a JPEG, PNG, WebP or GIF."}
	Unsupported          = Kind{"unsupported_media_type", 415, "Unsupported form", "The body is in a form that is not taken here."}
	Range                = Kind{"range_not_satisfiable", 416, "Range not satisfiable", "The range lies behind the end; the Content-Range header has the size."}
	Validation           = Kind{"validation_failed", 422, "Not valid", "Something in the request is not valid."}
	InvalidQuery         = Kind{"invalid_query", 422, "Nothing to search for", "The query needs a word to look for, beside those it excludes, and takes 16 words or phrases of 500 characters in all."}
	Damaged              = Kind{"damaged_recording", 422, "Damaged recording", "The recording is damaged: nothing in it can be played."}
	TooLong              = Kind{"too_long", 422, "Recording too long", "The recording lasts longer than one may."}
	OverBudget           = Kind{"over_budget", 422, "Recording too costly", "Decoding the recording takes more than one may."}
	Misdirected          = Kind{"misdirected_request", 421, "Not this host", "Hark does not answer under this name. Its operator sets HARK_PUBLIC_URL to the address under which people reach it, or adds the name to HARK_HOSTS."}
	PreconditionRequired = Kind{"precondition_required", 428, "If-Match is missing", "Send If-Match: with the ETag of the ICE session for candidates, with * for a restart."}
	RateLimited          = Kind{"rate_limited", 429, "Too many requests", "A limit per person is reached. Wait as long as Retry-After says, then try again."}
	Quota                = Kind{"quota_reached", 507, "Quota reached", "This workspace has used its storage. Delete recordings or ask an owner or the operator for more. Nothing of this one was saved."}
	TooManyStreams       = Kind{"too_many_streams", 429, "Too many at once", "You have the maximum number of event streams open. Close one, then reconnect."}
	TooManyUploads       = Kind{"too_many_uploads", 429, "Too many at once", "You are sending many recordings at once. Wait for one to finish, then send the next."}
	TooManyRecordings    = Kind{"too_many_recordings", 429, "Too many at once", "You have as many live recordings as one may have at once. End one, then begin the next."}
	TooManyChanges       = Kind{"too_many_changes", 429, "Too many changes", "This live recording is being changed too often. Wait a few seconds, then try again."}
	Internal             = Kind{"internal", 500, "Internal error", "Something went wrong on our side. It is logged under the request id."}
	LiveOff              = Kind{"live_recording_off", 501, "Live recording is off", "This Hark takes no live recordings: HARK_WEBRTC_UDP is off. Send a recording instead."}
	Unavailable          = Kind{"unavailable", 503, "Unavailable", "A part of the service is away for the moment. Try again shortly."}
	NoSpace              = Kind{"no_space", 507, "No space left", "The server has no space left, and nothing of this was kept. Its operator must make room; then send it again."}
	Saturated            = Kind{"saturated", 503, "Busy", "The server is taking in as many recordings as it can. Try again shortly."}
)

// Kinds lists all kinds, for the documentation.
func Kinds() []Kind {
	return []Kind{
		BadRequest, BadCursor, EmptyClip, Incomplete, BadOffer, Unauthorized, Forbidden, InsufficientScope, CrossSite, StepUp,
		NotFound, NoTranscript, NoWaveform, NoRendition, Method, NotAcceptable, OfferNotAcceptable, TooSlow, Conflict, LastOwner, LastWayIn,
		StillRecording, AlreadySent, TooLate, KeyReused, KeySpent, RepresentationGone, PreconditionFailed, TooLarge, NotAudio, NotPicture, Unsupported, Range, Validation, InvalidQuery,
		Damaged, TooLong, OverBudget, Misdirected, PreconditionRequired, RateLimited, TooManyStreams, TooManyUploads, TooManyRecordings, TooManyChanges,
		Internal, LiveOff, Unavailable, Saturated, NoSpace, Quota,
	}
}

// ofStatus is the kind for a bare HTTP status, such as the router's.
func ofStatus(status int) Kind {
	for _, k := range []Kind{
		BadRequest, Unauthorized, Forbidden, NotFound, Method, NotAcceptable, TooSlow,
		Conflict, TooLarge, Unsupported, Validation, Unavailable,
	} {
		if k.Status == status {
			return k
		}
	}
	if status >= 400 && status < 500 {
		return BadRequest
	}
	return Internal
}

// Anchor is where the documentation explains the kind.
func (k Kind) Anchor() string { return "problem-" + strings.ReplaceAll(k.Code, "_", "-") }

// Example is how a problem of the kind may look.
func (k Kind) Example() *Problem {
	p := k.Because(nil).For("0197a3c2-9999-7c44-9f0a-2f6d1c9b7e55", "")
	switch k {
	case Validation:
		p.Detail = "body.title: must be 200 characters or fewer."
		p.Errors = []FieldProblem{{Field: "body.title", Message: "must be 200 characters or fewer"}}
	case NoTranscript:
		p.State = string(storage.Processing)
	}
	return p
}
