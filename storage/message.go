package storage

import (
	"cmp"
	"time"

	"hark/media"
	"hark/media/spans"
	"hark/media/transcript"
)

// State is where a message is on its way.
//
//	recording -> received -> processing -> ready
//	    |            ^           |           ^
//	    |            +-- retry --+-> failed  |
//	    +------ what was said is known ------+
//
// The sound of a message can be played in every state from received on. A
// recording whose transcript was made while it was spoken is ready when it
// ends. Its job then makes the rendition, and maybe a better transcript, of a
// message that stays ready whatever becomes of the job.
type State string

// The states of a message.
const (
	Recording  State = "recording"  // being spoken
	Received   State = "received"   // kept, waiting for a worker
	Processing State = "processing" // a worker has it
	Ready      State = "ready"      // transcribed and searchable; all else is made, or its job is at it
	Failed     State = "failed"     // not all could be made; FailureReason says why
)

// Message is one voice clip, its author and its place.
type Message struct {
	ID             string
	WorkspaceID    string
	ConversationID string
	AuthorID       string
	AuthorName     string
	AuthorNo       int64    // see [User.No]
	AuthorKind     UserKind // empty means KindPerson
	Draft
	CreatedAt time.Time // when it came into its conversation: when it was sent or, of a draft, begun
	UpdatedAt time.Time

	State         State
	Progress      float64 // 0 to 1, of the work
	FailureReason string  // for people; set when State is Failed
	Hopeless      bool    // State is Failed, and no retry can help

	// EndReason is why a recording ended, if not by who spoke: "disconnected",
	// "duration", "idle", "bit_rate", "removed", "signed_out",
	// "server_stopped", "server_lost" or "failed". Empty for all other messages.
	EndReason string

	DurationMS int64 // length of the sound; 0 means not known yet
	Original   Original
	Rendition  *Rendition // nil until made
	Loudness   *float64   // integrated loudness of the original in LUFS; nil until measured
	Waveform   []float64  // 100 peaks, 0 to 1; nil until made

	TranscriptVersion int // 0 means no transcript yet
	Language          string
	FirstWords        string // how what is said begins, with an ellipsis if it goes on; empty means not known, or nothing said

	Heard Heard // by who asks
}

// Heard is what a person heard of a message. The zero value is nothing.
type Heard struct {
	// Done says that they need not hear it any more: it is their own, they were not there
	// when it was sent, they marked it so, or they heard enough of it ([EnoughHeard]). More
	// that they hear changes nothing of that.
	Done     bool
	Spans    spans.Set
	ResumeMS int64     // where they were last
	At       time.Time // of the last that they heard; zero means never
}

// MaxHeardSpans is how many stretches of one message are kept for one person: beyond it
// the narrowest gaps count as heard.
const MaxHeardSpans = 200

// EnoughHeard says whether somebody who heard this of a message heard the message: 90 %
// of its speech or, where none is known, of its sound. durationMS is 0 where it is not
// known, and nothing is enough of that.
func EnoughHeard(heard, speech spans.Set, durationMS int64) bool {
	whole := spans.Of(spans.Span{ToMS: durationMS})
	if !whole.Empty() {
		speech = speech.Intersect(whole) // a transcript may say more than there is
	}
	if speech.Empty() {
		speech = whole
	}
	return !speech.Empty() && heard.Intersect(speech).Length()*10 >= speech.Length()*9
}

// HeardPart is what somebody has just heard of a message.
type HeardPart struct {
	MessageID string
	Spans     spans.Set
	ResumeMS  int64 // where they are
}

// HeardMessage is a message of which something was heard.
type HeardMessage struct {
	ID             string
	ConversationID string
	Heard          Heard
	Unread         int // see [Conversation]; after it
}

// Name is what a message is called: by its title or, without one, by its first
// words. It is empty while neither is known.
func (m Message) Name() string { return cmp.Or(m.Title, m.FirstWords) }

// Original is the clip as it was sent.
type Original struct {
	Key      string // where it is in the object store
	Format   media.Format
	Bytes    int64
	SHA256   string // hex
	Filename string // as the sender named it; for people, never for paths
}

// Rendition is a playable encoding made of a clip.
type Rendition struct {
	Key       string
	MediaType string
	Bytes     int64
}

// NewMessage is what intake has kept and now records. ID and the original's
// key are chosen by intake, before the bytes are stored.
type NewMessage struct {
	ID             string
	ConversationID string
	Draft
	DurationMS int64 // as declared by the clip; 0 means unknown
	Original   Original
	Priority   Priority

	IdempotencyKey string // empty means none
	RequestHash    string // see [Draft.RequestHash]
}

// UnsendWithin is how long after its sending a message can be taken back.
const UnsendWithin = 10 * time.Second

// MessagePatch changes what is not nil.
type MessagePatch struct {
	Title *string
}

// MessagePage asks for a page of a conversation: the newest, one around a
// message, or one that a cursor leads to, which wins.
type MessagePage struct {
	Page
	Around string // id of a message of the conversation; empty means none
}

// MessageList is a page of a conversation, the newest message first.
type MessageList struct {
	Messages []Message
	Older    string // cursor of the page before it in time; empty at the beginning of the conversation
	Newer    string // cursor of the page after it; empty at the end
}

// VersionedTranscript is a transcript with its place in the message's history.
type VersionedTranscript struct {
	transcript.Transcript
	MessageID string
	Version   int
	CreatedAt time.Time
}
