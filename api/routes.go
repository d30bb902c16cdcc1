package api

import (
	"io"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"
)

// route lays out every address that Hark answers.
func (s *Server) route() error {
	s.echo = echo.New()
	s.echo.Logger.SetOutput(io.Discard) // ours is passed in, and says all of it
	s.echo.HTTPErrorHandler = func(err error, c echo.Context) { s.answer(c, err) }
	s.echo.IPExtractor = echo.ExtractIPDirect()
	s.echo.Use(s.observe, s.checkHost, s.cors, s.trimSlash)

	s.huma = huma.NewAPI(s.description(), withHEAD{humaecho.New(s.echo, huma.Config{}).Adapter()})
	s.routeMe()
	s.routeTokens()
	s.routeConversations()
	s.routeMembers()
	s.routeMessages()
	s.routeUpload()
	s.routeWHIP()
	s.routeAudio()
	s.routeTranscript()
	s.routeSearch()
	s.routeEvents()

	s.routePages()
	s.routeOperations()
	return s.routeDocs()
}
