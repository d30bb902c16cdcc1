package storage

import (
	"time"

	"hark/transcribe"
)

// JobRef names the work that makes a message ready. A message has one job, from
// when its sound is in the store, which goes by the message's id; doing it again
// (a retry, a better model) is a new attempt of the same job.
//
// An attempt holds a lease that its worker renews; when the lease runs out,
// another worker may begin the next attempt, and whatever the first still
// saves is refused with ErrStale.
type JobRef struct {
	ID       string
	Priority transcribe.Priority
	Attempt  int // attempts begun so far
}

// longSpeech is how long a recording may be for its work to go among what
// somebody waits for.
const longSpeech = 10 * time.Minute

// PriorityOf is how urgent the work on a recording of a length is. A long one
// does not go before what somebody waits for.
func PriorityOf(length time.Duration) transcribe.Priority {
	if length > longSpeech {
		return transcribe.Bulk
	}
	return transcribe.Interactive
}

// QueueStats describes work that waits, by priority.
type QueueStats struct {
	Priority  transcribe.Priority
	Waiting   int           // jobs that no worker has begun
	Running   int           // jobs under a live lease
	OldestAge time.Duration // age of the job that waits longest; 0 when none waits
}
