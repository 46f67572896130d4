# Ballast. Two targets matter to a stranger: `make run` and `make test`.

SHELL      := /bin/bash
GO         ?= go
PKGS       ?= ./...
BIN        := bin/ballast
SIMULATED  ?= 1000
export GOTOOLCHAIN ?= local
export CGO_ENABLED  = 1

.PHONY: run build test test-go test-web test-browser web bench fuzz lint tools/deps vet clean help

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

build: ## the binary, dashboard inside
	$(GO) build -o $(BIN) ./cmd/ballast

run: build ## a simulated site of 1,000 machines, polled and shown in the browser
	$(BIN) run --simulate $(SIMULATED) --data .data/demo

test: tools/deps vet test-go test-web ## everything, installing what it needs

tools/deps: ## Debian packages and npm modules that the tests use
	@scripts/deps

vet:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt would change:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet $(PKGS)

test-go:
	@GO=$(GO) scripts/test-go $(PKGS)

test-web: build ## types, unit tests, reproducible build, and every page and flow in a real browser
	@scripts/test-web

test-browser: build tools/deps ## only the browser: every page and flow, or BROWSER="access frame"
	@cd web && node browser/run.mjs $(BROWSER)

web: build ## rebuild web/dist after a change to the dashboard's source
	bin/ballast openapi > docs/openapi.yaml
	bin/ballast openapi --json | node web/types.mjs > web/src/api/types.gen.ts
	cd web && npm ci && npm run build

bench: build ## the figures of docs/benchmarks.md
	@scripts/bench

fuzz: ## every fuzzer, 60 s each (FUZZTIME=10s for less)
	@scripts/fuzz

lint: ## golangci-lint, pinned in tools/go.mod
	@scripts/lint

clean:
	rm -rf bin .data web/node_modules web/test-results web/screenshots
