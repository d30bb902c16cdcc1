package blob

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const uploadsStay = "unfinished uploads cannot be listed (s3:ListBucketMultipartUploads): " +
	"parts of interrupted uploads stay until a lifecycle rule aborts incomplete uploads"

// AbortStale throws away what is left of uploads under prefix that began
// before the given time and never ended, as far as ours says that their keys
// are the caller's, and tells how many there were. A process that was killed
// leaves such parts, and they take room unseen. A store that does not let them
// be listed keeps them; that is logged.
func (s *Store) AbortStale(ctx context.Context, prefix string, before time.Time, ours func(key string) bool) (int, error) {
	full := s.prefix + prefix
	if s.features.noUploadList.Load() {
		return 0, nil
	}
	pages := s3.NewListMultipartUploadsPaginator(s.client,
		&s3.ListMultipartUploadsInput{Bucket: &s.bucket, Prefix: &full})
	var aborted int
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			if isDenied(err) || isRefusedHeader(err) {
				s.lose(ctx, &s.features.noUploadList, uploadsStay, err)
				return aborted, nil
			}
			return aborted, fmt.Errorf("list unfinished uploads: %w", err)
		}
		for _, u := range page.Uploads {
			key, below := s.fromBucket(aws.ToString(u.Key))
			if !below || !strings.HasPrefix(key, prefix) || !aws.ToTime(u.Initiated).Before(before) || !ours(key) {
				continue
			}
			if err := s.abort(ctx, aws.ToString(u.Key), aws.ToString(u.UploadId)); err != nil {
				return aborted, err
			}
			aborted++
		}
	}
	return aborted, nil
}

func (s *Store) abort(ctx context.Context, key, uploadID string) error {
	ctx, cancel := context.WithTimeout(ctx, s.patience.short)
	defer cancel()
	_, err := s.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: &s.bucket, Key: &key, UploadId: &uploadID,
	})
	var gone *types.NoSuchUpload
	if err != nil && !errors.As(err, &gone) {
		return fmt.Errorf("abort upload of %s: %w", key, err)
	}
	return nil
}
