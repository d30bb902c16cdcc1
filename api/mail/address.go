package mail

import (
	"errors"
	netmail "net/mail"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// maxAddress is how long an address may be, in bytes (RFC 5321, section 4.5.3.1.3,
// without the angle brackets).
const maxAddress = 254

var errAddress = errors.New("this is no mail address, such as ada@example.org")

// CheckAddress returns a bare address, without spaces around it. It refuses one with
// a display name, a comment or quotes, and what does not fit in one line of SMTP.
func CheckAddress(address string) (string, error) {
	address = strings.TrimSpace(address)
	parsed, err := netmail.ParseAddress(address)
	if err != nil || parsed.Name != "" || parsed.Address != address || len(address) > maxAddress || hasControls(address) || strings.ContainsAny(address, "\"<>, ") {
		return "", errAddress
	}
	local, domain, _ := strings.Cut(address, "@")
	if len(local) > 64 || !strings.Contains(domain, ".") && domain != "localhost" || strings.HasPrefix(domain, "[") {
		return "", errAddress
	}
	return address, nil
}

func hasControls(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || r == unicode.ReplacementChar })
}

// maxShown is how many characters of a foreign text are shown.
const maxShown = 100

// oneLine is foreign text fit for one line: what controls or turns text round is taken
// out, and what is too long is cut.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > maxShown {
		text = string(runes[:maxShown-1]) + "…"
	}
	return text
}

// addresses finds mail addresses in what a server says.
var addresses = regexp.MustCompile(`[^\s<>()\[\]:;,"'@]+@[^\s<>()\[\]:;,"'@]+`)

// maxReason is how much of what a server says is kept, in bytes.
const maxReason = 400

// withoutSecrets is what a server said of a mail, fit for a log and for the operator:
// without addresses, and without the link in the mail, which spam filters repeat.
func withoutSecrets(text, link string) string {
	host := ""
	if u, err := url.Parse(link); err == nil {
		host = strings.ToLower(u.Host)
	}
	fields := strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?")))
	for i, word := range fields {
		if host != "" && strings.Contains(strings.ToLower(word), host) {
			fields[i] = "[link]"
		}
	}
	text = addresses.ReplaceAllString(strings.Join(fields, " "), "[address]")
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "") + "…"
	}
	return text
}
