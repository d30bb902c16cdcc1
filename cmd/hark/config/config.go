package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"hark/api/front"
	"hark/api/rest"
	"hark/storage"
	"hark/storage/keys"
	"hark/storage/sqldb"
)

// Config is all that can be set, by flag or by environment. The defaults start
// Hark on one machine with nothing else to install.
type Config struct {
	DatabaseConfig `group:"Records"`
	LogConfig      `group:"Log"`
	HTTPConfig     `group:"HTTP"`
	ProxyConfig    `group:"HTTP"`
	LimitsConfig   `group:"Limits of one person"`

	Role           string        `env:"HARK_ROLE" enum:"all,api,worker" default:"all" help:"Role of this process: api answers requests, worker transcribes, all does both (${enum})."`
	Addr           string        `env:"HARK_ADDR" default:"127.0.0.1:8080" help:"Address to listen on. A worker serves only health and metrics there."`
	PublicURL      string        `env:"HARK_PUBLIC_URL" placeholder:"URL" help:"Public address of Hark, which may have a path (https://example.org/hark); the listening address when empty. With https, cookies are sent over https only."`
	WorkspaceName  string        `env:"HARK_WORKSPACE_NAME" placeholder:"NAME" help:"Name of the workspace until someone changes it; when empty, the owner is asked in the browser."`
	OwnerName      string        `env:"HARK_OWNER_NAME" placeholder:"NAME" help:"Name of the owner until they change it; when empty, they are asked in the browser."`
	BootstrapToken Secret        `env:"HARK_BOOTSTRAP_TOKEN" placeholder:"SECRET" help:"API token to create for the owner, for scripts; at least 16 characters."`
	SigningKeyFile string        `env:"HARK_SIGNING_KEY_FILE" placeholder:"FILE" help:"File with a secret of 32 bytes or more, the same on all nodes, from which the keys for signed URLs and cursors are derived; when empty, keys are kept in 'keys.json' in the data folder with SQLite, and in the database with Postgres."`
	MaxUploadBytes int64         `env:"HARK_MAX_UPLOAD_BYTES" default:"2147483648" help:"Maximum size of a recording, in bytes."`
	MaxDuration    time.Duration `env:"HARK_MAX_DURATION" default:"4h" help:"Maximum length of a recording."`
	ShutdownGrace  time.Duration `env:"HARK_SHUTDOWN_GRACE" default:"20s" help:"Time for requests and jobs to finish after a stop signal; jobs that do not are handed back."`
	ScratchDir     string        `env:"HARK_SCRATCH" placeholder:"DIR" help:"Folder for temporary decoded audio (115 MB per hour of audio); 'scratch' in the data folder when empty."`

	S3          S3Config          `embed:"" prefix:"s3-" envprefix:"HARK_S3_" group:"Objects"`
	NATS        NATSConfig        `embed:"" prefix:"nats-" envprefix:"HARK_NATS_" group:"Jobs and events"`
	Transcriber TranscriberConfig `embed:"" group:"Transcription"`
	Live        LiveConfig        `embed:"" group:"Live recording"`
	Mail        MailConfig        `embed:"" group:"Mail"`
	SignIn      SignInConfig      `embed:"" group:"Signing in"`
	CORSOrigins []string          `name:"cors-origins" env:"HARK_CORS_ORIGINS" placeholder:"ORIGINS" help:"Origins allowed to use the API with a token (CORS), comma-separated, such as https://recorder.example.org; * for all."`
}

// DatabaseConfig says where records are.
type DatabaseConfig struct {
	Data        string `env:"HARK_DATA" default:"./data" placeholder:"DIR" help:"Data folder: everything that is not configured to be elsewhere."`
	DatabaseURL string `env:"HARK_DATABASE_URL" placeholder:"URL" credentials:"" help:"postgres://… or sqlite:///PATH; 'hark.db' in the data folder when empty."`
	Conns       int    `name:"database-conns" env:"HARK_DATABASE_CONNS" default:"0" help:"Maximum Postgres connections of this process; 0 means four per core, and at least 8."`
}

// LogConfig says how to log.
type LogConfig struct {
	LogLevel  slog.Level `env:"HARK_LOG_LEVEL" default:"INFO" help:"Minimum log level: debug, info, warn or error."`
	LogFormat string     `env:"HARK_LOG_FORMAT" enum:"text,json" default:"text" help:"Log format (${enum})."`
}

