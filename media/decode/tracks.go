package decode

import "slices"

// maxTracks is how many tracks of one clip are heard. Each is decoded by a
// child of its own.
const maxTracks = 16

// audible chooses the tracks of a file that are heard, by their numbers among
// its tracks of sound:
//
//   - none in a codec that ffmpeg does not know, which would only fail;
//   - none that is marked as made for another purpose (a commentary, an audio
//     description, a dubbed version), unless there is no other;
//   - where tracks name different languages, they are versions of one another
//     and mixing them would make noise: those in the language of the default
//     track, or else of the first, and those that name none;
//   - of what is left all, as desktop and microphone, caller and callee, or
//     one person each, up to maxTracks.
func audible(tracks []track) []int {
	chosen := numbers(tracks, func(t track) bool { return t.codec != "none" })
	plain := filtered(chosen, func(i int) bool {
		return !tracks[i].is("comment", "dub", "visual impaired", "hearing impaired", "descriptions", "karaoke", "clean effects")
	})
	if len(plain) > 0 {
		chosen = plain
	}
	if language := leading(tracks, chosen); language != "" {
		chosen = filtered(chosen, func(i int) bool { return tracks[i].language == "" || tracks[i].language == language })
	}
	return chosen[:min(len(chosen), maxTracks)]
}

// leading is the language of the default track, or else of the first that
// names one.
func leading(tracks []track, chosen []int) string {
	first := ""
	for _, i := range chosen {
		t := tracks[i]
		if t.language != "" && t.is("default") {
			return t.language
		}
		if first == "" {
			first = t.language
		}
	}
	return first
}

func numbers(tracks []track, want func(track) bool) []int {
	var all []int
	for i, t := range tracks {
		if want(t) {
			all = append(all, i)
		}
	}
	return all
}

func filtered(all []int, want func(int) bool) []int {
	return slices.DeleteFunc(slices.Clone(all), func(i int) bool { return !want(i) })
}
