package blob

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// features are calls of S3 that not every store has. Each is taken for there
// until the store refuses it; then it is asked for no more.
type features struct {
	noBatchDelete atomic.Bool // DeleteObjects
	noReadSums    atomic.Bool // x-amz-checksum-mode
	noUploadList  atomic.Bool // ListMultipartUploads
	noList        atomic.Bool // ListObjectsV2; still tried, but no longer to see whether the store is there
	noVersions    atomic.Bool // ListObjectVersions, and DeleteObject of a version
}

// lose remembers that the store refuses a call, and logs the first time what
// that means.
func (s *Store) lose(ctx context.Context, feature *atomic.Bool, meaning string, err error) {
	if !feature.Swap(true) {
		s.logger.WarnContext(ctx, "object store refuses a call, doing without", "bucket", s.bucket, "consequence", meaning, "error", err)
	}
}

// answerStatus is the HTTP status that a store answered, or 0 when err is not
// an answer.
func answerStatus(err error) int {
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) {
		return answer.HTTPStatusCode()
	}
	return 0
}

// errorCode is S3's word for what went wrong, or empty.
func errorCode(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// isNotImplemented tells whether a store says that it does not know a call.
func isNotImplemented(err error) bool {
	status := answerStatus(err)
	return status == http.StatusNotImplemented || status == http.StatusMethodNotAllowed
}

// isDenied tells whether a store does not let its key do something, which is
// another matter than not knowing the key.
func isDenied(err error) bool {
	return answerStatus(err) == http.StatusForbidden && slices.Contains([]string{"AccessDenied", "AllAccessDisabled", "Forbidden", ""}, errorCode(err))
}

// isRefusedHeader tells whether a store may have refused a request for a
// header that it does not know.
func isRefusedHeader(err error) bool {
	return answerStatus(err) == http.StatusBadRequest || isNotImplemented(err)
}