// TranscriberConfig says who listens.
type TranscriberConfig struct {
	Engine      string        `env:"HARK_ENGINE" enum:"local,openai,sherpa" default:"local" help:"Transcription engine (${enum}): local, in process, which was called sherpa; or openai, an OpenAI-compatible server."`
	Models      string        `env:"HARK_MODELS" placeholder:"DIR" help:"Folder of speech models; 'models' in the data folder when empty."`
	Model       string        `env:"HARK_MODEL" default:"moonshine-base-en" help:"Model of the in-process engine; see 'hark models list'."`
	Recognisers int           `env:"HARK_RECOGNISERS" default:"0" help:"Recognisers running at once, one core each; 0 means one per core."`
	Jobs        int           `env:"HARK_JOBS" default:"8" help:"Messages processed at once. Long ones take at most half of the places."`
	OpenAIURL   string        `name:"openai-url" env:"HARK_OPENAI_URL" placeholder:"URL" help:"Base address of the OpenAI-compatible server, without /v1."`
	OpenAIKey   Secret        `name:"openai-key" env:"HARK_OPENAI_KEY" placeholder:"SECRET" help:"API key for the OpenAI-compatible server."`
	OpenAIModel string        `name:"openai-model" env:"HARK_OPENAI_MODEL" default:"whisper-1" help:"Model to request from it."`
	OpenAIWait  time.Duration `name:"openai-timeout" env:"HARK_OPENAI_TIMEOUT" default:"5m" help:"Timeout of one of its responses."`
	Language    string        `env:"HARK_LANGUAGE" placeholder:"TAG" help:"Expected language, as a BCP 47 tag, for models that accept one."`
	FFmpeg      string        `name:"ffmpeg" env:"HARK_FFMPEG" default:"ffmpeg" help:"ffmpeg, for decoding other formats (confined) and encoding renditions."`
	Confine     string        `env:"HARK_CONFINE" enum:"auto,require" default:"auto" help:"Confinement of decoders (${enum}): auto uses what the machine offers and shows it in /readyz, require refuses to start without full confinement."`
}

// maxDatabaseConns is more than any Postgres serves well.
const maxDatabaseConns = 1000

// checkName cleans a name that was given; empty stays empty.
func checkName(bad func(key, format string, args ...any), key, name string) string {
	if name == "" {
		return ""
	}
	cleaned, err := storage.CleanName(name)
	var invalid *storage.InvalidError
	if errors.As(err, &invalid) {
		bad(key, "%s", invalid.Problem)
	}
	return cleaned
}

// Records says how to open them.
func (c *DatabaseConfig) Records(log *slog.Logger) sqldb.Config {
	return sqldb.Config{URL: c.DatabaseURL, MaxConns: c.Conns, Logger: log}
}

// ConfineRequire refuses to decode without full confinement.
const ConfineRequire = "require"

// Resolve makes the data folder absolute. The embedded object store changes
// the process's working directory, so no relative path may survive.
func (c *DatabaseConfig) Resolve() error {
	data, err := filepath.Abs(c.Data)
	if err != nil {
		return fmt.Errorf("resolve data folder %s: %w", c.Data, err)
	}
	c.Data = data
	if c.DatabaseURL == "" {
		c.DatabaseURL = "sqlite://" + filepath.Join(data, "hark.db")
	}
	if c.Conns != 0 && (c.Conns < 2 || c.Conns > maxDatabaseConns) {
		return fmt.Errorf("HARK_DATABASE_CONNS: %d is not a number of connections; expected 2 to %d, or 0 for four for each core", c.Conns, maxDatabaseConns)
	}
	return nil
}

// Resolve checks everything that can be checked before anything opens, names
// every value that is wrong and what was expected, and fills what was left
// empty.
func (c *Config) Resolve() error {
	var errs []error
	if err := c.DatabaseConfig.Resolve(); err != nil {
		errs = append(errs, err)
	}
	bad := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...)))
	}

	c.checkAddresses(bad)
	checkURL(bad, "HARK_DATABASE_URL", c.DatabaseURL, "sqlite", "postgres", "postgresql")
	c.WorkspaceName = checkName(bad, "HARK_WORKSPACE_NAME", c.WorkspaceName)
	c.OwnerName = checkName(bad, "HARK_OWNER_NAME", c.OwnerName)
	if c.BootstrapToken != "" && len(c.BootstrapToken) < 16 {
		bad("HARK_BOOTSTRAP_TOKEN", "has %d characters; a token needs 16 or more", len(c.BootstrapToken))
	}
	c.SigningKeyFile = checkSecretFile(bad, "HARK_SIGNING_KEY_FILE", c.SigningKeyFile)
	if c.MaxUploadBytes < 1 {
		bad("HARK_MAX_UPLOAD_BYTES", "%d is not a size; expected 1 or more", c.MaxUploadBytes)
	}
	if c.MaxDuration <= 0 {
		bad("HARK_MAX_DURATION", "%s is not a length; expected more than 0", c.MaxDuration)
	}
	c.S3.check(bad)
	c.NATS.check(bad)
	c.Mail.check(bad)
	c.SignIn.check(bad)
	c.Transcriber.check(bad)
	c.checkHTTP(bad)
	c.checkLimits(bad)
	c.checkProxy(c.Addr, bad)
	c.Live.listenBeside(c.Addr)
	c.Live.check(bad)
	if c.Live.Captions == "on" && c.Transcriber.Engine == "openai" {
		bad("HARK_CAPTIONS", "on needs HARK_ENGINE=local: only the engine in process hears people while they speak")
	}
	for _, origin := range c.CORSOrigins {
		if err := front.CheckOrigin(origin); err != nil {
			bad("HARK_CORS_ORIGINS", "%s", err)
		}
	}
	if c.Role != "all" {
		c.checkShared(bad)
	}
	if c.Role != "api" {
		c.Transcriber.findFFmpeg(bad)
	}

	c.ScratchDir = OrBelow(c.ScratchDir, c.Data, "scratch")
	c.Transcriber.Models = OrBelow(c.Transcriber.Models, c.Data, "models")
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("configuration:\n%w", err)
	}
	return nil
}

