package storage

import (
	"errors"
	"fmt"
)

// The sentinels that storage returns, wrapped with the operation. Whoever asks
// for what they may not see gets ErrNotFound, exactly as for what is not there.
var (
	ErrNotFound     = errors.New("not found")
	ErrConflict     = errors.New("conflict")                                  // the record exists, or changed meanwhile
	ErrForbidden    = errors.New("forbidden")                                 // visible to the caller, but not theirs to change
	ErrBadCursor    = errors.New("cursor is not one of ours")                 // a page cursor that was not made by this list
	ErrKeyReused    = errors.New("idempotency key used with another request") // same key, other content
	ErrKeySpent     = errors.New("message of the idempotency key is gone")    // deleted, or no longer visible to who made it
	ErrBusy         = errors.New("taken by another worker")                   // a job whose lease somebody else holds
	ErrStale        = errors.New("attempt is over")                           // a result from an attempt that was superseded, or whose message is gone
	ErrSignedOut    = errors.New("credential has ended")                      // revoked, or its user disabled, after who brought it was let in
	ErrExpired      = errors.New("expired")                                   // a sign-in link or session that is used up
	ErrUnreachable  = errors.New("not available now")                         // a service that does not answer, or takes no changes, and may do so later; what was asked may have been done
	ErrNoSpace      = errors.New("no space left")                             // a disk is full; nothing was kept
	ErrRecording    = errors.New("still being recorded")                      // a draft that cannot be sent yet, or a message that cannot be taken back
	ErrSent         = errors.New("sent already")                              // a message that is no draft any more
	ErrTooLate      = errors.New("too late")                                  // a message that was sent too long ago to be taken back
	ErrStepUp       = errors.New("proof of identity is too old")              // what is asked for needs the password again
	ErrInvalidQuery = errors.New("query cannot be searched")                  // a search with nothing to look for
)

// ErrLastOwner is an ErrConflict: without that owner the workspace would have none.
var ErrLastOwner = fmt.Errorf("%w: the last owner", ErrConflict)

// ForbiddenError is an [ErrForbidden] that says why.
type ForbiddenError struct{ Reason string } // a sentence for who asked

// Error is the reason.
func (e *ForbiddenError) Error() string { return e.Reason }

// Is makes it an ErrForbidden.
func (e *ForbiddenError) Is(target error) bool { return target == ErrForbidden }

// ErrNoPerson is the error of an integration that is to get what only people have: a way
// to sign in, a session, tokens that it manages by itself.
var ErrNoPerson = &ForbiddenError{Reason: "An integration does not sign in: it has API tokens alone, which owners and admins make in Settings, Integrations, or with hark integration token."}

// KeyReusedError is an [ErrKeyReused] that names the message that the key made.
type KeyReusedError struct{ MessageID string }

// Error says which message it is.
func (e *KeyReusedError) Error() string {
	return ErrKeyReused.Error() + ", which made message " + e.MessageID
}

// Unwrap is ErrKeyReused.
func (e *KeyReusedError) Unwrap() error { return ErrKeyReused }
