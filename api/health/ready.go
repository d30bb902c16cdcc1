package health

import (
	"context"
	"errors"
	"time"
)

// readyTimeout bounds each check, so that a part that hangs is one that is not
// ready.
const readyTimeout = 3 * time.Second

// The states of a part and of a node. Only notReady takes a node out of
// service.
const (
	stateOK       = "ok"
	stateDegraded = "degraded"
	stateNotReady = "not ready"
)

// partError is what a check of [Endpoints].Ready says beside "ok".
type partError struct {
	state  string
	reason string
	cause  error
}

// Error is for the log.
func (e *partError) Error() string {
	if e.cause == nil {
		return e.reason
	}
	return e.reason + ": " + e.cause.Error()
}

// Unwrap returns the cause, which may be nil.
func (e *partError) Unwrap() error { return e.cause }

// Degraded is the error of a check whose part works with a limit: /readyz still
// answers 200, and names the part, "degraded" and the reason. The reason is a
// short sentence for operators that says what is limited and what to do; it is
// shown as it is, so it must hold no secret. cause is for the log and may be
// nil.
func Degraded(reason string, cause error) error {
	return &partError{state: stateDegraded, reason: reason, cause: cause}
}

// NotReady is the error of a check whose part does not work, with a reason that
// operators may be shown (see [Degraded]). Any other error of a check means
// the same, and its text stays in the log.
func NotReady(reason string, cause error) error {
	return &partError{state: stateNotReady, reason: reason, cause: cause}
}

// Reason returns the reason that operators may be shown; empty for an error
// that has none, and for nil.
func Reason(err error) string {
	var part *partError
	if errors.As(err, &part) {
		return part.reason
	}
	return ""
}

// stateOf is the state that the result of a check means.
func stateOf(err error) string {
	var part *partError
	switch {
	case err == nil:
		return stateOK
	case errors.As(err, &part):
		return part.state
	}
	return stateNotReady
}

// readiness is the answer of /readyz.
type readiness struct {
	Status string                   `json:"status"`
	Parts  map[string]partReadiness `json:"parts,omitempty"`
}

// partReadiness is the state of one part. Why a part is not ready is for the
// log, as it may hold addresses, unless the check gave a [Reason].
type partReadiness struct {
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
}

// readinessOf sums up what the checks found: the worst state is the node's.
func readinessOf(found map[string]error) readiness {
	answer := readiness{Status: stateOK, Parts: make(map[string]partReadiness, len(found))}
	for name, err := range found {
		state := stateOf(err)
		answer.Parts[name] = partReadiness{Status: state, Reason: Reason(err)}
		if state == stateNotReady || answer.Status == stateOK {
			answer.Status = state
		}
	}
	return answer
}

// checkParts asks all parts at once.
func (e Endpoints) checkParts(ctx context.Context) map[string]error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	type verdict struct {
		name string
		err  error
	}
	verdicts := make(chan verdict, len(e.Ready))
	for name, check := range e.Ready {
		go func() { verdicts <- verdict{name, check(ctx)} }()
	}
	found := make(map[string]error, len(e.Ready))
	for range e.Ready {
		select {
		case v := <-verdicts:
			found[v.name] = v.err
		case <-ctx.Done():
		}
	}
	for name := range e.Ready {
		if _, answered := found[name]; !answered {
			found[name] = context.DeadlineExceeded
		}
	}
	return found
}
