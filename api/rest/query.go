package rest

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"hark/api/problem"
)

// checkQuery refuses a query that two readers would read in two ways. Names
// that are not known are refused by huma, which knows them.
func (a *API) checkQuery(ctx huma.Context, next func(huma.Context)) {
	c := humaecho.Unwrap(ctx)
	if err := oneMeaning(c.Request().URL.RawQuery); err != nil {
		a.Answer(c, err)
		return
	}
	next(ctx)
}

// oneMeaning reports what is wrong with a query: what cannot be parsed, a
// parameter given twice, and values that are not text.
func oneMeaning(raw string) error {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return problem.Invalid("query", "cannot be read", err)
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		field := "query." + Shorten(name)
		switch values := query[name]; {
		case len(values) > 1:
			return problem.Invalid(field, "is given more than once", nil)
		case notText(name) || notText(values[0]):
			return problem.Invalid(field, "is not text in UTF-8 without NUL", nil)
		}
	}
	return nil
}

func notText(s string) bool { return !utf8.ValidString(s) || strings.Contains(s, "\x00") }
