package storage

import (
	"encoding/json"
	"time"

	"hark/media"
)

// JobKind says what a job does, and so which handler does it.
type JobKind string

// Transcribe makes a message ready. Its subject is the message's id, which is the
// job's id too: a message has one job, from when its sound is in the store, and
// doing it again (a retry, a better model) is a new attempt of the same job. It
// goes with its message.
const Transcribe JobKind = "transcribe"

// Mail sends a mail. Its subject names what the mail is for, so that there is one for
// each purpose.
const Mail JobKind = "mail"

// JobKinds are all kinds that there are.
func JobKinds() []JobKind { return []JobKind{Transcribe, Mail} }

// Priority orders the work of a kind that waits.
type Priority int

// The priorities, most urgent first. The zero value is Interactive.
const (
	Interactive Priority = iota // somebody is waiting for it
	Bulk                        // long clips and imports
)

// Priorities are all priorities, the most urgent first.
func Priorities() []Priority { return []Priority{Interactive, Bulk} }

// String is how a priority is called in metrics and in the queue.
func (p Priority) String() string {
	if p == Interactive {
		return "interactive"
	}
	return "bulk"
}

// longSpeech is how long a recording may be for its work to go among what
// somebody waits for.
const longSpeech = 10 * time.Minute

// PriorityOf is how urgent the work on a recording of a length is. A long one
// does not go before what somebody waits for.
func PriorityOf(length time.Duration) Priority {
	if length > longSpeech {
		return Bulk
	}
	return Interactive
}

// JobRef names a job.
type JobRef struct {
	ID       string
	Kind     JobKind
	Priority Priority
	Attempt  int // attempts begun so far
}

// NewJob is a job to add. Of a kind and a subject there is one job:
//
//   - one that waits or runs stays as it is, with the args that it has, so a
//     subject must name all that the work depends on ("message and version", say);
//   - one that is done stays done, until it is forgotten a month later;
//   - one that failed for good begins anew, with the new args.
type NewJob struct {
	Kind     JobKind
	Subject  string // what it is about, unique among the jobs of the kind in all workspaces; at most MaxSubject bytes
	Args     any    // what the handler needs, as JSON; nil for nothing. They are erased when the job ends
	AuthorID string // whose turn it takes among the jobs of the kind; empty for Hark's own
	Priority Priority
}

// MaxSubject is how long the subject of a job may be, in bytes.
const MaxSubject = 256

// Job is one attempt at a job.
//
// An attempt holds a lease that its worker renews; when the lease runs out,
// another worker may begin the next attempt, and whatever the first still
// saves is refused with ErrStale.
type Job struct {
	JobRef      // Attempt is this one: 1 for the first
	WorkspaceID string
	Subject     string
	Args        json.RawMessage // nil when it was added without
	Try         int             // which attempt this is since the work was last asked for, of those that count: neither lost with their process nor handed back
}

// What FailJob is given in place of a wait.
const (
	ForGood  time.Duration = -1 // the job fails; a person may have it tried again
	Hopeless time.Duration = -2 // the job fails, and trying again cannot help
)

// QueueStats describes work that waits, by kind and priority.
type QueueStats struct {
	Kind      JobKind
	Priority  Priority
	Waiting   int           // jobs that no worker has begun
	Running   int           // jobs under a live lease
	OldestAge time.Duration // age of the job that waits longest; 0 when none waits
}

// FailedJob is a job that failed for good.
type FailedJob struct {
	JobRef
	WorkspaceID string
	Subject     string
	Reason      string // for the operator
	At          time.Time
}

// Task is one attempt at the work that makes a message ready: what to fetch, and
// what is already made.
type Task struct {
	Job       // which guards what is saved
	MessageID string

	Key      string // where the original is in the object store
	Format   media.Format
	Bytes    int64  // size of the original
	Language string // BCP 47 hint; empty means the engine's own choice

	RenditionKey   string // where to put the rendition; unguessable, the same in every attempt
	HaveRendition  bool   // an earlier attempt made the rendition
	HaveSound      bool   // the sound's measures are saved, by an earlier attempt or when it was recorded
	HaveTranscript bool   // the message is ready: it was heard while it was spoken
}

// HaveAudio says that all is made but, maybe, the transcript.
func (t Task) HaveAudio() bool { return t.HaveSound && t.HaveRendition }

// Sound is what is measured of decoded sound.
type Sound struct {
	DurationMS   int64
	Peaks        []float64 // 100 values, 0 to 1
	LoudnessLUFS float64   // integrated (EBU R128)
}
