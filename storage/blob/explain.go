package blob

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"hark/storage"
)

// Setting names a field of [Config] as operators write it: HARK_S3_ and the
// setting in capitals.
type Setting string

// The settings that a store's refusal can point to.
const (
	EndpointSetting     Setting = "endpoint"
	RegionSetting       Setting = "region"
	BucketSetting       Setting = "bucket"
	PrefixSetting       Setting = "prefix"
	AccessKeySetting    Setting = "access_key"
	SecretKeySetting    Setting = "secret_key"
	SessionTokenSetting Setting = "session_token"
	PathStyleSetting    Setting = "path_style"
	EncryptionSetting   Setting = "sse"
)

// SetupError is a store's refusal that another setting would mend.
type SetupError struct {
	Settings []Setting // likely wrong, the likeliest first; empty when it is none of them
	Hint     string    // what the refusal means
	Err      error
}

// Error implements error.
func (e *SetupError) Error() string { return fmt.Sprintf("%s: %v", e.Hint, e.Err) }

// Unwrap returns what the store said.
func (e *SetupError) Unwrap() error { return e.Err }

type diagnosis struct {
	hint     string
	settings []Setting
}

var (
	unknownKey  = diagnosis{"the store does not know the access key", []Setting{AccessKeySetting, EndpointSetting}}
	wrongRegion = diagnosis{"the bucket is in another region", []Setting{RegionSetting, EndpointSetting}}
	wrongToken  = diagnosis{"the session token is wrong or has expired", []Setting{SessionTokenSetting, AccessKeySetting}}
	wrongKey    = diagnosis{"the encryption key cannot be used", []Setting{EncryptionSetting}}
	noBucket    = diagnosis{"there is no such bucket", []Setting{BucketSetting, PathStyleSetting}}
	denied      = diagnosis{"the access key may not do this; it needs the permissions that the README lists", []Setting{BucketSetting, PrefixSetting, EncryptionSetting, AccessKeySetting}}
	noStore     = diagnosis{"what answers is not an S3 store, or wants https", []Setting{EndpointSetting}}
)

// byCode are the refusals that S3 has a word for.
var byCode = map[string]diagnosis{
	"InvalidAccessKeyId":                             unknownKey,
	"XAdminUserNotFound":                             unknownKey, // versitygw's word
	"SignatureDoesNotMatch":                          {"the secret key is not that of the access key", []Setting{SecretKeySetting, RegionSetting}},
	"InvalidToken":                                   wrongToken,
	"ExpiredToken":                                   wrongToken,
	"AuthorizationHeaderMalformed":                   wrongRegion,
	"IllegalLocationConstraintException":             wrongRegion,
	"PermanentRedirect":                              wrongRegion,
	"TemporaryRedirect":                              wrongRegion,
	"NoSuchBucket":                                   noBucket,
	"InvalidBucketName":                              {"the bucket's name is not a valid one", []Setting{BucketSetting}},
	"BucketAlreadyExists":                            {"the bucket belongs to somebody else", []Setting{BucketSetting}},
	"RequestTimeTooSkewed":                           {"the clock of this machine differs too much from the store's; set it by NTP", nil},
	"AccessDenied":                                   denied,
	"AllAccessDisabled":                              denied,
	"KMS.NotFoundException":                          wrongKey,
	"KMS.DisabledException":                          wrongKey,
	"KMS.InvalidStateException":                      wrongKey,
	"KMS.KMSInvalidStateException":                   wrongKey,
	"ServerSideEncryptionConfigurationNotFoundError": wrongKey,
}

// byStatus are the refusals that come without a word.
var byStatus = map[int]diagnosis{
	http.StatusMovedPermanently:  wrongRegion,
	http.StatusTemporaryRedirect: wrongRegion,
	http.StatusUnauthorized:      {"the store does not let the access key in", []Setting{AccessKeySetting, SecretKeySetting}},
	http.StatusForbidden:         {"the store does not let the access key in", []Setting{AccessKeySetting, SecretKeySetting, BucketSetting}},
}

// explain turns what a store answered while it was opened into
// storage.ErrUnreachable, when it is away for the moment, or a [*SetupError],
// when waiting does not help and a setting might.
func explain(err error) error {
	var known *SetupError
	if err == nil || errors.As(err, &known) {
		return err
	}
	d, ok := diagnose(err)
	if isAway(err) {
		err = fmt.Errorf("%w: %w", storage.ErrUnreachable, err)
	}
	if !ok {
		return err
	}
	return &SetupError{Settings: d.settings, Hint: d.hint, Err: err}
}

func diagnose(err error) (diagnosis, bool) {
	if d, ok := byCode[errorCode(err)]; ok {
		return d, true
	}
	if d, ok := byStatus[answerStatus(err)]; ok {
		return d, true
	}
	var name *net.DNSError
	var garbled *smithy.DeserializationError
	switch {
	case isUntrusted(err):
		return diagnosis{"the store's certificate is not trusted", []Setting{EndpointSetting}}, true
	case isPlain(err):
		return diagnosis{"the address begins with https, and the store speaks http", []Setting{EndpointSetting}}, true
	case errors.As(err, &name) && name.IsNotFound:
		return diagnosis{"there is no host of that name", []Setting{EndpointSetting, PathStyleSetting}}, true
	case errors.As(err, &garbled) && answerStatus(err) < http.StatusInternalServerError:
		return noStore, true
	}
	return diagnosis{}, false
}

// isAway tells a store that is not there, or not ready, from one that says no.
func isAway(err error) bool {
	if status := answerStatus(err); status != 0 {
		return status >= http.StatusInternalServerError && status != http.StatusNotImplemented || status == http.StatusTooManyRequests
	}
	var unsent *smithyhttp.RequestSendError
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &unsent) && !isUntrusted(err) && !isPlain(err)
}

// isUntrusted tells whether a TLS handshake failed over a certificate.
func isUntrusted(err error) bool {
	var verification *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var alert tls.AlertError
	return errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &alert)
}

// isPlain tells whether a TLS handshake met a server that speaks plain HTTP.
func isPlain(err error) bool {
	var header tls.RecordHeaderError
	return errors.As(err, &header) || err != nil && strings.Contains(err.Error(), "server gave HTTP response to HTTPS client") // net/http has no type for it
}
