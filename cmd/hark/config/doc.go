// Package config is what can be set: the settings by flag, environment and
// file, what they default to, and what is wrong with them. Secrets come by
// environment or file only.
//
// It opens nothing. [hark/cmd/hark/server] opens the engines as they are set,
// and the commands read their own part of the settings.
package config
