package storage

import (
	"time"

	"hark/transcribe"
)

// JobRef names the work that makes a message ready. A message has one job,
// which goes by the message's id; doing it again (a retry, a better model) is a
// new attempt of the same job.
//
// An attempt holds a lease that its worker renews; when the lease runs out,
// another worker may begin the next attempt, and whatever the first still
// saves is refused with ErrStale.
type JobRef struct {
	ID       string
	Priority transcribe.Priority
	Attempt  int // attempts begun so far
}

// QueueStats describes work that waits, by priority.
type QueueStats struct {
	Priority  transcribe.Priority
	Waiting   int           // jobs that no worker has begun
	Running   int           // jobs under a live lease
	OldestAge time.Duration // age of the job that waits longest; 0 when none waits
}
