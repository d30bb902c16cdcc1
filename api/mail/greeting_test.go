package mail

import "testing"

// Names that say nothing outside of a machine are not given to servers.
func TestWholeNames(t *testing.T) {
	for name, whole := range map[string]bool{
		"mail.example.org": true, "mail.example.org.": true, "node1.lan": true,
		"": false, "15b0717dc4c2": false, "vps1.": false, ".org": false, "localhost": false, "localhost.localdomain": false, "laptop.local": false,
	} {
		if isWholeName(name) != whole {
			t.Errorf("%q: whole is not %v", name, whole)
		}
	}
}
