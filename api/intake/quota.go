package intake

import (
	"context"
	"fmt"
	"time"

	"hark/storage"
)

// Quotas ([storage.Quotas]) are looked at before the first byte of a recording,
// which may then be as large as what is left: those that are on their way at the same
// time count when they are kept, and live ones when they have ended.

// Quota is one of them, as answers name it.
type Quota string

// The quotas.
const (
	BytesPerDay Quota = storage.QuotaBytesPerDay
	JobsWaiting Quota = storage.QuotaWaiting
	StoredBytes Quota = storage.QuotaStored
)

// QuotaError is a quota that is used up.
type QuotaError struct {
	Quota Quota
	Limit int64
	Left  int64         // bytes, fewer than the recording has; 0 where all are used
	Retry time.Duration // until it is worth another try; 0 when that cannot be known
}

// Error names the quota.
func (e *QuotaError) Error() string {
	return fmt.Sprintf("%s: too few of %d are left", e.Quota, e.Limit)
}

// room is how large a recording may be.
type room struct {
	bytes int64
	full  error // of one that is larger
}

// waitForWorkers is when to look again whether some of what waits was done.
const waitForWorkers = time.Minute

// findRoom says how large a recording of the principal may be, or that there is
// room for none.
func (in *Intake) findRoom(ctx context.Context, principal storage.Principal) (room, error) {
	found := room{in.limits.MaxBytes, tooLarge(in.limits.MaxBytes)}
	used, err := in.Records.Usage(ctx, principal)
	if err != nil {
		return room{}, fmt.Errorf("look at usage: %w", err)
	}
	now, quotas := storage.Now(), in.quotas.Within(used.Quotas)
	for _, q := range []struct {
		quota       Quota
		limit, used int64
		retry       time.Duration
	}{
		{StoredBytes, quotas.Stored, used.Stored, 0},
		{BytesPerDay, quotas.BytesPerDay, used.Today, now.Truncate(24 * time.Hour).Add(24 * time.Hour).Sub(now)},
	} {
		left := q.limit - q.used
		full := &QuotaError{Quota: q.quota, Limit: q.limit, Left: max(0, left), Retry: q.retry}
		switch {
		case q.limit == 0:
		case left <= 0:
			return room{}, full
		case left < found.bytes:
			found = room{left, full}
		}
	}
	if most := quotas.Waiting; most > 0 && used.Waiting >= most {
		return room{}, &QuotaError{Quota: JobsWaiting, Limit: int64(most), Retry: waitForWorkers}
	}
	return found, nil
}
