package whip

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what TURN servers compute
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// defaultTURNLife is how long credentials for a TURN server are good for.
const defaultTURNLife = time.Hour

// iceServers are the servers as one user gets them. A TURN server
// without a credential of its own gets one that runs out, made of the secret
// that it shares with us.
func (s *Server) iceServers(user string) []ICEServer {
	if s.cfg.TURNSecret == "" {
		return s.cfg.ICEServers
	}
	username, credential := turnCredential(s.cfg.TURNSecret, user, time.Now().Add(s.cfg.TURNLife))
	servers := make([]ICEServer, len(s.cfg.ICEServers))
	for i, server := range s.cfg.ICEServers {
		if server.Username == "" && strings.HasPrefix(server.URLs[0], "turn") {
			server.Username, server.Credential = username, credential
		}
		servers[i] = server
	}
	return servers
}

// turnCredential is the user name and password that a TURN server accepts until
// end which knows the secret (coturn: use-auth-secret; A REST API for access to
// TURN services, draft-uberti-behave-turn-rest-00, section 2.2).
func turnCredential(secret, user string, end time.Time) (username, credential string) {
	username = strconv.FormatInt(end.Unix(), 10) + ":" + user
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(username))
	return username, base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
