package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"
)

// withHEAD has every call that answers GET answer HEAD (RFC 9110, section
// 9.3.2): by the same handler, whose body [entity] or net/http drops.
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

// getAndHead registers what is not a call of the API.
func (s *Server) getAndHead(path string, handle echo.HandlerFunc) {
	s.echo.GET(path, handle)
	s.echo.HEAD(path, handle)
}
