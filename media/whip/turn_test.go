package whip_test

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what TURN servers compute
	"encoding/base64"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pion/turn/v5"

	"hark/media/whip"
)

// TestTURNCredentials asks a TURN server that knows the secret, as coturn
// does, whether it accepts what clients are told, and until when.
func TestTURNCredentials(t *testing.T) {
	t.Parallel()
	server := listen(t, func(c *whip.Config) {
		c.Public = []string{"127.0.0.1"}
		c.ICEServers = []whip.ICEServer{
			{URLs: []string{"stun:stun.example.net"}},
			{URLs: []string{"turn:turn.example.net"}},
			{URLs: []string{"turn:other.example.net"}, Username: "user", Credential: "password"},
		}
		c.TURNSecret, c.TURNLife = "shared", 20*time.Minute
	})
	links := server.Links("ada")
	if strings.Contains(links[0], "username") || !strings.Contains(links[2], `username="user"; credential="password"`) {
		t.Errorf("%q", links)
	}
	parts := regexp.MustCompile(`^<turn:turn.example.net>; rel="ice-server"; username="([0-9]+):ada"; credential="([^"]+)"; credential-type="password"$`).FindStringSubmatch(links[1])
	if parts == nil {
		t.Fatalf("%s", links[1])
	}
	end, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(time.Unix(end, 0)); left < 19*time.Minute || left > 20*time.Minute {
		t.Errorf("good for %s", left)
	}
	mac := hmac.New(sha1.New, []byte("shared"))
	mac.Write([]byte(parts[1] + ":ada"))
	if want := base64.StdEncoding.EncodeToString(mac.Sum(nil)); parts[2] != want {
		t.Errorf("credential %s, want %s", parts[2], want)
	}
	if err := allocate(t, parts[1]+":ada", parts[2]); err != nil {
		t.Errorf("the TURN server refuses what clients are told: %v", err)
	}
	if allocate(t, parts[1]+"0:ada", parts[2]) == nil {
		t.Error("a later end is accepted with the same credential")
	}
}

// allocate asks a TURN server for a relay.
func allocate(t *testing.T, username, password string) error {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	relay, err := turn.NewServer(turn.ServerConfig{
		Realm: "example.net", AuthHandler: turn.LongTermTURNRESTAuthHandler("shared", nil),
		PacketConnConfigs: []turn.PacketConnConfig{{
			PacketConn:            conn,
			RelayAddressGenerator: &turn.RelayAddressGeneratorStatic{RelayAddress: net.IPv4(127, 0, 0, 1), Address: "127.0.0.1"},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer relay.Close()
	local, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	client, err := turn.NewClient(&turn.ClientConfig{
		TURNServerAddr: conn.LocalAddr().String(), Conn: local, Username: username, Password: password,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Listen(); err != nil {
		t.Fatal(err)
	}
	relayed, err := client.Allocate()
	if err == nil {
		_ = relayed.Close()
	}
	return err
}
