//! The loops that every byte of a message goes through, and the parsers that every reply does. `cargo bench --package compare`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ssmtp::message::encode::{Base64Lines, QuotedPrintable};
use ssmtp::message::facts::Facts;
use ssmtp::smtp::dot::{Length, Stuffer};
use ssmtp::smtp::reply::{Gather, Lines};
use std::hint::black_box;

const SIZE: usize = 1 << 20;

fn text() -> Vec<u8> {
    b"The quick brown fox jumps over the lazy dog; the five boxing wizards jump q\r\n".repeat(SIZE / 77)
}

fn octets() -> Vec<u8> {
    (0..SIZE).map(|n| (n * 7919 % 251) as u8).collect()
}

fn lines(c: &mut Criterion) {
    let text = text();
    let mut group = c.benchmark_group("dot-stuffing");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("slices of 1 MiB", |b| {
        b.iter(|| {
            let (mut stuffer, mut slices, mut at) = (Stuffer::new(true), Vec::with_capacity(64), 0);
            while at < text.len() {
                slices.clear();
                at += stuffer.feed(black_box(&text[at..]), &mut slices, 64);
            }
            black_box(stuffer.finish());
        });
    });
    group.bench_function("length of 1 MiB", |b| {
        b.iter(|| {
            let mut length = Length::default();
            length.text(black_box(&text));
            length.finish()
        });
    });
    group.bench_function("everything that is asked of 1 MiB before it is sent", |b| {
        b.iter(|| Facts::of(black_box(&text)));
    });
    group.finish();
}

fn encodings(c: &mut Criterion) {
    let octets = octets();
    let mut group = c.benchmark_group("transfer encodings");
    group.throughput(Throughput::Bytes(octets.len() as u64));
    let mut out = Vec::with_capacity(SIZE * 4);
    group.bench_function("Base64 of 1 MiB", |b| {
        b.iter(|| {
            out.clear();
            let mut lines = Base64Lines::default();
            lines.push(black_box(&octets), &mut out);
            lines.finish(&mut out);
        });
    });
    group.bench_function("quoted-printable of 1 MiB", |b| {
        b.iter(|| {
            out.clear();
            let mut lines = QuotedPrintable::default();
            lines.push(black_box(&octets), &mut out);
            lines.finish(&mut out);
        });
    });
    group.finish();
}

fn replies(c: &mut Criterion) {
    let said = b"250-mail.example greets you\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-8BITMIME\r\n250 OK\r\n";
    c.bench_function("an EHLO reply of 5 lines", |b| {
        b.iter(|| {
            let (mut lines, mut gather) = (Lines::default(), Gather::default());
            lines.push(black_box(said));
            while let Ok(Some(line)) = lines.next_line() {
                if let Ok(Some(reply)) = gather.line(line) {
                    return reply.code;
                }
            }
            0
        });
    });
}

criterion_group!(benches, lines, encodings, replies);
criterion_main!(benches);
