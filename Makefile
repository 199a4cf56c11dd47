# `make demo`, `make run` and `make test` install what they need, or say in one line what is missing.

.PHONY: help demo setup run test fuzz bench soak fmt clean

help: ## Say what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 14

demo: ## Try everything without an account: the service beside a simulated Vonage
	@scripts/setup run
	cargo run --quiet --locked --features simulator -- demo

setup: ## Go from a Vonage account to settings that make run can use; asks
	@scripts/setup run
	cargo run --quiet --locked --release -- setup

run: ## Build and run the service with the settings of .env
	@scripts/setup run
	@test -e .env || { cp .env.example .env; echo "Wrote .env. make setup fills it in; or do it by hand, then say make run again."; exit 1; }
	cargo run --quiet --locked --release -- serve

test: ## Run every check and every test
	@scripts/setup test
	@scripts/test

fuzz: ## Try a hundred thousand hostile inputs of each kind (CASES=1000000 for more)
	@scripts/setup run
	PROPTEST_CASES=$${CASES:-100000} cargo test --locked --release --test hostile

bench: ## Measure it, each figure beside its reference (some minutes)
	@scripts/setup run
	cargo bench --quiet --locked --bench service

soak: ## Overload it, fill its disk, take its database away, stop it in the middle (some minutes)
	@scripts/setup run
	cargo test --quiet --locked --release --test soak --test replicas -- --ignored --nocapture --test-threads=1

fmt: ## Format the Rust code
	cargo fmt

clean: ## Remove everything that was built or fetched
	rm -rf target node_modules
