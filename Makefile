# `make demo` and `make test` are all a newcomer needs: each installs what it lacks first (scripts/setup.sh).

VERSION := $(shell sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
SONAME  := libssmtp.so.0
PREFIX  ?= /usr/local
LIBDIR  ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include

# rustup puts cargo here, and a shell that was open before does not know it.
export PATH := $(PATH):$(HOME)/.cargo/bin

.PHONY: demo test bench install help

help:
	@echo 'make demo      a message from a C program through libssmtp to an SMTP server that runs beside it'
	@echo 'make test      every check, in C, C++, Python and C#, and a delivery by a real Postfix'
	@echo 'make bench     the benchmarks'
	@echo 'make install   library, headers and ssmtp.pc under PREFIX ($(PREFIX)), DESTDIR in front'

demo:
	@bash scripts/setup.sh demo
	@bash scripts/demo.sh

test:
	@bash scripts/setup.sh test
	@bash scripts/test.sh

bench:
	@test -d benches || { echo 'There are no benchmarks yet: the folder benches/ does not exist.' >&2; exit 1; }
	cargo bench

# Without cargo (root often has none) what was built before is installed.
install:
	if command -v cargo >/dev/null; then cargo build --release --package ssmtp; else test -f target/release/libssmtp.so; fi
	install -d '$(DESTDIR)$(LIBDIR)/pkgconfig' '$(DESTDIR)$(INCLUDEDIR)'
	install -m 755 target/release/libssmtp.so '$(DESTDIR)$(LIBDIR)/libssmtp.so.$(VERSION)'
	ln -sf libssmtp.so.$(VERSION) '$(DESTDIR)$(LIBDIR)/$(SONAME)'
	ln -sf $(SONAME) '$(DESTDIR)$(LIBDIR)/libssmtp.so'
	install -m 644 target/release/libssmtp.a '$(DESTDIR)$(LIBDIR)/libssmtp.a'
	install -m 644 include/ssmtp.h include/ssmtp.hpp '$(DESTDIR)$(INCLUDEDIR)/'
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' -e 's|@VERSION@|$(VERSION)|' \
	    scripts/ssmtp.pc.in > '$(DESTDIR)$(LIBDIR)/pkgconfig/ssmtp.pc'
