//go:build !race

package main

// raceFlags build the program under test the way its tests are built.
var raceFlags []string
