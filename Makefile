python := .venv/bin/python
uv_compile := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock"

shipped := auth dashboard db etl models tools console.py errors.py permissions.py settings.py

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo test test-faults bench-load bench-segments bench-recommend bench-dashboard bench-browser bench-visitors bench-download fuzz audit sbom docs images notebook lint format lock clean

help:  ## List these targets
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

setup:  ## Make .venv with the locked packages (PYTHON=... chooses the Python)
	@tools/setup.sh

setup-dev:  ## The same with what the tests and checks need
	@tools/setup.sh dev

demo: setup  ## Load the sample, run the models, serve the dashboard on http://127.0.0.1:8050
	@$(python) -m etl load sample
	@$(python) -m models run --quick --if-changed
	@$(python) -m dashboard

test: setup-dev  ## Run all tests
	@$(python) -m pytest -n 2

test-faults: setup-dev  ## Kill, fill, freeze, corrupt, back up and upgrade what can be, and see that nothing is lost (minutes)
	@$(python) -m pytest -n 2 tests/faults

bench-load: setup  ## Time a load of 5 million rows against a raw COPY, and its memory at 2 and 20 million
	@$(python) -m benchmarks.load compare

bench-segments: setup  ## Time all of a run of segments for 100,000 and for a million customers, and its memory
	@$(python) -m benchmarks.segments compare

bench-recommend: setup  ## Each recommender's lists and time on the sample; scoring against LightFM and implicit
	@$(python) -m benchmarks.recommend compare

bench-dashboard: setup  ## Time every part of every page for a million customers, each time with other filters
	@$(python) -m benchmarks.dashboard

bench-browser: setup-dev  ## From a click to what is painted for a million customers, in a real browser
	@$(python) -m benchmarks.browser

bench-visitors: setup  ## Thirty visitors at once before the dashboard of a million customers
	@$(python) -m benchmarks.visitors

bench-download: setup  ## Download the list of a million customers: memory, first byte, checksum, a download cut off
	@$(python) -m benchmarks.download

fuzz: setup  ## Two minutes of requests that no page would send, to every route and callback: none may fail
	@$(python) -m benchmarks.fuzz

docs: setup  ## Write docs/data-quality.md and the tables of docs/segments.md from the rules
	@$(python) -m tools.data_quality
	@$(python) -m tools.segment_tables

images: setup-dev  ## Take the README's pictures anew from the pages that the browser tests walk
	@PICTURES=1 $(python) -m pytest -q tests/e2e/test_every_page.py
	@for page in overview segments movement; do cp tests/e2e/shots/$$page-top.png docs/images/$$page.png; done

notebook: setup-dev  ## Run notebooks/exploration.ipynb anew, in place, on the data that are loaded
	@$(python) -m tools.notebook

lint: setup-dev  ## Check style and types, look for unsafe code and for known faults of what is locked
	@$(python) -m ruff check .
	@$(python) -m ruff format --check .
	@$(python) -m mypy
	@$(python) -m bandit --quiet --recursive --configfile pyproject.toml $(shipped)
	@$(python) -m tools.audit

audit: setup-dev  ## Ask PyPI's advisories for known faults of the locked packages
	@$(python) -m tools.audit

sbom: setup-dev  ## Write sbom.json: all that the product is made of (CycloneDX)
	@.venv/bin/cyclonedx-py requirements requirements.txt --output-reproducible --of JSON -o sbom.json
	@echo sbom.json is written

format: setup-dev  ## Mend style where a tool can
	@$(python) -m ruff check --fix .
	@$(python) -m ruff format .

lock: setup-dev  ## Compile requirements*.in to the locked requirements*.txt
	@$(uv_compile) requirements.in -o requirements.txt
	@$(uv_compile) requirements-dev.in -o requirements-dev.txt

clean:  ## Remove the environment and the tools' caches; the data in .data stays
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
