package bus

import (
	"fmt"
	"strings"

	"hark/storage"
)

// maxPrefix bounds [Config.Prefix], so that stream names and subjects stay
// short.
const maxPrefix = 64

// CheckPrefix refuses a prefix that is not fit for the names of streams and
// subjects: 1 to 64 letters, digits, hyphens and underscores.
func CheckPrefix(prefix string) error {
	fits := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_'
	}
	if prefix == "" || len(prefix) > maxPrefix || strings.ContainsFunc(prefix, func(r rune) bool { return !fits(r) }) {
		return fmt.Errorf("%q is not 1 to %d letters, digits, hyphens and underscores", prefix, maxPrefix)
	}
	return nil
}

// names are what one Hark calls its own on a server that others use too. All
// begin with its prefix.
type names struct{ prefix string }

// stream is the job queue.
func (n names) stream() string { return n.prefix + "-jobs" }

// class is the subject of all jobs of a kind and priority.
func (n names) class(kind storage.JobKind, p storage.Priority) string { return n.job(kind, p, "*") }

// anyKind is the subject of all jobs of a priority, but for those of the kind
// transcribe.
func (n names) anyKind(p storage.Priority) string { return n.job("*", p, "*") }

// job is the subject of one job. That of the kind transcribe is what it was when
// there was no other, so that nodes of both versions share the queue.
func (n names) job(kind storage.JobKind, p storage.Priority, id string) string {
	subject := n.prefix + ".jobs." + p.String() + "."
	if kind != storage.Transcribe {
		subject += string(kind) + "."
	}
	return subject + id
}

// consumerName is how the consumer of a kind and priority is called.
func consumerName(kind storage.JobKind, p storage.Priority) string {
	if kind == storage.Transcribe { // as before there was another
		return p.String()
	}
	return string(kind) + "-" + p.String()
}

// events is the subject of a workspace's events.
func (n names) events(workspaceID string) string { return n.prefix + ".events." + workspaceID }

// cancel is the subject on which jobs are called off.
func (n names) cancel() string { return n.prefix + ".cancel" }
