# What one does with Feira. `make` alone lists it.

.DEFAULT_GOAL := help
.PHONY: help run run-kafka demo demo-kafka verify load simulate mutants chaos up down test bench fmt lint

# The platform for one process needs neither a Kafka nor a CQL client: it builds in half the time.
EMBEDDED := --release --locked --package feira --no-default-features --features embedded
DEPLOYED := --release --locked --package feira --no-default-features --features deployed

help: ## List what can be done
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

run: ## Run the whole platform in one process, data in ./data
	@bash xtask/need.sh build
	cargo run $(EMBEDDED) -- run

demo: ## Play two purchases on the platform that `make run` runs, and verify what they left
	cargo run $(EMBEDDED) -- demo

demo-kafka: ## The same on the platform that `make run-kafka` runs
	cargo run $(DEPLOYED) -- demo --config deploy/local/feira.toml --data data/deployed

verify: ## Prove that log and rows in ./data are sound
	cargo run $(EMBEDDED) -- verify

simulate: ## Run the platform on a made-up clock under the faults of SEEDS seeds (200)
	cargo run $(EMBEDDED),simulate -- simulate --seeds $(or $(SEEDS),200)

mutants: ## Take each protection out, and see that the simulation misses it
	@cargo xtask mutants

chaos: ## Kill, stop and end every process and server under load, ROUNDS times each (1), in the order that SEED draws
	@bash xtask/need.sh test
	FEIRA_CHAOS_ROUNDS=$(or $(ROUNDS),1) $(if $(SEED),FEIRA_CHAOS_SEED=$(SEED)) cargo test --locked --package feira --test chaos -- --nocapture deployed

up: ## Start Kafka and Cassandra on this machine
	@bash deploy/local/up.sh

down: ## Stop what `make up` started; data stay
	@bash deploy/local/down.sh

run-kafka: ## Run every service and the gateway, a process each, on Kafka and CQL
	@bash xtask/need.sh test
	@bash deploy/local/up.sh
	cargo build $(DEPLOYED)
	@bash deploy/local/run.sh

test: ## Run all tests on every home, log and store
	@bash xtask/need.sh test
	@cargo xtask test

bench: ## Measure, each figure beside its reference
	@cargo xtask bench

load: ## Put load on a platform of its own, briefly, and check what must hold
	cargo build $(EMBEDDED)
	cargo run --release --locked --package feira-load-tests -- chat --rate 50 --seconds 10
	cargo run --release --locked --package feira-load-tests -- purchase --rate 10 --seconds 10

fmt: ## Format all Rust
	cargo fmt --all

lint: ## Check form, lints and that everything is in its place
	cargo fmt --all --check
	cargo xtask tidy
	cargo clippy --workspace --all-targets --locked -- -D warnings
