package rest

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"hark/api/limit"
	"hark/api/problem"
	"hark/storage"
)

// Limits bound what one person may ask for in a time, and say so in answers. They
// are safe for concurrent use.
type Limits struct{ limiter *limit.Limiter }

// NewLimits makes [Limits] without anything spent.
func NewLimits(cfg limit.Config) *Limits { return &Limits{limit.New(cfg)} }

// Spend takes n of what the principal may ask for of a class, and says in the
// answer what is left, beside what it says of other classes (RateLimit header fields for HTTP,
// draft-ietf-httpapi-ratelimit-headers-10). Its error is a problem.
func (l *Limits) Spend(ctx context.Context, principal storage.Principal, class limit.Class, n int) error {
	state, ok := l.limiter.Take(class, principal.UserID, n)
	if state.Limit.N == 0 {
		return nil
	}
	header := CallFrom(ctx).Response().Header()
	header.Add("RateLimit-Policy", fmt.Sprintf("%q;q=%d;w=%d", class, state.Limit.N, seconds(state.Limit.Per)))
	header.Add("RateLimit", fmt.Sprintf("%q;r=%d;t=%d", class, state.Remaining, seconds(state.Reset)))
	if ok {
		return nil
	}
	p := problem.RateLimited.Saying(fmt.Sprintf("Limit reached: %d %s %s per person. Try again in %s.",
		state.Limit.N, class.What(), perWords[state.Limit.Per], limit.InWords(state.Retry)), nil)
	p.Limit = string(class)
	return p.WithHeader("Retry-After", strconv.Itoa(seconds(state.Retry)))
}

// Allow takes one of what those may ask for of a class who are not signed in yet,
// whom key tells apart (see [limit.AddressKey]), or says when it may be asked for.
func (l *Limits) Allow(class limit.Class, key string) (retry time.Duration, ok bool) {
	state, ok := l.limiter.Take(class, key, 1)
	return state.Retry, ok
}

func seconds(d time.Duration) int { return int(d / time.Second) }

var perWords = map[time.Duration]string{time.Second: "per second", time.Minute: "per minute", time.Hour: "per hour", 24 * time.Hour: "per day"}

// HoldStream counts a stream of the principal until release is called. Its error
// is a problem.
func (l *Limits) HoldStream(principal storage.Principal) (release func(), err error) {
	release, ok := l.limiter.Hold(principal.UserID)
	if !ok {
		p := problem.TooManyStreams.Saying(fmt.Sprintf("You have %d event streams open, the maximum per person. Close one, then reconnect.", l.limiter.MaxStreams()), nil)
		p.Limit = string(limit.Streams)
		return nil, p.WithHeader("Retry-After", "5")
	}
	return release, nil
}
