package health

import (
	"errors"
	"fmt"
	"testing"
)

func TestReadinessOf(t *testing.T) {
	cause := errors.New("dial tcp 10.0.0.7:5432: connection refused")
	degraded := fmt.Errorf("check: %w", Degraded("one name has no address", cause))
	notReady := NotReady("store and database do not belong together", nil)
	if !errors.Is(degraded, cause) || Reason(cause) != "" || Reason(nil) != "" {
		t.Error("cause or reason is lost, or made up")
	}
	for name, c := range map[string]struct {
		found map[string]error
		want  string
	}{
		"nothing":  {nil, stateOK},
		"all well": {map[string]error{"a": nil, "b": nil}, stateOK},
		"limited":  {map[string]error{"a": nil, "b": degraded}, stateDegraded},
		"worst":    {map[string]error{"a": degraded, "b": notReady, "c": nil}, stateNotReady},
		"unnamed":  {map[string]error{"a": cause}, stateNotReady},
	} {
		answer := readinessOf(c.found)
		if answer.Status != c.want {
			t.Errorf("%s: %q", name, answer.Status)
		}
		for part, err := range c.found {
			if got := answer.Parts[part]; got.Status != stateOf(err) || got.Reason != Reason(err) {
				t.Errorf("%s: %s is %+v", name, part, got)
			}
		}
	}
}
