package scim

import (
	"bytes"
	"encoding/json"
	stderrors "errors"
	"net/http"
	"slices"
	"strings"

	"github.com/elimity-com/scim"
	"github.com/elimity-com/scim/errors"

	"hark/api/rest"
	"hark/storage"
	"hark/storage/provision"
)

const mediaType = "application/scim+json"

// asSCIM says an error as SCIM has it (RFC 7644, section 3.12); nil for none. The cause
// of a failure of ours is kept for the log, and not told.
func asSCIM(r *http.Request, err error) error {
	if err == nil {
		return nil
	}
	var said errors.ScimError
	var taken *provision.TakenError
	var fixed *provision.FixedError
	var value *storage.InvalidError
	var forbidden *storage.ForbiddenError
	var full provision.FullError
	switch {
	case stderrors.As(err, &said):
		return said
	case stderrors.As(err, &taken):
		return *saying(errors.ScimErrorUniqueness, "Somebody or something else here has this "+taken.Field+".")
	case stderrors.As(err, &fixed):
		return *saying(errors.ScimErrorMutability, fixed.Reason)
	case stderrors.As(err, &value):
		return *saying(errors.ScimErrorInvalidValue, value.Field+" "+value.Problem+".")
	case stderrors.Is(err, storage.ErrNotFound):
		return notFound()
	case stderrors.Is(err, storage.ErrSignedOut):
		return errors.ScimError{Status: http.StatusUnauthorized, Detail: "The token has ended. Create another in the workspace's settings."}
	case stderrors.Is(err, storage.ErrLastOwner):
		return *saying(errors.ScimErrorMutability, "The last owner of a workspace stays one.")
	case stderrors.As(err, &full):
		return errors.ScimError{Status: http.StatusForbidden, Detail: "The workspace has 5000 groups, the maximum. Remove some first."}
	case stderrors.As(err, &forbidden):
		return errors.ScimError{Status: http.StatusForbidden, Detail: forbidden.Reason}
	case stderrors.Is(err, storage.ErrConflict):
		return errors.ScimErrorUniqueness
	default:
		if f, ok := r.Context().Value(failureKey{}).(*failure); ok {
			f.err = err
		}
		return errors.ScimErrorInternal
	}
}

// failure is an error of ours, which the library would print: it goes past it.
type failure struct{ err error }

type failureKey struct{}

func notFound() errors.ScimError {
	return errors.ScimError{Status: http.StatusNotFound, Detail: "There is no such resource, or it was deleted."}
}

// answer holds back what the library answers, so that it can be amended.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header is what goes with the answer.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader keeps the first status.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write keeps part of the body.
func (a *answer) Write(part []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(part)
}

// amend puts right what the library says otherwise than it is: how many resources are in
// a page, that there is sorting, and no address where there is none.
func (a *answer) amend() {
	var said map[string]json.RawMessage
	if a.status != http.StatusOK || json.Unmarshal(a.body.Bytes(), &said) != nil {
		return
	}
	switch {
	case said["itemsPerPage"] != nil:
		var list []json.RawMessage
		_ = json.Unmarshal(said["Resources"], &list)
		said["itemsPerPage"], _ = json.Marshal(len(list))
	case said["authenticationSchemes"] != nil:
		said["sort"] = json.RawMessage(`{"supported":true}`)
		said["bulk"] = json.RawMessage(`{"supported":false,"maxOperations":0,"maxPayloadSize":0}`)
		delete(said, "documentationUri")
	default:
		return
	}
	a.body.Reset()
	_ = json.NewEncoder(&a.body).Encode(said)
}

func (a *answer) send(w http.ResponseWriter) error {
	header := w.Header()
	for name, values := range a.header {
		header[name] = values
	}
	header.Set("Cache-Control", "no-store")
	if a.body.Len() == 0 {
		header.Del("Content-Type")
	}
	w.WriteHeader(a.status)
	_, err := w.Write(a.body.Bytes())
	return err
}

// queryOf reads what a list is asked for.
func queryOf(r *http.Request, params scim.ListRequestParams, of string) (q provision.Query, err error) {
	values := r.URL.Query()
	q = provision.Query{Skip: params.StartIndex - 1, Count: params.Count, Down: strings.EqualFold(values.Get("sortOrder"), "descending")}
	if text := strings.TrimSpace(values.Get("filter")); text != "" {
		if q.Filter, err = readFilter(text, of); err != nil {
			return q, *saying(errors.ScimErrorInvalidFilter, "The filter cannot be answered: "+rest.Shorten(err.Error())+".")
		}
	}
	if by := values.Get("sortBy"); by != "" {
		name := strings.ToLower(by)
		if len(name) > len(of) && strings.EqualFold(name[:len(of)], of) {
			name = strings.TrimPrefix(name[len(of):], ":")
		}
		if q.Sort = fields[of][name]; q.Sort == "" || q.Sort == provision.Members {
			return q, *saying(errors.ScimErrorInvalidValue, "Lists cannot be sorted by this attribute.")
		}
	}
	return q, nil
}

// names are the attributes that a parameter names, as far as they stand for whole ones.
func names(r *http.Request, parameter string) (list []string) {
	for _, value := range r.URL.Query()[parameter] {
		for one := range strings.SplitSeq(value, ",") {
			one = strings.ToLower(strings.TrimSpace(one))
			if i := strings.LastIndex(one, ":"); i >= 0 {
				one = one[i+1:]
			}
			if one, _, _ = strings.Cut(one, "."); one != "" {
				list = append(list, one)
			}
		}
	}
	return list
}

// wants says whether an attribute is to be in an answer (RFC 7644, section 3.9).
func wants(r *http.Request, attribute string) bool {
	attribute = strings.ToLower(attribute)
	if only := names(r, "attributes"); len(only) > 0 {
		return slices.Contains(only, attribute)
	}
	for _, value := range r.URL.Query()["excludedAttributes"] {
		for one := range strings.SplitSeq(value, ",") {
			if one = strings.ToLower(strings.TrimSpace(one)); one == attribute || strings.HasSuffix(one, ":"+attribute) {
				return false
			}
		}
	}
	return true
}

// asked are those attributes that are wanted.
func asked(r *http.Request, attributes scim.ResourceAttributes) scim.ResourceAttributes {
	for name := range attributes {
		if !wants(r, name) {
			delete(attributes, name)
		}
	}
	return attributes
}
