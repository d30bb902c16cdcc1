package blob

import (
	"context"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"
)

const versionsStay = "the bucket keeps old versions, which cannot be deleted (s3:ListBucketVersions, s3:DeleteObjectVersion): " +
	"deleted recordings stay in the bucket until a lifecycle rule expires noncurrent versions"

// noteVersion remembers that the bucket keeps versions: a store that names one
// of what it was given does. It takes no permission to find out.
func (s *Store) noteVersion(id *string) {
	if id != nil {
		s.versioned.Store(true)
	}
}

// versions are all that a bucket keeps of some objects.
type versions struct {
	mu      sync.Mutex
	old     []types.ObjectIdentifier // and delete markers
	current []types.ObjectIdentifier
}

// deleteVersions removes objects with all their versions and delete markers,
// or, where the store does not let it, the objects alone.
func (s *Store) deleteVersions(ctx context.Context, objects []types.ObjectIdentifier) error {
	found, err := s.findVersions(ctx, objects)
	if err == nil {
		// What is listed goes last, so that a deletion that breaks off is
		// found again by who lists.
		if err = s.deleteAll(ctx, found.old); err == nil {
			err = s.deleteAll(ctx, found.current)
		}
	}
	if err != nil && (isDenied(err) || isRefusedHeader(err)) {
		s.lose(ctx, &s.features.noVersions, versionsStay, err)
		return s.deleteAll(ctx, objects)
	}
	return err
}

func (s *Store) findVersions(ctx context.Context, objects []types.ObjectIdentifier) (*versions, error) {
	var found versions
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(deleteAtOnce)
	for _, o := range objects {
		group.Go(func() error { return s.versionsOf(ctx, *o.Key, &found) })
	}
	return &found, group.Wait()
}

func (s *Store) versionsOf(ctx context.Context, full string, found *versions) error {
	ctx, cancel := context.WithTimeout(ctx, s.patience.part)
	defer cancel()
	pages := s3.NewListObjectVersionsPaginator(s.client, &s3.ListObjectVersionsInput{Bucket: &s.bucket, Prefix: &full})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("list versions of an object: %w", err)
		}
		for _, v := range page.Versions {
			found.add(full, v.Key, v.VersionId, aws.ToBool(v.IsLatest))
		}
		for _, m := range page.DeleteMarkers {
			found.add(full, m.Key, m.VersionId, false)
		}
	}
	return nil
}

func (v *versions) add(full string, key, id *string, current bool) {
	if aws.ToString(key) != full { // the prefix of a listing is another's key too
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	version := types.ObjectIdentifier{Key: key, VersionId: id}
	if current {
		v.current = append(v.current, version)
	} else {
		v.old = append(v.old, version)
	}
}
