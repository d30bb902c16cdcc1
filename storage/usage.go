package storage

// Usage is what a person and their workspace take of what is bounded.
type Usage struct {
	Today   int64  // bytes of sound that the person sent since midnight UTC, deleted since or not
	Stored  int64  // bytes of sound that the workspace stores, renditions included
	Waiting int    // messages of the person that wait for a worker
	Quotas  Quotas // that the workspace's owners set
}

// Quotas bound what a person, and a workspace, may have kept. A zero field is no
// limit. Who runs the server sets them for all workspaces, and the owners of a
// workspace tighter ones for theirs.
type Quotas struct {
	BytesPerDay int64 // sent by one person since midnight UTC
	Waiting     int   // messages of one person that wait for a worker
	Stored      int64 // bytes of a workspace
}

// Within is what holds of q where others hold, too: of each the tighter.
func (q Quotas) Within(others Quotas) Quotas {
	return Quotas{
		BytesPerDay: tighter(q.BytesPerDay, others.BytesPerDay), Waiting: tighter(q.Waiting, others.Waiting), Stored: tighter(q.Stored, others.Stored),
	}
}

func tighter[N int | int64](one, other N) N {
	if one == 0 || other == 0 {
		return max(one, other)
	}
	return min(one, other)
}

// The names of quotas, as answers and the audit log have them.
const (
	QuotaBytesPerDay = "bytes_per_day"
	QuotaWaiting     = "jobs_waiting"
	QuotaStored      = "stored_bytes"
)

// QuotasPatch is what is to be changed of quotas; nil leaves what is there.
type QuotasPatch struct {
	BytesPerDay *int64
	Waiting     *int
	Stored      *int64
}

// WorkspaceUsage is what a workspace takes.
type WorkspaceUsage struct {
	Stored  int64 // bytes of sound, renditions included
	SoundMS int64 // length of the recordings that it stores
	Members int   // who are let in, guests among them
	Guests  int
	Quotas  Quotas // that its owners set
}

// MemberUsage is what a user takes.
type MemberUsage struct {
	User    User
	Today   int64 // as in [Usage]
	Waiting int
	Stored  int64 // bytes of sound, renditions included, of their messages
	SoundMS int64 // length of these
}
