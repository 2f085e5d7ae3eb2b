# Thin on purpose: what there is to know stands in README.md and in the scripts that it calls.
# One build profile everywhere (`--release`), so that RocksDB is compiled once.

DATA   ?= $(CURDIR)/data
LISTEN ?= 127.0.0.1:8008
HEARTH := $(or $(CARGO_TARGET_DIR),target)/release/hearth

.DEFAULT_GOAL := help
.PHONY: help run test check build ui ui-if-possible deps interop browser crash complement image fmt

help: ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

run: ui-if-possible build ## build, then serve http://localhost:8008 with its data in ./data (DATA=, LISTEN=)
	@echo "Serving http://$(LISTEN) as 'localhost', data in $(DATA). Anyone on this machine may register. Ctrl-C stops it."
	@echo "Open http://localhost:$(lastword $(subst :, ,$(LISTEN))) in a browser to chat."
	@exec $(HEARTH) serve --server-name localhost --listen $(LISTEN) --data $(DATA) --registration open --set user_directory.search_all_users=true

test: ## run every stage: format, tidy, lints, docs, tests with 1 and 8 lanes, crashes, real clients
	@tests/run

ui: ## build the web UI (src/web/ui), which the next build embeds
	@tests/deps ui
	@src/web/ui/build

# Without Node, or a network for the first time, the server runs all the same.
ui-if-possible:
	@src/web/ui/build || echo "Going on without the web UI: the page at / will say what is missing."

check: ## the stages that need no built server: format, tidy, lints, docs
	@tests/run format tidy lints docs

build: ## build the server (the first time takes some minutes: RocksDB)
	@tests/deps build
	@echo "Building hearth (cargo build --release); the first build compiles RocksDB and takes some minutes."
	@cargo build --release --bin hearth

deps: ## install the Debian packages that building and testing need
	@tests/deps build test

browser: ## people in Chromium against the built server; their screenshots go to docs/screenshots with SHOTS=1
	@tests/deps browser
	@tests/browser/run $(if $(SHOTS),--screenshots docs/screenshots)

interop: ## real clients (matrix-js-sdk, matrix-nio, matrix-bot-sdk, the WebSocket) against the built server
	@tests/run build interop

crash: ## kill -9 under load, 20 rounds
	@tests/run build crash

complement: build ## the conformance suite of the Matrix project (Docker, Go), compared with complement/results.jsonl
	@tests/deps container
	@tests/container/with-docker complement/run

image: build ## a container image, hearth:latest (config/container)
	@tests/deps container
	@tests/container/with-docker config/container/build hearth:latest

fmt: ## format the code
	@cargo fmt --all
