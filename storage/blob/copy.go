package blob

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// maxServerCopy is the size in bytes of the largest object that S3 copies in
// one call.
const maxServerCopy = 5 << 30

// Copy keeps the bytes and the media type of one object under another key as
// well. The store copies by itself where it can; an object that is too large
// for that, or a store that does not know how, is read and put again. A
// missing object is storage.ErrNotFound.
func (s *Store) Copy(ctx context.Context, from, to string) error {
	o, err := s.Stat(ctx, from)
	if err != nil {
		return err
	}
	if o.Size <= maxServerCopy {
		err := s.serverCopy(ctx, from, to)
		if err == nil {
			return nil
		}
		if !isNotImplemented(err) {
			return objectError("copy", from, err)
		}
	}
	return s.copyThrough(ctx, o, to)
}

func (s *Store) serverCopy(ctx context.Context, from, to string) error {
	source, err := s.inBucket(from)
	if err != nil {
		return err
	}
	target, err := s.inBucket(to)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.patience.complete)
	defer cancel()
	path := escapePath(s.bucket + "/" + source)
	_, err = s.client.CopyObject(ctx, &s3.CopyObjectInput{
		Bucket: &s.bucket, Key: &target, CopySource: &path,
		ServerSideEncryption: s.encryption.mode, SSEKMSKeyId: s.encryption.key,
	})
	return err
}

func (s *Store) copyThrough(ctx context.Context, from Object, to string) (err error) {
	body, size, err := s.Get(ctx, from.Key)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	_, err = s.Put(ctx, to, from.MediaType, body, size)
	return err
}

// escapePath escapes each segment of a path, as the header that names a
// copy's source wants it. A plus sign would be read as a space.
func escapePath(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		segments[i] = strings.ReplaceAll(url.PathEscape(s), "+", "%2B")
	}
	return strings.Join(segments, "/")
}
