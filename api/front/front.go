// Package front stands around all routes, whatever they answer.
//
// A request first loses the path of the public address and what a trusted proxy
// added. Then it passes [Front].observe, which names it, counts it, logs it,
// answers its error and keeps a panic from spreading; the check of its host; the
// rules for pages of other origins; and its route.
//
// On the way back, text that answers GET or HEAD is held until it is whole
// ([entity]), so that it leaves with its length, an entity tag, and compressed. A
// refusal is held until the rest of the request's body was read for a while
// ([lingering]), so that its sender gets to see it.
package front

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"hark/api/coding"
	"hark/api/proxy"
	"hark/api/rest"
	"hark/api/security"
)

// Deps are the parts that a [Front] works with. All are required.
type Deps struct {
	API      *rest.API
	Security *security.Log
	Registry *prometheus.Registry
	Logger   *slog.Logger

	// NotFound answers what is under no route, if it can, and reports whether it
	// did.
	NotFound func(echo.Context, error) bool
}

// Config says what a [Front] lets through.
type Config struct {
	PublicURL      rest.PublicURL
	CORSOrigins    []string      // whose pages may use the API with a token; "*" means all
	Hosts          []string      // answered beside the public one, localhost and addresses; "*" means all
	TrustedProxies proxy.Trusted // believed when they say whom they ask for; nil means nobody is
	StallTimeout   time.Duration // how long a body that no handler reads may take
}

// Front answers HTTP by the routes of an API. It is safe for concurrent use.
type Front struct {
	deps    Deps
	cfg     Config
	packer  *coding.Packer
	metrics *metrics
}

// New stands a [Front] around the routes of an API and registers its metrics.
func New(deps Deps, cfg Config) (*Front, error) {
	f := &Front{deps: deps, cfg: cfg}
	var err error
	if f.metrics, err = newMetrics(deps.Registry); err != nil {
		return nil, err
	}
	if f.packer, err = coding.NewPacker(); err != nil {
		return nil, err
	}
	deps.API.Echo().Use(f.observe, f.checkHost, f.cors, f.trimSlash)
	return f, nil
}

// ServeHTTP answers one request.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.deps.API.Echo().ServeHTTP(w, f.belowBase(f.cfg.TrustedProxies.Request(r)))
}
