package blob

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const acceptEncoding = "Accept-Encoding"

// signer signs requests by AWS Signature Version 4 and leaves Accept-Encoding
// out of what is signed. Front ends, Google's and Cloudflare's among them,
// change that header on its way, and a store that checks a signature over it
// then refuses every request.
type signer struct{ v4 *v4.Signer }

func newSigner() signer {
	return signer{v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })} // S3 escapes its paths once
}

// SignHTTP implements s3.HTTPSignerV4.
func (s signer) SignHTTP(ctx context.Context, keys aws.Credentials, r *http.Request, payloadHash, service, region string, at time.Time, options ...func(*v4.SignerOptions)) error {
	kept, had := r.Header[acceptEncoding]
	r.Header.Del(acceptEncoding)
	err := s.v4.SignHTTP(ctx, keys, r, payloadHash, service, region, at, options...)
	if had {
		r.Header[acceptEncoding] = kept
	}
	return err
}
