package whip

import (
	"errors"
	"strings"
	"testing"
)

const candidateLine = "a=candidate:1 1 udp 2130706431 192.0.2.1 50000 typ host\r\n"

func TestParseFragment(t *testing.T) {
	f, err := parseFragment("a=ice-options:trickle ice2\r\na=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n" +
		"a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n" + candidateLine +
		"a=candidate:2 1 udp 2130706431 a4b7.local 50000 typ host\r\n" +
		"a=candidate:3 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active\r\n" +
		"a=candidate:4 1 carrier-pigeon 1 192.0.2.1 50000 typ host\r\n" +
		"a=candidate:5 2 udp 2130706430 192.0.2.1 50001 typ host\r\n" +
		"a=end-of-candidates\r\n")
	if err != nil {
		t.Fatal(err)
	}
	if f.ufrag != "EsAw" || f.pwd != "P2uYro0UCOQ4zxjKXaWCBui1" {
		t.Errorf("%+v", f)
	}
	for _, bad := range []string{
		"", "\r\n", "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n", "hello", "a", `{"candidate":""}`,
		"a=ice-ufrag:x\r\n", "a=ice-ufrag:EsAw\r\na=ice-ufrag:Other\r\n", "a=ice-pwd:short\r\n",
		"a=ice-ufrag:Es Aw\r\n", strings.Repeat(candidateLine, maxCandidates+1), strings.Repeat("a=x\r\n", 10_000),
	} {
		_, err := parseFragment(bad)
		if refused, ok := errors.AsType[*FragmentError](err); !ok || !refused.Malformed {
			t.Errorf("%.40q: %v", bad, err)
		}
	}
}

func FuzzFragment(f *testing.F) {
	f.Add("a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n" + candidateLine + "a=end-of-candidates\r\n")
	f.Add("m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=candidate:2 1 udp 1 a.local 5 typ srflx raddr 0.0.0.0 rport 9\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseFragment(text)
		if err != nil {
			if refused, ok := errors.AsType[*FragmentError](err); !ok || !refused.Malformed {
				t.Fatalf("%v is no FragmentError", err)
			}
			return
		}
		if got.ufrag != "" && !iceChars(got.ufrag, 4) || got.pwd != "" && !iceChars(got.pwd, 22) {
			t.Fatalf("%+v", got)
		}
	})
}
