package bus

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"hark/storage"
)

// What is on the wire is JSON, and tolerant: fields that are not known are
// skipped, so that nodes of several versions can share a server.

// maxToken is more than any id of ours takes.
const maxToken = 128

var errBadToken = errors.New("not fit for a subject")

// checkToken makes sure that an id is one word of a NATS subject: a wildcard
// or a dot in it would reach other subjects.
func checkToken(id string) error {
	if id == "" || len(id) > maxToken {
		return errBadToken
	}
	for _, c := range []byte(id) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(".*>", c) >= 0 {
			return errBadToken
		}
	}
	return nil
}

// jobPayload is a job in the queue.
type jobPayload struct {
	Job     string `json:"job"`
	Attempt int    `json:"attempt"` // for who reads the queue by hand
}

func decodeJob(data []byte) (jobPayload, error) {
	var p jobPayload
	if err := json.Unmarshal(data, &p); err != nil {
		return jobPayload{}, fmt.Errorf("decode job: %w", err)
	}
	if err := checkToken(p.Job); err != nil {
		return jobPayload{}, fmt.Errorf("decode job: id %.40q: %w", p.Job, err)
	}
	return p, nil
}

// decodeEvent decodes an event heard in a workspace, and refuses one that says
// it belongs to another.
func decodeEvent(data []byte, workspaceID string) (storage.Event, error) {
	var e storage.Event
	if err := json.Unmarshal(data, &e); err != nil {
		return storage.Event{}, fmt.Errorf("decode event: %w", err)
	}
	if e.WorkspaceID != workspaceID {
		return storage.Event{}, fmt.Errorf("decode event: it is of workspace %.40q", e.WorkspaceID)
	}
	if e.Type == "" {
		return storage.Event{}, errors.New("decode event: it has no type")
	}
	return e, nil
}

// cancelPayload calls off a job.
type cancelPayload struct {
	ID string `json:"id"`
}

func decodeCancel(data []byte) (cancelPayload, error) {
	var p cancelPayload
	if err := json.Unmarshal(data, &p); err != nil {
		return cancelPayload{}, fmt.Errorf("decode cancel: %w", err)
	}
	if p.ID == "" {
		return cancelPayload{}, errors.New("decode cancel: it has no id")
	}
	return p, nil
}