func (c *Config) checkAddresses(bad func(key, format string, args ...any)) {
	if _, port, err := net.SplitHostPort(c.Addr); err != nil {
		bad("HARK_ADDR", "%q is not host:port, such as 127.0.0.1:8080", c.Addr)
	} else if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		bad("HARK_ADDR", "%q is not a port; expected 0 (any) to 65535", port)
	}
	if c.PublicURL != "" {
		if _, err := rest.ParsePublicURL(c.PublicURL); err != nil {
			bad("HARK_PUBLIC_URL", "%s", err)
		}
	}
}

// checkShared refuses a split service whose parts could not see each other's
// records, objects or jobs.
func (c *Config) checkShared(bad func(key, format string, args ...any)) {
	if c.Embedded() {
		bad("HARK_DATABASE_URL", "role %s needs a Postgres that all nodes share", c.Role)
	}
	if c.S3.Endpoint == "" {
		bad("HARK_S3_ENDPOINT", "role %s needs an object store that all nodes share", c.Role)
	}
	if c.NATS.URL == "" {
		bad("HARK_NATS_URL", "role %s needs a NATS server that all nodes share", c.Role)
	}
}

func (c *TranscriberConfig) check(bad func(key, format string, args ...any)) {
	checkURL(bad, "HARK_OPENAI_URL", c.OpenAIURL, "http", "https")
	if c.Engine == "openai" && c.OpenAIURL == "" {
		bad("HARK_OPENAI_URL", "is needed with HARK_ENGINE=openai")
	}
	if c.Jobs < 2 {
		bad("HARK_JOBS", "%d is too few; expected 2 or more, so that a long message leaves a place for a short one", c.Jobs)
	}
	if c.Recognisers < 0 {
		bad("HARK_RECOGNISERS", "%d is not a number of recognisers; expected 0 or more", c.Recognisers)
	}
}

// findFFmpeg makes the program's path absolute: without it every message would
// fail, one after the other.
func (c *TranscriberConfig) findFFmpeg(bad func(key, format string, args ...any)) {
	path, err := exec.LookPath(c.FFmpeg)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		bad("HARK_FFMPEG", "there is no program %q; install ffmpeg, or set where it is", c.FFmpeg)
		return
	}
	c.FFmpeg = path
}

// Embedded reports whether the records are in a file of this machine.
func (c *DatabaseConfig) Embedded() bool { return strings.HasPrefix(c.DatabaseURL, "sqlite") }

// checkSecretFile makes the path absolute and looks whether a secret is there.
func checkSecretFile(bad func(key, format string, args ...any), key, path string) string {
	if path == "" {
		return ""
	}
	path, err := filepath.Abs(path)
	if err == nil {
		_, err = keys.ReadSecret(path)
	}
	if err != nil {
		bad(key, "%s", err)
	}
	return path
}

func checkURL(bad func(key, format string, args ...any), key, value string, schemes ...string) {
	if value == "" {
		return
	}
	u, err := url.Parse(value)
	if err == nil {
		for _, s := range schemes {
			if u.Scheme == s {
				return
			}
		}
	}
	// The value itself may hold a password.
	bad(key, "is not an address that begins with %s://", strings.Join(schemes, ":// or "))
}

// AddressOf is how a browser on this machine reaches a server that listens on
// hostport: one that listens everywhere is reached on loopback too, which is called
// localhost, since browsers have no passkeys for an IP address.
func AddressOf(hostport string) string {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return "http://" + hostport
	}
	if ip := net.ParseIP(host); host == "" || host == "127.0.0.1" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// OrBelow returns dir made absolute, or name below data when dir is empty.
func OrBelow(dir, data, name string) string {
	if dir == "" {
		return filepath.Join(data, name)
	}
	if abs, err := filepath.Abs(dir); err == nil {
		return abs
	}
	return dir
}

// NewLogger makes the program's NewLogger, which writes to standard error.
func (c *LogConfig) NewLogger() *slog.Logger {
	opts := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, opts))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, opts))
}
