package proxy

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func TestRequest(t *testing.T) {
	trusted, err := ParseTrusted([]string{"127.0.0.0/8", " 10.0.0.0/8", "::1", "2001:db8:ff::/48"})
	if err != nil {
		t.Fatal(err)
	}
	const direct = "127.0.0.1:40000"
	for name, c := range map[string]struct {
		remote, headers string // headers one a line
		addr, host      string
	}{
		"nothing said":                   {direct, "", direct, "hark.test"},
		"one proxy":                      {direct, "X-Forwarded-For: 203.0.113.7", "203.0.113.7:0", "hark.test"},
		"a peer that is not trusted":     {"203.0.113.9:1", "X-Forwarded-For: 192.0.2.1\nX-Forwarded-Host: x.test\nForwarded: for=192.0.2.1;host=x.test", "203.0.113.9:1", "hark.test"},
		"a caller who made one up":       {direct, "X-Forwarded-For: 192.0.2.1, 203.0.113.7", "203.0.113.7:0", "hark.test"},
		"in two lines":                   {direct, "X-Forwarded-For: 192.0.2.1\nX-Forwarded-For: 203.0.113.7", "203.0.113.7:0", "hark.test"},
		"two proxies":                    {direct, "X-Forwarded-For: 192.0.2.1, 203.0.113.7, 10.1.2.3", "203.0.113.7:0", "hark.test"},
		"proxies alone":                  {direct, "X-Forwarded-For: 10.9.9.9, 10.1.2.3", "10.9.9.9:0", "hark.test"},
		"a hop that is none":             {direct, "X-Forwarded-For: 203.0.113.7, unknown, 10.1.2.3", "10.1.2.3:0", "hark.test"},
		"nonsense":                       {direct, "X-Forwarded-For: <script>", direct, "hark.test"},
		"with a port":                    {direct, "X-Forwarded-For: 203.0.113.7:99", "203.0.113.7:0", "hark.test"},
		"IPv6":                           {"[::1]:5", "X-Forwarded-For: 2001:db8::7", "[2001:db8::7]:0", "hark.test"},
		"IPv6 with a port":               {"[::1]:5", "X-Forwarded-For: [2001:db8::7]:99", "[2001:db8::7]:0", "hark.test"},
		"IPv4 in IPv6":                   {"[::ffff:127.0.0.1]:5", "X-Forwarded-For: ::ffff:203.0.113.7", "203.0.113.7:0", "hark.test"},
		"another host":                   {direct, "X-Forwarded-For: 203.0.113.7\nX-Forwarded-Host: voice.example.org", "203.0.113.7:0", "voice.example.org"},
		"the nearest host":               {direct, "X-Forwarded-Host: evil.test, voice.example.org:8443", direct, "voice.example.org:8443"},
		"a host that is none":            {direct, "X-Forwarded-Host: a/b", direct, "hark.test"},
		"Forwarded":                      {direct, "Forwarded: for=192.0.2.1;host=evil.test, For=203.0.113.7;proto=https;HOST=voice.example.org", "203.0.113.7:0", "voice.example.org"},
		"Forwarded, quoted":              {direct, `Forwarded: for="[2001:db8::7]:4711";host="voice.example.org:8443"`, "[2001:db8::7]:0", "voice.example.org:8443"},
		"Forwarded, a comma in quotes":   {direct, `Forwarded: for=203.0.113.7;by="a, for=192.0.2.1"`, "203.0.113.7:0", "hark.test"},
		"Forwarded through two":          {direct, "Forwarded: for=203.0.113.7, for=10.1.2.3", "203.0.113.7:0", "hark.test"},
		"Forwarded, hidden":              {direct, "Forwarded: for=203.0.113.7, for=_hidden, for=10.1.2.3", "10.1.2.3:0", "hark.test"},
		"Forwarded, broken":              {direct, `Forwarded: for=203.0.113.7;host="a`, direct, "hark.test"},
		"both, of one mind":              {direct, "X-Forwarded-For: 203.0.113.7\nForwarded: for=203.0.113.7", "203.0.113.7:0", "hark.test"},
		"both, and one made up":          {direct, "X-Forwarded-For: 203.0.113.7\nForwarded: for=192.0.2.1", direct, "hark.test"},
		"both, and the host made up":     {direct, "X-Forwarded-For: 203.0.113.7\nX-Forwarded-Host: a.test\nForwarded: for=203.0.113.7;host=b.test", direct, "hark.test"},
		"a host beside another's client": {direct, "X-Forwarded-Host: a.test\nForwarded: for=192.0.2.1", direct, "hark.test"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: c.remote, Host: "hark.test", Header: http.Header{}}
			for line := range strings.Lines(c.headers) {
				header, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
				r.Header.Add(header, value)
			}
			got := trusted.Request(r)
			if got.RemoteAddr != c.addr || got.Host != c.host {
				t.Errorf("%s asks %s; want %s, %s", got.RemoteAddr, got.Host, c.addr, c.host)
			}
			if r.RemoteAddr != c.remote || r.Host != "hark.test" {
				t.Error("the request that came is changed")
			}
			if nobody := Trusted(nil).Request(r); nobody != r {
				t.Error("headers are believed though nobody is trusted")
			}
		})
	}
}

func TestParseTrusted(t *testing.T) {
	got, err := ParseTrusted([]string{"10.1.2.3/8", "192.0.2.1", "fd00::/8"})
	if err != nil || len(got) != 3 || got[0] != netip.MustParsePrefix("10.0.0.0/8") || got[1] != netip.MustParsePrefix("192.0.2.1/32") {
		t.Errorf("%v, %v", got, err)
	}
	for _, entry := range []string{"", "proxy", "10.0.0.0/33", "10.0.0.0-10.0.0.9"} {
		if _, err := ParseTrusted([]string{entry}); err == nil {
			t.Errorf("%q is a network", entry)
		}
	}
}

// FuzzForwarded reads headers that anybody may send: whatever they hold, the
// caller is an address, the peer's or one that stands in them.
func FuzzForwarded(f *testing.F) {
	for _, seed := range [][3]string{
		{"203.0.113.7", "", "voice.example.org"},
		{"", `for="[2001:db8::7]:4711";host="a\"b", for=_x;by=";,"`, ""},
		{", ,unknown", `for="`, ","},
		{"1.2.3.4:5, [::1]:6", "for=1.2.3.4:_p;;host=", "a,b"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	trusted := Loopback()
	f.Fuzz(func(t *testing.T, forwardedFor, forwarded, host string) {
		r := &http.Request{RemoteAddr: "127.0.0.1:1", Host: "hark.test", Header: http.Header{
			"X-Forwarded-For": {forwardedFor}, "Forwarded": {forwarded}, "X-Forwarded-Host": {host},
		}}
		got := trusted.Request(r)
		if _, err := netip.ParseAddrPort(got.RemoteAddr); err != nil {
			t.Fatalf("caller %q: %v", got.RemoteAddr, err)
		}
		if got.Host == "" || strings.ContainsAny(got.Host, "/\\ \r\n,") {
			t.Fatalf("host %q", got.Host)
		}
	})
}
