package front

import "testing"

const elsewhere = "https://recorder.example.org"

func TestCheckOrigin(t *testing.T) {
	for origin, ok := range map[string]bool{
		"*": true, elsewhere: true, "http://localhost:5173": true,
		"": false, "recorder.example.org": false, elsewhere + "/": false, "https://Recorder.example.org": false, "https://a.example/b": false, "null": false,
	} {
		if err := CheckOrigin(origin); (err == nil) != ok {
			t.Errorf("%q: %v", origin, err)
		}
	}
}

func TestCheckHost(t *testing.T) {
	for name, ok := range map[string]bool{
		"*": true, "api": true, "voice.example.org": true,
		"": false, "api:8080": false, "https://a.example": false, "a.example/b": false, "Voice.example.org": false, "*.example.org": false,
	} {
		if err := CheckHost(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}
