package quiet

import (
	"testing"
	"time"
)

func TestHoursInclude(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	night, weekend, noon := &Hours{From: "22:00", To: "07:00"}, &Hours{From: "22:00", To: "07:00", Days: []string{"fri", "sat"}}, &Hours{From: "12:00", To: "13:00", Days: []string{"mon"}}
	for _, c := range []struct {
		hours *Hours
		at    string
		want  bool
	}{
		{night, "2026-03-02T20:59:00Z", false}, // 21:59 in Berlin
		{night, "2026-03-02T21:00:00Z", true},
		{night, "2026-03-03T05:59:00Z", true},
		{night, "2026-03-03T06:00:00Z", false},
		{night, "2026-07-02T20:00:00Z", true},    // summer time
		{weekend, "2026-03-06T21:30:00Z", true},  // Friday
		{weekend, "2026-03-08T05:00:00Z", true},  // Sunday morning, of Saturday
		{weekend, "2026-03-08T21:30:00Z", false}, // Sunday evening
		{weekend, "2026-03-06T05:00:00Z", false}, // Friday morning
		{noon, "2026-03-02T11:30:00Z", true},
		{noon, "2026-03-03T11:30:00Z", false},
		{nil, "2026-03-02T23:00:00Z", false},
		{&Hours{From: "x", To: "07:00"}, "2026-03-02T23:00:00Z", false},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.hours.Include(at, berlin); got != c.want {
			t.Errorf("%+v at %s: %v", c.hours, c.at, got)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, wrong := range []Hours{
		{},
		{From: "22:00"},
		{From: "22:00", To: "22:00"},
		{From: "24:00", To: "07:00"},
		{From: "7:00", To: "08:00"},
		{From: "22:00:00", To: "07:00"},
		{From: "22:00", To: "07:00", Days: []string{"Mon"}},
		{From: "22:00", To: "07:00", Days: []string{"mon", "mon"}},
	} {
		if wrong.Check() == nil {
			t.Errorf("%+v is taken", wrong)
		}
	}
	if err := (&Hours{From: "22:00", To: "07:00", Days: []string{"sun"}}).Check(); err != nil {
		t.Error(err)
	}
	for _, wrong := range []string{"", "Local", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "Europe\\Berlin"} {
		if CheckZone(wrong) == nil {
			t.Errorf("%q is taken for a zone", wrong)
		}
	}
	for _, right := range []string{"Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires"} {
		if err := CheckZone(right); err != nil {
			t.Error(err)
		}
	}
}
