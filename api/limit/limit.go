// Package limit bounds what one person may ask for in a time, so that one
// person's burst, or program gone wrong, does not become everybody's wait.
//
// What costs something belongs to a [Class]. Each person has a token bucket a
// class, filled at the class's [Rate]: [Limiter.Take] takes from it, or says when
// there will be enough. Streams are bounded by how many are open at once:
// [Limiter.Hold].
//
// Buckets live in the memory of a node, and nothing is lost with them: behind
// several nodes a person has as many buckets. A bucket that is full again is
// forgotten, so memory follows those who ask, not those who asked.
package limit

import (
	"math"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Class is a kind of request by what it costs. It is the name of the limit in
// answers, and so part of the API.
type Class string

// The classes.
const (
	Searches      Class = "searches"
	Tokens        Class = "tokens"        // credentials made
	Conversations Class = "conversations" // made
	Members       Class = "members"       // people added to conversations, or given another place in the workspace
	Retries       Class = "retries"       // of messages that failed
	Renames       Class = "renames"       // of oneself and of the workspace, each of which the audit log keeps
	Invitations   Class = "invitations"   // made
	Pictures      Class = "pictures"      // and pronunciations of names, set
	EmailChanges  Class = "email_changes" // addresses to be confirmed, by person and by address
	Heard         Class = "heard"         // calls that say what was heard
	Joins         Class = "joins"         // tries to join by an invitation, by address and not by person
	Streams       Class = "streams"       // event streams open at once
	Provisioning  Class = "provisioning"  // requests of an identity provider, by token and not by person

	// Of those who are not signed in yet, by what they bring:
	SignIns      Class = "sign_ins"       // attempts at one account
	SignInsFrom  Class = "sign_ins_from"  // attempts from one address
	SignInEmails Class = "sign_in_emails" // links mailed to one address
)

// What names what is limited, in a sentence such as "60 … per hour".
func (c Class) What() string {
	switch c {
	case Tokens:
		return "new tokens"
	case Conversations:
		return "new conversations"
	case Members:
		return "members added or changed"
	case SignIns, SignInsFrom:
		return "sign-ins"
	case SignInEmails:
		return "sign-in links by mail"
	case Invitations:
		return "new invitations"
	case Pictures:
		return "pictures and pronunciations"
	case EmailChanges:
		return "mails that confirm an address"
	default:
		return string(c)
	}
}

// Config says how much one person may ask for. A zero field is no limit.
type Config struct {
	Searches, Tokens, Conversations, Members, Retries, Renames, Invitations, Joins, Heard, Pictures, EmailChanges, Provisioning Rate

	SignIns, SignInsFrom, SignInEmails Rate

	Streams int // open at once
}

// Limiter holds the buckets of all who ask. It is safe for concurrent use.
type Limiter struct {
	rates   map[Class]Rate
	streams int
	now     func() time.Time

	mu      sync.Mutex
	buckets map[holder]*rate.Limiter
	open    map[string]int // streams by person; only of those who have one
	sweepAt int            // so many buckets, and the full ones are dropped
}

type holder struct {
	class  Class
	person string
}

// leastSweep is how many buckets are kept before full ones are looked for.
const leastSweep = 1024

// New makes a [Limiter].
func New(cfg Config) *Limiter {
	return &Limiter{
		rates: map[Class]Rate{
			Searches: cfg.Searches, Tokens: cfg.Tokens, Conversations: cfg.Conversations, Members: cfg.Members, Retries: cfg.Retries, Renames: cfg.Renames, Heard: cfg.Heard,
			SignIns: cfg.SignIns, SignInsFrom: cfg.SignInsFrom, SignInEmails: cfg.SignInEmails,
			Invitations: cfg.Invitations, Joins: cfg.Joins, Pictures: cfg.Pictures, EmailChanges: cfg.EmailChanges, Provisioning: cfg.Provisioning,
		},
		streams: cfg.Streams, now: time.Now,
		buckets: map[holder]*rate.Limiter{}, open: map[string]int{}, sweepAt: leastSweep,
	}
}

// State is how a person stands with one limit.
type State struct {
	Class Class
	Limit Rate // zero: none

	Remaining int           // what may be taken at once now
	Reset     time.Duration // until all may be taken again
	Retry     time.Duration // until what was refused may be taken; 0 when it was not
}

// Take takes n from a person's bucket. It reports false, and takes nothing,
// while there is not enough. More than the whole limit counts as the whole.
func (l *Limiter) Take(class Class, person string, n int) (State, bool) {
	limit := l.rates[class]
	if limit.N == 0 {
		return State{Class: class}, true
	}
	n = min(n, limit.N)
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket := l.bucket(holder{class, person}, limit, now)
	taken := bucket.AllowN(now, n)
	left := bucket.TokensAt(now)
	state := State{Class: class, Limit: limit, Remaining: max(0, int(left)), Reset: limit.until(float64(limit.N) - left)}
	if !taken {
		state.Retry = limit.until(float64(n) - left)
	}
	return state, taken
}

func (l *Limiter) bucket(h holder, limit Rate, now time.Time) *rate.Limiter {
	bucket := l.buckets[h]
	if bucket == nil {
		if len(l.buckets) >= l.sweepAt {
			l.sweep(now)
		}
		bucket = rate.NewLimiter(rate.Limit(float64(limit.N)/limit.Per.Seconds()), limit.N)
		l.buckets[h] = bucket
	}
	return bucket
}

// sweep drops the buckets that are full: a new one is the same.
func (l *Limiter) sweep(now time.Time) {
	for h, bucket := range l.buckets {
		if bucket.TokensAt(now) >= float64(bucket.Burst()) {
			delete(l.buckets, h)
		}
	}
	l.sweepAt = max(leastSweep, 2*len(l.buckets))
}

// Hold counts one more stream of a person, until release is called, which may
// be called again. It reports false when they have as many as one may.
func (l *Limiter) Hold(person string) (release func(), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.streams > 0 && l.open[person] >= l.streams {
		return nil, false
	}
	l.open[person]++
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.open[person]--; l.open[person] == 0 {
			delete(l.open, person)
		}
	}), true
}

// MaxStreams is how many streams a person may have open; 0 means no limit.
func (l *Limiter) MaxStreams() int { return l.streams }

// until is how long it takes to fill up by n tokens, in whole seconds.
func (r Rate) until(n float64) time.Duration {
	return time.Duration(math.Ceil(max(0, n)*r.Per.Seconds()/float64(r.N))) * time.Second
}

// AddressKey is what attempts from an address are counted by: of IPv6, what one
// subscriber has. What is no address counts as it is.
func AddressKey(remote string) string {
	addr, err := netip.ParseAddr(remote)
	if err != nil {
		return remote
	}
	addr = addr.Unmap()
	if addr.Is4() {
		return addr.String()
	}
	prefix, err := addr.WithZone("").Prefix(64)
	if err != nil {
		return remote
	}
	return prefix.String()
}
