package opus

// conceals is how much of a gap a player is asked to make up from what it
// heard before, in samples: 100 ms. Beyond that invention would be heard as
// such, and silence follows.
const conceals = Rate / 10

// filling is a packet that stands for what was not sent.
type filling struct {
	data    []byte
	samples int64
}

// concealing returns packets without content, from long to short, that ask a
// player to conceal a loss (RFC 7845, section 4.1.1). They are of the kind of
// the last packet, which began with toc, so that the player does not change
// its mode; only CELT has frames shorter than 10 ms.
func concealing(toc byte) []filling {
	config, stereo := toc>>3, toc&4
	var fillings []filling
	add := func(config byte) {
		fillings = append(fillings, filling{[]byte{config<<3 | stereo}, int64(frameSamples[config])})
	}
	for c := int(config); c >= int(shortestOf(config)); c-- {
		add(byte(c))
	}
	if config < celt {
		add(celtLike(config) + 1) // 5 ms
		add(celtLike(config))
	}
	return fillings
}

// shortestOf returns the configuration with the same mode and bandwidth and
// the shortest frame.
func shortestOf(config byte) byte {
	if config >= 12 && config < celt { // hybrid comes in pairs, the others in fours
		return config &^ 1
	}
	return config &^ 3
}

// celtLike returns the CELT configuration with the bandwidth of a SILK or
// hybrid one, or the next wider that there is, and frames of 2.5 ms.
func celtLike(config byte) byte {
	switch {
	case config < 4:
		return 16 // narrow
	case config < 12:
		return 20 // medium and wide
	case config < 14:
		return 24 // super-wide
	}
	return 28 // full
}

// silent returns packets of silence, from long to short: six frames of 20 ms,
// and CELT frames of 20, 10, 5 and 2.5 ms. FF FE sets CELT's silence flag.
func silent(channels int) []filling {
	var stereo byte
	if channels == 2 {
		stereo = 4
	}
	long := []byte{31<<3 | stereo | 3, 6}
	for range 6 {
		long = append(long, 0xFF, 0xFE)
	}
	fillings := []filling{{long, MaxSamples}}
	for config := byte(31); config >= 28; config-- {
		fillings = append(fillings, filling{[]byte{config<<3 | stereo, 0xFF, 0xFE}, int64(frameSamples[config])})
	}
	return fillings
}

// fill writes packets for up to n samples. Less than the shortest packet, 2.5
// ms, is left; it is part of the next gap, so that it does not add up.
func (w *Writer) fill(n int64) error {
	if w.heard {
		made := min(n, conceals)
		left, err := w.fillWith(concealing(w.toc), made)
		if err != nil {
			return err
		}
		n -= made - left
	}
	_, err := w.fillWith(w.silent, n)
	return err
}

func (w *Writer) fillWith(fillings []filling, n int64) (left int64, err error) {
	for _, f := range fillings {
		for ; n >= f.samples; n -= f.samples {
			if err := w.add(f.data, f.samples); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}
