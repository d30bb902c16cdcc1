package blob

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Client is the S3 client beneath, which knows nothing of the prefix.
func (s *Store) Client() *s3.Client { return s.client }

// Bucket is the name of the bucket that holds the objects.
func (s *Store) Bucket() string { return s.bucket }

// SetPatience makes every call give up, and every download count as dead,
// after d.
func (s *Store) SetPatience(d time.Duration) {
	s.patience = patience{short: d, part: d, complete: d, stall: d}
}
