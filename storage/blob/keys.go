package blob

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

const (
	maxKey     = 1024 // bytes, the prefix included; S3's own limit
	maxSegment = 255  // bytes; the longest file name
	maxPrefix  = 255  // bytes; leaves room for the longest key that Hark makes
)

var errBadKey = errors.New("not a fit object key")

// CleanPrefix returns a prefix for all keys of a store as [Config] wants it,
// without the slashes around it, or an error that says what is wrong with it.
func CleanPrefix(prefix string) (string, error) {
	prefix = strings.Trim(prefix, "/")
	if prefix == "" {
		return "", nil
	}
	if len(prefix) > maxPrefix || checkKey(prefix) != nil {
		return "", fmt.Errorf("%q is not a prefix of object keys: expected names of up to %d bytes in all with slashes between them, none of which begins with a dot",
			prefix, maxPrefix)
	}
	return prefix, nil
}

// inBucket is the key by which the bucket knows what callers know as key.
func (s *Store) inBucket(key string) (string, error) {
	full := s.prefix + key
	if err := checkKey(key); err != nil {
		return "", err
	}
	if len(full) > maxKey {
		return "", errBadKey
	}
	return full, nil
}

// fromBucket undoes inBucket. It tells whether the key is one of this store's.
func (s *Store) fromBucket(full string) (key string, ours bool) {
	return strings.CutPrefix(full, s.prefix)
}

func checkKey(key string) error {
	if len(key) > maxKey || key == "." || !fs.ValidPath(key) {
		return errBadKey
	}
	for segment := range strings.SplitSeq(key, "/") {
		// The embedded server keeps folders of its own that begin with a dot.
		if len(segment) > maxSegment || strings.HasPrefix(segment, ".") {
			return errBadKey
		}
	}
	return nil
}
