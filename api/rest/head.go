package rest

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// withHEAD has every call that answers GET answer HEAD (RFC 9110, section
// 9.3.2): by the same handler, whose body package front or net/http drops.
type withHEAD struct{ huma.Adapter }

// Handle registers a call.
func (a withHEAD) Handle(op *huma.Operation, handler func(huma.Context)) {
	a.Adapter.Handle(op, handler)
	if op.Method == http.MethodGet {
		head := *op
		head.Method = http.MethodHead
		a.Adapter.Handle(&head, handler)
	}
}
