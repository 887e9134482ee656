# Thin targets; what they do is in scripts/ and xtask/.
.PHONY: all dist demo test chaos check bench fuzz qemu deps reference

all: target/release/ringbolt

target/release/ringbolt: FORCE
	cargo build --release --locked -p ringbolt
FORCE:

dist:                                ## the binary as it is handed out: smaller, half as long again to build
	cargo build --profile dist --locked -p ringbolt

demo: deps target/release/ringbolt   ## the main job, in the lab, from nothing
	scripts/demo

test: deps                           ## every test
	scripts/test

chaos: deps                          ## apply killed at every boundary of its steps, again and again
	scripts/chaos

check:                               ## format, lints, reference pages, licences
	scripts/check

bench: deps target/release/ringbolt  ## the figures of the README
	scripts/bench

fuzz: deps                           ## every fuzz target for a while: make fuzz SECONDS=60
	scripts/fuzz $(or $(SECONDS),30)

qemu:                                ## OSDs on LVM and dm-crypt in a virtual machine, twenty minutes
	scripts/qemu

deps:                                ## Debian packages that are missing, told before they are installed
	scripts/deps

reference:                           ## generated pages of docs/reference
	cargo xtask reference
