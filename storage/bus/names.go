package bus

import (
	"fmt"
	"strings"

	"hark/transcribe"
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

// class is the subject of all jobs of a priority.
func (n names) class(p transcribe.Priority) string { return n.job(p, "*") }

// job is the subject of one job.
func (n names) job(p transcribe.Priority, id string) string {
	return n.prefix + ".jobs." + className(p) + "." + id
}

// events is the subject of a workspace's events.
func (n names) events(workspaceID string) string { return n.prefix + ".events." + workspaceID }

// cancel is the subject on which jobs are called off.
func (n names) cancel() string { return n.prefix + ".cancel" }
