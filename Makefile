# The two commands that a newcomer needs are `make demo` and `make test`. Both install what is
# missing (libpcap's headers, a C compiler) on Debian and its relatives, and say so.

CARGO ?= cargo
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: demo test check tuned libpcap lab fuzz-smoke

# The main job on the reconstruction of the case that the project began with.
demo: libpcap
	$(CARGO) run --release --quiet -- analyze captures/koryolink/3g-client.pcap

# All tests. With cargo-nextest if it is there, otherwise with cargo's own runner.
test: libpcap
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
		$(CARGO) nextest run --all-targets && $(CARGO) test --doc --quiet; \
	else \
		$(CARGO) test --quiet; \
	fi

# What a change must pass beside the tests.
check: libpcap
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets --quiet -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --quiet --document-private-items

libpcap:
	@if ! { command -v cc >/dev/null && [ -e /usr/include/pcap/pcap.h ]; }; then \
		echo "libpcap's headers or a C compiler are missing: installing libpcap-dev and build-essential"; \
		$(SUDO) apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq libpcap-dev build-essential; \
	fi

# The program for large recordings: built by a profile of itself, which takes ten minutes and saves
# up to a fifth of the time. The same records come out.
tuned: libpcap
	benches/tune

# Records the stories of captures/ anew. Needs root and Debian packages, which it installs.
lab:
	tests/lab/run
