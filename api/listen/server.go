package listen

import (
	"log/slog"
	"net/http"
	"time"
)

// HTTPServer returns an http.Server for handler with the time-outs that handlers
// count on: headers must come soon, while bodies are bounded by their own
// deadlines, which move on as bytes do, and answers by the listener that it is
// to serve (see [Wrap]).
func HTTPServer(addr string, handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Addr:              addr,
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
