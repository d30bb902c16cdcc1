package bus

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"hark/storage"
)

// ErrFile means that a file or a seed that [Auth] or [TLS] names cannot be used.
var ErrFile = errors.New("a file or an nkey cannot be used")

// Why a server that answers is of no use. [Connect] wraps one of them when it
// knows, so that who configures a server can be told what to change.
var (
	// ErrAuth means that the server does not accept who we say we are.
	ErrAuth = errors.New("the server refuses the credentials")
	// ErrPermission means that it does, but forbids a subject that we need.
	ErrPermission = errors.New("the server forbids a subject")
	// ErrTLS means that no secure connection came about: certificates do not
	// fit, or one side wants TLS and the other does not.
	ErrTLS = errors.New("no secure connection")
	// ErrNoJetStream means that JetStream is off, in the server or for the account.
	ErrNoJetStream = errors.New("JetStream is not enabled")
	// ErrLimit means that the account's limits leave no room for the job queue.
	ErrLimit = errors.New("the account's limits leave no room for the job queue")
	// ErrReplicas means that the server cannot keep so many copies.
	ErrReplicas = errors.New("the server cannot keep so many copies of the job queue")
	// ErrOverlap means that a stream of somebody else has our subjects.
	ErrOverlap = errors.New("another stream has the subjects of the job queue")
)

// The server's error codes that the client library has no names for.
const (
	codeNoPeers           = 10005
	codeMaxConsumers      = 10026
	codeMaxStreams        = 10027
	codeMemoryExceeded    = 10028
	codeStorageExceeded   = 10047
	codeSubjectOverlap    = 10065
	codeNoReplicas        = 10074
	codeMaxBytesRequired  = 10113
	codeMaxAckPending     = 10121
	codeMaxBytesForStream = 10122
)

// hasCode reports whether the server refused a request with one of the codes.
func hasCode(err error, codes ...jetstream.ErrorCode) bool {
	var refusal *jetstream.APIError
	if !errors.As(err, &refusal) {
		return false
	}
	for _, code := range codes {
		if refusal.ErrorCode == code {
			return true
		}
	}
	return false
}

// classify gives an error of connecting its meaning: a server that is not
// there or not ready is storage.ErrUnreachable, one that says no is why.
func (b *Bus) classify(err error) error {
	var kind error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked),
		errors.Is(err, nats.ErrAccountAuthExpired), errors.Is(err, nats.ErrNkeysNotSupported):
		kind = ErrAuth
	case errors.Is(err, nats.ErrPermissionViolation):
		kind = ErrPermission
	case isTLS(err):
		kind = ErrTLS
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount),
		errors.Is(err, nats.ErrNoResponders) && b.withoutJetStream():
		kind = ErrNoJetStream
	case hasCode(err, codeMaxConsumers, codeMaxStreams, codeMemoryExceeded, codeStorageExceeded, codeMaxBytesRequired, codeMaxBytesForStream):
		kind = ErrLimit
	case hasCode(err, codeNoReplicas):
		kind = ErrReplicas
	case hasCode(err, codeSubjectOverlap):
		kind = ErrOverlap
	case isAway(err):
		kind = storage.ErrUnreachable
	default:
		return err
	}
	return fmt.Errorf("%w: %w", kind, err)
}

// withoutJetStream reports whether nobody here could answer a request to
// JetStream: a server on its own that has it switched off, or one that has it
// but not for our account. In a cluster others may answer, in a moment.
func (b *Bus) withoutJetStream() bool {
	enabled, _ := b.conn.ConnectedServerJetStream()
	return enabled || b.conn.ConnectedClusterName() == ""
}

func isTLS(err error) bool {
	var (
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
		verify    *tls.CertificateVerificationError
		network   *net.OpError
	)
	return errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid) || errors.As(err, &record) || errors.As(err, &verify) ||
		errors.Is(err, nats.ErrTLS) || errors.Is(err, nats.ErrSecureConnRequired) || errors.Is(err, nats.ErrSecureConnWanted) ||
		errors.As(err, &network) && network.Op == "remote error" // an alert of the server's, RFC 8446, section 6
}

func isAway(err error) bool {
	var network *net.OpError
	var refusal *jetstream.APIError
	return errors.Is(err, nats.ErrNoServers) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, nats.ErrNoResponders) ||
		errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) || hasCode(err, codeNoPeers) ||
		errors.As(err, &refusal) && refusal.Code == http.StatusServiceUnavailable // a cluster without a leader
}
