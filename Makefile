# Hark. `make` lists what can be made.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
HARK_DATA ?= $(CURDIR)/data
# The models that `make run` uses are the ones the tests use.
HARK_MODELS ?= $(HARK_DATA)/models
export HARK_DATA HARK_MODELS
export CGO_ENABLED := 1
# Where setup puts a Node when the system's is too old.
export PATH := $(CURDIR)/.cache/node/bin:$(PATH)

TAGS    := sqlite_fts5
# Where the recogniser's shared libraries are: the module cache while
# developing, ../lib/hark beside an installed binary.
LDFLAGS := -X main.version=$(VERSION) -extldflags '-Wl,-rpath,\$$ORIGIN/../lib/hark'
GO_BUILD := go build -tags $(TAGS) -ldflags "$(LDFLAGS)"
GO_TEST  := go test -tags $(TAGS)

# Decoders of others, arithmetic that knows no goroutines, are not watched for
# races: it makes them many times slower.
UNWATCHED := github.com/hajimehoshi/go-mp3 github.com/thesyncim/gopus
go-test e2e soak: export GOFLAGS := $(GOFLAGS) $(UNWATCHED:%=-gcflags=%/...=-race=false)

WEB   := api/web
# The browser app that is built into the binary; empty where it is there already.
WEB_APP ?= $(WEB)/dist/index.html
TOOLS := $(CURDIR)/.cache/tools
GOLANGCI_VERSION    := v2.15.0
GOVULNCHECK_VERSION := v1.7.0
MINIO_VERSION       := v0.0.0-20260212201848-7aac2a2c5b7c

.PHONY: help run build models test-models test go-test web browser shots unit race e2e soak lint vuln fuzz bench stores check install clean setup-run setup-test

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

run: setup-run build models ## set up what is missing and start Hark on this machine
	@exec bin/hark serve

build: $(WEB_APP) ## build bin/hark, with the browser app in it
	@mkdir -p bin
	@$(GO_BUILD) -o bin/hark ./cmd/hark

models: build ## fetch and verify the speech models, once
	@bin/hark models fetch

# The tests hear with the small model too.
test-models: models
	@bin/hark models fetch moonshine-tiny-en

setup-run:
	@.ci/setup run

setup-test:
	@.ci/setup test

test: setup-test build test-models go-test web browser ## the tests: race detector, SQLite and Postgres, the real recogniser, kill tests, browsers

go-test: setup-test build test-models
	$(GO_TEST) -race -timeout 30m ./...

web: $(WEB)/node_modules/.installed ## the browser app: types, linter, tests of its logic
	cd $(WEB) && npm run --silent check && npm run --silent unit

browser: setup-test build models $(WEB)/node_modules/.installed ## the browser tests, in Chromium
	cd $(WEB) && npm run --silent e2e

shots: setup-test build models $(WEB)/node_modules/.installed ## pictures of every page and state, into .cache/shots
	cd $(WEB) && npm run --silent shots

$(WEB)/dist/index.html: $(WEB)/node_modules/.installed $(shell find $(WEB)/src $(WEB)/public -type f ! -name '*.test.ts') $(WEB)/index.html $(WEB)/vite.config.ts $(WEB)/svelte.config.js
	cd $(WEB) && npm run --silent build -- --logLevel warn
	@touch $@

$(WEB)/node_modules/.installed: $(WEB)/package-lock.json
	cd $(WEB) && npm ci --silent
	@touch $@

unit: ## the quick tests, without the race detector
	$(GO_TEST) -short ./...

e2e: setup-test build models ## only the end-to-end tests of the program
	$(GO_TEST) -race -timeout 30m -v ./cmd/hark

soak: setup-test build test-models $(WEB)/node_modules/.installed ## for an hour: many more kills, and 200 runs of the recorder with delays by chance
	$(GO_TEST) -race -timeout 2h -v ./cmd/hark -run Killed -soak
	cd $(WEB) && npm run --silent seeds

stores: $(TOOLS)/minio-$(MINIO_VERSION) ## the object store's tests against MinIO too, which takes minutes to build
	HARK_TEST_MINIO=$< $(GO_TEST) -race -run 'MinIO|Versi|Imitated' ./storage/blob

lint: $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION) ## linters, import arrows, formatting, no large files in git
	@git ls-files -z | xargs -0 stat -c '%s %n' | awk '$$1 > 1048576 { print "over 1 MiB, and in git: " $$2; bad = 1 } END { exit bad }'
	$(TOOLS)/golangci-lint-$(GOLANGCI_VERSION) run ./...

vuln: ## known vulnerabilities in what is called; asks the public vulnerability database
	go run golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION) -tags $(TAGS) ./...

FUZZTIME ?= 30s
fuzz: ## run every fuzz target for FUZZTIME (30s)
	@for f in $$(grep -rlE '^func Fuzz' --include=*_test.go .); do \
		for t in $$(grep -oE '^func Fuzz[A-Za-z0-9_]+' $$f | sed 's/func //'); do \
			echo "== $$t"; $(GO_TEST) -run '^$$' -fuzz "^$$t$$" -fuzztime $(FUZZTIME) ./$$(dirname $$f); \
		done; done

bench: setup-test build test-models ## the Go benchmarks; see also `bin/hark bench --help`
	$(GO_TEST) -run '^$$' -bench . -benchtime 1x ./...

check: lint test ## all that CI runs
	git diff --exit-code -- go.mod go.sum

PREFIX ?= /usr/local
install: build ## install hark, the libraries it carries and its systemd unit below PREFIX
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/hark
	install -m 755 bin/hark $(DESTDIR)$(PREFIX)/bin/hark
	install -m 644 $$(go list -m -f '{{.Dir}}' github.com/k2-fsa/sherpa-onnx-go-linux)/lib/$$(uname -m)-unknown-linux-gnu/lib{sherpa-onnx-c-api,onnxruntime}.so \
		$(DESTDIR)$(PREFIX)/lib/hark/
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|/usr/local/bin|$(PREFIX)/bin|' cmd/hark/hark.service > $(DESTDIR)$(PREFIX)/lib/systemd/system/hark.service
	chmod 644 $(DESTDIR)$(PREFIX)/lib/systemd/system/hark.service

clean: ## remove what was built; recordings and models stay
	rm -rf bin .cache $(WEB)/node_modules $(WEB)/dist/assets $(WEB)/dist/*.*

$(TOOLS)/golangci-lint-$(GOLANGCI_VERSION):
	@mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) GOFLAGS= go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	@mv $(TOOLS)/golangci-lint $@

$(TOOLS)/minio-$(MINIO_VERSION):
	@mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) GOFLAGS= go install github.com/minio/minio@$(MINIO_VERSION)
	@mv $(TOOLS)/minio $@
