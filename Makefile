# `make demo` and `make test` are all a newcomer needs: each installs what it lacks first (scripts/setup.sh).

VERSION := $(shell sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
SONAME  := libssmtp.so.0
PREFIX  ?= /usr/local
BINDIR  ?= $(PREFIX)/bin
LIBDIR  ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR  ?= $(PREFIX)/share/man

# rustup puts cargo here, and a shell that was open before does not know it.
export PATH := $(PATH):$(HOME)/.cargo/bin

.PHONY: demo test torture bench docs wheel nuget install uninstall help

help:
	@echo 'make demo      a message from a C program through libssmtp to an SMTP server that runs beside it'
	@echo 'make test      every check, in C, C++, Python and C#, and a delivery by a real Postfix'
	@echo 'make torture   faults at every system call of the queue, many processes, very many files (some minutes)'
	@echo 'make bench     the benchmarks'
	@echo 'make docs      the documentation as pages for a browser, in target/site'
	@echo 'make wheel     the Python package with the library in it, in target/wheel'
	@echo 'make nuget     the .NET package with the library in it, in target/nuget'
	@echo 'make install   library, headers, the tool ssmtp, manual, ssmtp.pc and CMake files under PREFIX ($(PREFIX)), DESTDIR in front'
	@echo 'make uninstall takes them away again'

demo:
	@bash scripts/setup.sh demo
	@bash scripts/demo.sh

test:
	@bash scripts/setup.sh test
	@bash scripts/test.sh

torture:
	@bash scripts/setup.sh test
	cargo build --workspace
	@bash tests/torture/run.sh

# ROUNDS=5 rounds; WRITE=1 puts the tables into docs/performance.md.
ROUNDS ?= 5
bench:
	@bash scripts/setup.sh bench
	python3 benches/compare/run.py --rounds $(ROUNDS) $(if $(WRITE),--write)
	python3 benches/compare/smime.py $(if $(WRITE),--write)
	python3 benches/compare/cms.py $(if $(WRITE),--write)
	python3 benches/compare/tls.py $(if $(WRITE),--write)
	python3 benches/compare/queue.py $(if $(WRITE),--write)
	python3 benches/compare/load.py $(if $(WRITE),--write)
	cargo bench --package compare

docs:
	cargo xtask site

# The NuGet package: target/nuget/Ssmtp.….nupkg
nuget:
	@bash scripts/setup.sh nuget
	library=$$(bash scripts/portable.sh) && python3 bindings/dotnet/pack.py --library "$$library"

# The Python package with the library in it: target/wheel/ssmtp-….whl
wheel:
	@bash scripts/setup.sh wheel
	bash bindings/python/wheel.sh

# Without cargo (root often has none) what was built before is installed.
install:
	if command -v cargo >/dev/null; then cargo build --release --package libssmtp; else test -f target/release/libssmtp.so; fi
	ln -sf libssmtp.so target/release/$(SONAME)
	$(CC) -O2 -std=c99 -D_POSIX_C_SOURCE=200809L -Iinclude examples/cli/*.c -Ltarget/release -lssmtp '-Wl,-rpath,$(LIBDIR)' -o target/release/ssmtp
	install -d '$(DESTDIR)$(LIBDIR)/pkgconfig' '$(DESTDIR)$(INCLUDEDIR)' '$(DESTDIR)$(BINDIR)'
	install -m 755 target/release/ssmtp '$(DESTDIR)$(BINDIR)/ssmtp'
	install -m 755 target/release/libssmtp.so '$(DESTDIR)$(LIBDIR)/libssmtp.so.$(VERSION)'
	strip --strip-unneeded '$(DESTDIR)$(LIBDIR)/libssmtp.so.$(VERSION)'
	ln -sf libssmtp.so.$(VERSION) '$(DESTDIR)$(LIBDIR)/$(SONAME)'
	ln -sf $(SONAME) '$(DESTDIR)$(LIBDIR)/libssmtp.so'
	install -m 644 target/release/libssmtp.a '$(DESTDIR)$(LIBDIR)/libssmtp.a'
	install -m 644 include/ssmtp.h include/ssmtp.hpp '$(DESTDIR)$(INCLUDEDIR)/'
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' -e 's|@VERSION@|$(VERSION)|' \
	    scripts/ssmtp.pc.in > '$(DESTDIR)$(LIBDIR)/pkgconfig/ssmtp.pc'
	install -m 644 -D docs/man/ssmtp.1 '$(DESTDIR)$(MANDIR)/man1/ssmtp.1'
	install -m 644 -D docs/man/ssmtp.3 '$(DESTDIR)$(MANDIR)/man3/ssmtp.3'
	install -d '$(DESTDIR)$(LIBDIR)/cmake/ssmtp'
	for file in ssmtp-config ssmtp-config-version; do \
	    sed -e 's|@VERSION@|$(VERSION)|' -e 's|@SONAME@|$(SONAME)|' \
	        -e "s|@UP@|$$(realpath -m --relative-to='$(LIBDIR)/cmake/ssmtp' '$(PREFIX)')|" \
	        -e "s|@LIB@|$$(realpath -m --relative-to='$(PREFIX)' '$(LIBDIR)')|" \
	        -e "s|@INCLUDE@|$$(realpath -m --relative-to='$(PREFIX)' '$(INCLUDEDIR)')|" \
	        "scripts/$$file.cmake.in" > '$(DESTDIR)$(LIBDIR)/cmake/ssmtp/'"$$file.cmake"; \
	done

# Whatever version was installed; folders that others use too stay.
uninstall:
	rm -f '$(DESTDIR)$(BINDIR)/ssmtp' '$(DESTDIR)$(LIBDIR)'/libssmtp.so* '$(DESTDIR)$(LIBDIR)/libssmtp.a' \
	    '$(DESTDIR)$(INCLUDEDIR)/ssmtp.h' '$(DESTDIR)$(INCLUDEDIR)/ssmtp.hpp' '$(DESTDIR)$(LIBDIR)/pkgconfig/ssmtp.pc' \
	    '$(DESTDIR)$(MANDIR)/man1/ssmtp.1' '$(DESTDIR)$(MANDIR)/man3/ssmtp.3'
	rm -rf '$(DESTDIR)$(LIBDIR)/cmake/ssmtp'
