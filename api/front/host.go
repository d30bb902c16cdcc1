package front

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"hark/api/health"
	"hark/api/problem"
	"hark/api/rest"
	"hark/api/security"
)

// checkHost refuses requests for a host that is not ours. A page of another
// site can have its own name lead to our address (DNS rebinding), and a browser
// would then let it read what we answer; but the name that it asks for stays
// its own. Addresses cannot be rebound, so they are always ours. So is a
// request without a host, which no browser makes. Probes of other machines may
// ask for health and metrics by any name, as their answers are no secret there;
// this machine is shown more (package health), and so may a page in its browser.
func (f *Front) checkHost(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		req := c.Request()
		if f.isOurs(req.Host) || slices.Contains(health.Paths, req.URL.Path) && !health.OnThisMachine(req) {
			return next(c)
		}
		err := fmt.Errorf("host %q is not ours", rest.Shorten(req.Host))
		f.deps.Security.Refused(req.Context(), security.HostRefused, err)
		return problem.Misdirected.Because(err)
	}
}

func (f *Front) isOurs(host string) bool {
	name := strings.ToLower(strings.TrimSuffix(hostname(host), "."))
	if _, err := netip.ParseAddr(name); err == nil || name == "" {
		return true
	}
	return name == "localhost" || strings.HasSuffix(name, ".localhost") ||
		name == strings.ToLower(f.cfg.PublicURL.Hostname()) || slices.Contains(f.cfg.Hosts, name) || slices.Contains(f.cfg.Hosts, "*")
}

// hostname is a host without its port and brackets.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}

// CheckHost says what is wrong with a name of [Config].Hosts.
func CheckHost(name string) error {
	u, err := url.Parse("http://" + name)
	if name != "*" && (err != nil || name == "" || u.Host != name || u.Port() != "" || strings.ToLower(name) != name || strings.Contains(name, "*")) {
		return fmt.Errorf("%q is not a name such as voice.example.org, in small letters and without a port, or * for all", name)
	}
	return nil
}
