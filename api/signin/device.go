package signin

import (
	"crypto/rand"
	"net/http"
	"strings"
)

// deviceLife is how long a browser is known by its mark, in seconds: as long as
// browsers keep a cookie.
const deviceLife = 400 * 24 * 60 * 60

// maxDevice is the longest mark that is looked at, in bytes.
const maxDevice = 64

// deviceOf is the mark that a browser carries, or a new one.
func (e *Endpoints) deviceOf(req *http.Request) string {
	marks := req.CookiesNamed(cookieName(e.deps.PublicURL, deviceCookie))
	if len(marks) == 1 && len(marks[0].Value) >= len(rand.Text()) && len(marks[0].Value) <= maxDevice {
		return marks[0].Value
	}
	return rand.Text()
}

// What programs call themselves in a User-Agent header, the most telling first.
var (
	browsers = [][2]string{
		{"Edg/", "Edge"},
		{"EdgA/", "Edge"},
		{"EdgiOS/", "Edge"},
		{"OPR/", "Opera"},
		{"SamsungBrowser/", "Samsung Internet"},
		{"Vivaldi/", "Vivaldi"},
		{"FxiOS/", "Firefox"},
		{"Firefox/", "Firefox"},
		{"CriOS/", "Chrome"},
		{"Chrome/", "Chrome"},
		{"Safari/", "Safari"},
	}
	systems = [][2]string{
		{"Windows", "Windows"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"CrOS", "ChromeOS"}, {"Mac OS X", "macOS"}, {"Macintosh", "macOS"}, {"Linux", "Linux"},
	}
)

// DeviceName says in a few words what a User-Agent header says, such as "Firefox on
// Linux". What it does not know it calls by the product's own name; it is empty of
// an empty one.
func DeviceName(agent string) string {
	browser, system := named(browsers, agent), named(systems, agent)
	switch {
	case browser != "" && system != "":
		return browser + " on " + system
	case browser != "" || system != "":
		return browser + system
	}
	product, _, _ := strings.Cut(strings.TrimSpace(agent), " ")
	product, _, _ = strings.Cut(product, "/")
	if len(product) > maxDevice {
		return ""
	}
	return product
}

func named(names [][2]string, agent string) string {
	for _, n := range names {
		if strings.Contains(agent, n[0]) {
			return n[1]
		}
	}
	return ""
}
