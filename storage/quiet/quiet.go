// Package quiet says when somebody does not want to be disturbed: every night, or on some
// nights of the week, by the clock of their time zone.
package quiet

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // machines need not have the zones
)

// Hours are when it is quiet: from one time of day to another, which is on the day after
// where it is not later. Days names the days on which the hours begin; without days, it is
// all of them.
type Hours struct {
	From string   `json:"from" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" doc:"Time of day" example:"22:00"`
	To   string   `json:"to" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" doc:"Time of day; where it is not later, that of the next day" example:"07:00"`
	Days []string `json:"days,omitempty" nullable:"false" maxItems:"7" enum:"mon,tue,wed,thu,fri,sat,sun" doc:"On which the hours begin; left out for all" example:"[\"mon\",\"tue\"]"`
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} // as time.Weekday counts

// Check says what is wrong with hours that were given, for people.
func (h *Hours) Check() error {
	for _, at := range []string{h.From, h.To} {
		if _, err := minutes(at); err != nil {
			return err
		}
	}
	if h.From == h.To {
		return errors.New("must not begin when they end")
	}
	for i, day := range h.Days {
		if !slices.Contains(weekdays, day) {
			return errors.New("must begin on days such as mon")
		}
		if slices.Contains(h.Days[:i], day) {
			return errors.New("must not name a day twice")
		}
	}
	return nil
}

// minutes is a time of day, such as 22:00, in minutes after midnight.
func minutes(at string) (int, error) {
	clock, err := time.Parse("15:04", at)
	if err != nil || len(at) != len("15:04") {
		return 0, fmt.Errorf("must be times such as 22:00, not %q", at)
	}
	return clock.Hour()*60 + clock.Minute(), nil
}

// Include says whether a moment is in the hours, by the clock of a zone. Hours that
// [Hours.Check] refuses include nothing, and neither do nil ones.
func (h *Hours) Include(at time.Time, zone *time.Location) bool {
	if h == nil || h.Check() != nil {
		return false
	}
	from, _ := minutes(h.From)
	to, _ := minutes(h.To)
	local := at.In(zone)
	now := local.Hour()*60 + local.Minute()
	begins := func(day time.Weekday) bool { return len(h.Days) == 0 || slices.Contains(h.Days, weekdays[day]) }
	if from < to {
		return begins(local.Weekday()) && from <= now && now < to
	}
	return begins(local.Weekday()) && now >= from || begins((local.Weekday()+6)%7) && now < to
}

// maxZone is how long the name of a zone may be, in bytes.
const maxZone = 64

// CheckZone fails for what is no time zone of the IANA database. The zone of the server
// itself is none.
func CheckZone(name string) error {
	if name == "" || name == "Local" || len(name) > maxZone || strings.ContainsAny(name, "\\ ") {
		return errors.New("no time zone")
	}
	_, err := time.LoadLocation(name)
	return err
}
